"""``python one_family_neighbor.py ADDRESS ASN``: a BGP neighbor that only ever negotiates IPv4.

BIRD refuses a session without a family in common; other routers keep it up. This one does: it
answers with an OPEN (RFC 4271 section 4.2) that has one capability, multiprotocol IPv4 unicast
(RFC 4760 section 8), keeps the session alive, and prints one line per UPDATE it gets.
"""

import socket
import struct
import sys

MARKER = b"\xff" * 16
OPEN, UPDATE, KEEPALIVE = 1, 2, 4


def message(kind, body=b""):
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def own_open(asn):
    capability = bytes([1, 4, 0, 1, 0, 1])
    optional = bytes([2, len(capability)]) + capability
    start = struct.pack("!BHH4sB", 4, asn, 9, bytes([10, 9, 9, 9]), len(optional))
    return message(OPEN, start + optional)


def exactly(connection, size):
    data = b""
    while len(data) < size:
        if not (some := connection.recv(size - len(data))):
            raise ConnectionError
        data += some
    return data


def talk(connection, asn):
    connection.sendall(own_open(asn) + message(KEEPALIVE))
    while True:
        header = exactly(connection, 19)
        exactly(connection, struct.unpack("!H", header[16:18])[0] - 19)
        if header[18] == UPDATE:
            sys.stdout.write("update\n")
            sys.stdout.flush()
        elif header[18] == KEEPALIVE:
            connection.sendall(message(KEEPALIVE))


listener = socket.create_server((sys.argv[1], 179), family=socket.AF_INET6)
sys.stdout.write("listening\n")
sys.stdout.flush()
while True:
    try:
        talk(listener.accept()[0], int(sys.argv[2]))
    except OSError:
        continue
