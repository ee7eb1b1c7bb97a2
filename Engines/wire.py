"""As much of protobuf and gRPC as speaks the Container Runtime Interface, without its compiler.

A message to send is a dictionary from field numbers to numbers, texts, messages, or lists of these;
one that was received maps each field number to the list of what came.
"""

import grpc


def varint(number):
    data = bytearray()
    number &= (1 << 64) - 1
    while number > 0x7f:
        data.append(number & 0x7f | 0x80)
        number >>= 7
    return bytes([*data, number])


def encode(message):
    data = b""
    for field, values in message.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, int):
                data += varint(field << 3) + varint(value)
                continue
            part = encode(value) if isinstance(value, dict) else value.encode()
            data += varint(field << 3 | 2) + varint(len(part)) + part
    return data


def read_varint(data, offset):
    number = shift = 0
    while True:
        byte = data[offset]
        number |= (byte & 0x7f) << shift
        offset, shift = offset + 1, shift + 7
        if byte < 0x80:
            return number, offset


def decode(data):
    message, offset = {}, 0
    while offset < len(data):
        key, offset = read_varint(data, offset)
        if key & 7 == 0:
            value, offset = read_varint(data, offset)
        elif key & 7 == 2:
            size, offset = read_varint(data, offset)
            value, offset = data[offset:offset + size], offset + size
        else:
            raise ValueError(f"wire type {key & 7}")
        message.setdefault(key >> 3, []).append(value)
    return message


def part(message, *fields, default=b""):
    """What stands at a path of fields; a field that is not there has its default value."""
    for field in fields[:-1]:
        message = decode(message.get(field, [b""])[0])
    return message.get(fields[-1], [default])[0]


class Client:
    def __init__(self, socket):
        self.channel = grpc.insecure_channel(f"unix://{socket}")

    def call(self, service, method, message, seconds=60):
        call = self.channel.unary_unary(
            f"/{service}/{method}", request_serializer=encode, response_deserializer=decode)
        return call(message, timeout=seconds)

    def close(self):
        self.channel.close()
