"""The service that clients come for: says which PoP answers, over UDP, TCP and HTTP.

* UDP 9000 answers `<pop> <payload>` from the very address it was asked on. Service addresses come
  and go while it runs, so it listens on the wildcard and takes each reply's source from the
  request's packet information (RFC 3542, 6.1).
* TCP 9001 answers each line with `<pop> <line>`, as long as the connection lasts.
* HTTP 80: `GET /` answers the PoP's name, `GET /healthz` answers `ok`.

SIGUSR1: the service fails. Nothing is answered any more except `/healthz`, with 503. SIGUSR2: it
works again. SIGRTMIN: only `/healthz` fails, as on a host that has too much to do for it; the one
after that ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import signal

from lab.nodes.echo import LineEcho, UdpEcho
from lab.nodes.web import Web

UDP_PORT = 9000
TCP_PORT = 9001
HTTP_PORT = 80
WILDCARDS = ("0.0.0.0", "::")


class Health:
    """Whether the service works; shared by all listeners. `checked`: whether its check passes."""

    def __init__(self) -> None:
        """Healthy at first."""
        self.ok = True
        self.passes = True

    @property
    def checked(self) -> bool:
        """What `/healthz` says."""
        return self.ok and self.passes

    def set(self, ok: bool) -> None:  # noqa: FBT001 - a signal handler's argument
        """Fail or recover."""
        self.ok = ok

    def check(self, passes: bool) -> None:  # noqa: FBT001 - a signal handler's argument
        """Let the check alone fail or pass."""
        self.passes = passes


async def serve(pop: str) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    health = Health()
    done = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, health.set, False)
    loop.add_signal_handler(signal.SIGUSR2, health.set, True)
    loop.add_signal_handler(signal.SIGRTMIN, health.check, False)
    loop.add_signal_handler(signal.SIGRTMIN + 1, health.check, True)
    loop.add_signal_handler(signal.SIGTERM, done.set)
    echoes = [UdpEcho(pop, health, address, UDP_PORT) for address in WILDCARDS]
    for echo in echoes:
        loop.add_reader(echo.socket, echo.answer)
    for address in WILDCARDS:
        await loop.create_server(lambda: Web(pop, health), address, HTTP_PORT, backlog=512)
        await loop.create_server(lambda: LineEcho(pop, health), address, TCP_PORT, backlog=512)
    await done.wait()


def main() -> None:
    """`python3 -m lab.nodes.service --pop NAME`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pop", required=True)
    asyncio.run(serve(parser.parse_args().pop))


if __name__ == "__main__":
    main()
