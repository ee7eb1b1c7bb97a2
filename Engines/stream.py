"""A client of what the Container Runtime Interface answers with a URL: exec, attach, port-forward.

As much of WebSocket (RFC 6455) and of Kubernetes' subprotocol v4.channel.k8s.io as they need: each
message is a byte that names a channel, and data.
"""

import base64
import json
import os
import socket
import struct
import urllib.parse

INPUT, OUTPUT, ERRORS, STATUS, WINDOW = range(5)
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


class Stream:
    def __init__(self, url, query=""):
        parts = urllib.parse.urlsplit(url)
        self.connection = socket.create_connection((parts.hostname, parts.port), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        self.connection.sendall((
            f"GET {parts.path}{query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n").encode())
        self.file = self.connection.makefile("rb")
        status = self.file.readline()
        if b" 101 " not in status:
            raise ValueError(f"no stream: {status} {self.file.read(400)}")
        while self.file.readline().strip():
            pass
        self.got = {}
        self.has_ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.connection.close()

    def send(self, channel, data, kind=BINARY):
        data = bytes([channel]) + data
        mask = os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack(
            ">BH", 0x80 | 126, len(data))
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
        self.connection.sendall(bytes([0x80 | kind]) + size + mask + masked)

    def receive(self):
        """Takes one message in; the channel that has more now, None at the end."""
        head = self.file.read(2)
        if len(head) < 2:
            self.has_ended = True
            return None
        size = head[1] & 0x7f
        if size == 126:
            size, = struct.unpack(">H", self.file.read(2))
        elif size == 127:
            size, = struct.unpack(">Q", self.file.read(8))
        data = self.file.read(size)
        if head[0] & 15 == CLOSE:
            self.has_ended = True
            return None
        if head[0] & 15 in (TEXT, BINARY) and data:
            self.got[data[0]] = self.got.get(data[0], b"") + data[1:]
            return data[0]
        return -1

    def until(self, words, channel=OUTPUT):
        """Receives until these words came; all that came on the channel."""
        while words not in self.got.get(channel, b""):
            if self.receive() is None:
                raise ValueError(f"the end, and no {words}: {self.got}")
        return self.got[channel]

    def finish(self):
        """Receives to the end; output, errors, and the exit code of what ran."""
        while not self.has_ended:
            self.receive()
        status = json.loads(self.got.get(STATUS, b"{}"))
        causes = status.get("details", {}).get("causes", [])
        code = next((int(c["message"]) for c in causes if c["reason"] == "ExitCode"), 0)
        return self.got.get(OUTPUT, b"").decode(), self.got.get(ERRORS, b"").decode(), code
