"""What changes in the network is told to who listens: groups of rtnetlink(7)."""

import os
import subprocess

from sandboxes import Sandbox, case, equal, expect, product, wait_for

# struct sockaddr_nl and the groups of linux/rtnetlink.h.
PRELUDE = """
import select, struct
SOL, ADD, DROP, LIST = 270, 1, 2, 9
LINK, IPV4_ADDRESS = 1, 5
def bind(groups=0):
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    s.bind((0, groups))
    return s
def member(s, option, group):
    s.setsockopt(SOL, option, group)
def lists(s):
    return struct.unpack("=Q", s.getsockopt(SOL, LIST, 8))[0]
def news(s):
    data, sender = s.recvfrom(65536)
    size, kind, flags, sequence, port = struct.unpack_from("=IHHII", data)
    return kind, sender, size == len(data), sequence, port
"""


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def listeners():
    """The netlink sockets of the network that are members of routes' groups."""
    with open("/proc/net/netlink") as file:
        rows = [line.split() for line in file][1:]
    return [row for row in rows if row[1] == "0" and int(row[3], 16)]


@case
def a_new_address_is_told():
    program = PRELUDE + """
s = bind(1 << IPV4_ADDRESS - 1)
informed = bind(1 << IPV4_ADDRESS - 1)
informed.setsockopt(SOL, 3, 1)
say(s.getsockname()[1], lists(s))
input()
say([(level, kind, data.hex()) for level, kind, data in informed.recvmsg(65536, 64)[1]])
print(news(s), end=" ")
say(select.select([s], [], [], 0)[0])
poll = select.epoll()
poll.register(s, select.EPOLLIN)
member(s, ADD, LINK)
say(lists(s), s.getsockname()[1])
say([e for _, e in poll.poll()])
say(news(s))
member(s, DROP, IPV4_ADDRESS)
say(lists(s))
say(news(s)[0])
"""
    with Sandbox(program, audit=False) as sandbox:
        equal(sandbox.line(), "16 16", "the groups")
        equal(len(listeners()), 1, "the listeners")
        ip("address", "add", "10.9.8.1/32", "dev", "lo")
        sandbox.tell("")
        equal(sandbox.line(), "[(270, 3, '05000000')]", "NETLINK_PKTINFO")
        equal(sandbox.line(), "(20, (0, 16), True, 0, 0) []", "RTM_NEWADDR")
        equal(sandbox.line(), "17 17", "the groups")
        ip("address", "delete", "10.9.8.1/32", "dev", "lo")
        equal(sandbox.line(), "[1]", "the events")
        equal(sandbox.line(), "(21, (0, 16), True, 0, 0)", "RTM_DELADDR")
        equal(sandbox.line(), "1", "the groups")
        ip("address", "add", "10.9.8.2/32", "dev", "lo")
        ip("address", "delete", "10.9.8.2/32", "dev", "lo")
        ip("link", "set", "lo", "mtu", "60000")
        equal(sandbox.finish(), ["16"], "RTM_NEWLINK")
        ip("link", "set", "lo", "mtu", "65536")
    wait_for(lambda: not listeners())


@case
def nobody_listens_who_does_not_ask():
    program = PRELUDE + """
s = bind()
say(s.getsockopt(SOL, LIST, 64))
input()
member(s, ADD, LINK)
say("in")
input()
member(s, DROP, LINK)
say("out")
input()
"""
    with Sandbox(program, audit=False) as sandbox:
        equal(sandbox.line(), "b''", "the memberships")
        equal(listeners(), [], "the listeners")
        sandbox.tell("")
        equal(sandbox.line(), "in", "the answer")
        equal(len(listeners()), 1, "the listeners")
        sandbox.tell("")
        equal(sandbox.line(), "out", "the answer")
        wait_for(lambda: not listeners())
        sandbox.tell("")
        sandbox.finish()


@case
def ip_monitor_shows_what_changes():
    path = f"/proc/{os.getpid()}/ns/net"
    command = [product(), "do", "--network", path, "--", "ip", "-oneline", "monitor", "label"]
    monitor = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: listeners() or monitor.poll() is not None)
        ip("link", "add", "news0", "type", "bridge")
        ip("address", "add", "10.9.8.3/24", "dev", "news0")
        ip("link", "set", "news0", "up")
        ip("link", "delete", "news0")
        lines = []
        while not any("Deleted" in line and "news0" in line and "[LINK]" in line
                      for line in lines):
            line = monitor.stdout.readline()
            if not line:
                break
            lines.append(line)
    finally:
        monitor.kill()
        _, errors = monitor.communicate()
    text = "".join(lines)
    for wanted in ("[LINK]", "[ADDR]", "[ROUTE]", "10.9.8.3/24", "Deleted"):
        expect(wanted in text, f"no {wanted} in {text!r} ({errors!r})")
    wait_for(lambda: not listeners())


@case
def news_that_comes_too_fast_is_an_error():
    program = PRELUDE + """
s = bind(1 << IPV4_ADDRESS - 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
other = bind(1 << IPV4_ADDRESS - 1)
other.setsockopt(SOL, 5, 1)
other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
say("ready")
input()
say([e & select.POLLERR for _, e in select.epoll().poll(0)], attempt(lambda: news(s)[0] and None))
s.setblocking(False)
other.setblocking(False)
def drain(s):
    count = 0
    while True:
        try:
            news(s)
            count += 1
        except BlockingIOError:
            return count
say(0 < drain(s) < 100, 0 < drain(other) < 100)
s.setblocking(True)
say("drained")
say(news(s)[0])
"""
    with Sandbox(program, audit=False) as sandbox:
        equal(sandbox.line(), "ready", "the program")
        batch = "".join(f"address add 10.8.{i // 250}.{i % 250 + 1}/32 dev lo\n"
                        for i in range(500))
        subprocess.run(["ip", "-batch", "-"], input=batch, text=True, check=True)
        sandbox.tell("")
        equal(sandbox.line(), "[] ENOBUFS", "the loss")
        equal(sandbox.line(), "True True", "what was kept")
        equal(sandbox.line(), "drained", "the program")
        ip("address", "add", "10.9.8.5/32", "dev", "lo")
        equal(sandbox.finish(), ["20"], "RTM_NEWADDR")
    ip("address", "flush", "dev", "lo", "to", "10.8.0.0/15")


@case
def members_in_thousands_are_one_listener():
    program = PRELUDE + """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
# All but the two groups of multicast routing, for which Linux wants CAP_NET_ADMIN.
sockets = [bind(0x9fffffff) for _ in range(2000)]
for group in (0, 65, 1000, 0x7fffffff, 0xffffffff - (1 << 32)):
    say(group, attempt(lambda: member(sockets[0], ADD, group)))
say(64, attempt(lambda: member(sockets[0], ADD, 64)), attempt(lambda: member(sockets[0], ADD, 30)))
diagnosis = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4)
say(attempt(lambda: diagnosis.bind((0, 1))), attempt(lambda: member(diagnosis, ADD, 1)))
for number in (12, 15, 16, 9, 11):
    print(attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, number) and None), end=" ")
say()
input()
say(sum(news(s)[0] == 20 for s in sockets))
for s in sockets: s.close()
say("closed")
input()
"""
    with Sandbox(program, audit=False) as sandbox:
        for group in (0, 65, 1000, 0x7FFFFFFF, -1):
            equal(sandbox.line(), f"{group} EINVAL", "out of range")
        equal(sandbox.line(), "64 EINVAL EPERM", "what the host has not")
        equal(sandbox.line(), "EPERM EPERM", "groups of others")
        equal(sandbox.line(), " ".join(["EPROTONOSUPPORT"] * 5), "other protocols")
        equal(len(listeners()), 1, "the listeners")
        ip("address", "add", "10.9.8.4/32", "dev", "lo")
        sandbox.tell("")
        equal(sandbox.line(), "2000", "who was told")
        equal(sandbox.line(), "closed", "the program")
        wait_for(lambda: not listeners())
        sandbox.tell("")
        sandbox.finish()
    ip("address", "delete", "10.9.8.4/32", "dev", "lo")
