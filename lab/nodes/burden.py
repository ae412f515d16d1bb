"""`python3 -m lab.nodes.burden ADDRESS BYTES_PER_S SECONDS`: fills an uplink with real packets.

UDP to the neighbor's discard port: the packets cross the uplink and go no further.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import time

DISCARD_PORT = 9
PAYLOAD = bytes(1200)
TICK_S = 0.01


def burden(address: str, rate: float, seconds: float) -> None:
    """Send `rate` bytes a second to `address`, packets with headers counted, for `seconds`."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    size = len(PAYLOAD) + 8 + (40 if family == socket.AF_INET6 else 20) + 14
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        begun = time.monotonic()
        sent = 0
        while (now := time.monotonic() - begun) < seconds:
            for _ in range(int(rate * now / size) - sent):
                with contextlib.suppress(OSError):  # refused by the neighbor, or a full queue
                    sock.sendto(PAYLOAD, (address, DISCARD_PORT))
                sent += 1
            time.sleep(TICK_S)


if __name__ == "__main__":
    burden(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
