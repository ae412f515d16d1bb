"""A PoP and its neighbors on one machine: ExaBGP and BIRD, each in a network namespace.

Two uplinks, ``north`` and ``south``, each with a v4 and a v6 session (so BIRD has the protocols
``north_v4`` and so on). Nothing here waits by the clock: BIRD logs every route and state change,
and :meth:`Bird.until` looks again after each line it logs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec

from agents.bgp.commands import SHOW_SESSIONS
from agents.bgp.events import Done, Failed, Up, understand
from ambicast.model.identifiers import Family
from ambicast.model.pops import Place, Pop, Uplink

PROTOCOLS = ("north_v4", "north_v6", "south_v4", "south_v6")
HERE = Path(__file__).parent
PATIENCE = 15.0


def uplink(name: str, interface: str, net: int) -> Uplink:
    return Uplink(
        name=name,
        provider=name,
        interface=interface,
        neighbor={Family.V4: f"10.{net}.1.1", Family.V6: f"fd00:{net}:0:1::1"},
        identity={Family.V4: f"10.{net}.1.2", Family.V6: f"fd00:{net}:0:1::2"},
        capacity=1e9,
        max_prefixes=100,
    )


POP = Pop(
    name="ams",
    place=Place("Amsterdam", "NL", 52.3, 4.8),
    capacity=1e9,
    prefixes=("198.18.0.0/22", "2001:db8:1000::/46"),
    hosts={},
    uplinks={"north": uplink("north", "eth1", 3), "south": uplink("south", "eth2", 4)},
)

_BIRD = """\
log stderr all;
router id 10.3.0.1;
debug protocols {{ states, routes, events }};
protocol device {{ scan time 5; }}
ipv4 table north4; ipv4 table south4; ipv6 table north6; ipv6 table south6;
{protocols}
"""
_FILTER = """\
table inet faults {{
  chain out {{ type filter hook output priority 0; oifname "lo" accept; {rule}; }}
}}
"""
_PROTOCOL = """\
protocol bgp {name}_{family} {{
  local {local} as {asn}; neighbor {remote} as 64500; direct; strict bind yes;
  hold time {hold}; connect delay time 1; connect retry time 1;
  error wait time 1, 1; error forget time 2;
  {channel} {{ table {table}; import all; export none; }};
}}
"""


def bird_config(hold: int, without: str = "") -> str:
    protocols = []
    for name, net, asn in (("north", 3, 64603), ("south", 4, 64604)):
        for family, prefix in (("v4", f"10.{net}.1."), ("v6", f"fd00:{net}:0:1::")):
            fields = {
                "name": name, "family": family, "asn": asn, "hold": hold,
                "local": f"{prefix}1", "remote": f"{prefix}2",
                "channel": f"ip{family}", "table": f"{name}{family[-1]}",
            }  # fmt: skip
            if f"{name}_{family}" != without:
                protocols.append(_PROTOCOL.format(**fields))
    return _BIRD.format(protocols="\n".join(protocols))


_CHANGE = re.compile(r"> (added|replaced|updated|removed)|State changed")
_LAST = re.compile(r"[089]\d\d\d ")


class Bird:
    """The neighbor's own view: the only judge of what really arrived."""

    def __init__(self, process: asyncio.subprocess.Process, control: Path) -> None:
        self.process = process
        self._control = control
        self._logged = asyncio.Event()
        self.changes: list[str] = []
        """What it logged about routes and sessions that were not the same as before."""

    async def listen(self) -> None:
        with (self._control.parent / "bird.log").open("wb", buffering=0) as log:
            while line := await self.process.stderr.readline():
                log.write(line)
                if _CHANGE.search(line.decode()):
                    self.changes.append(line.decode())
                self._logged.set()

    def ask(self, command: str) -> str:
        """The reply; it ends with a line whose code starts with 0, 8 or 9 and a space."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self._control))
            lines = control.makefile("r")
            lines.readline()  # who it is
            control.sendall(f"{command}\n".encode())
            reply = []
            for line in lines:
                reply.append(line)
                if _LAST.match(line):
                    break
        return "".join(reply)

    def up(self, protocol: str) -> bool:
        return "Established" in self.ask(f"show protocols {protocol}")

    def routes(self, protocol: str) -> frozenset[str]:
        table = f"{protocol[:-3]}{protocol[-1]}"
        words = (line.split() for line in self.ask(f"show route table {table}").splitlines())
        return frozenset(
            word for line in words for word in line[:2] if "/" in word and "[" not in word
        )

    def route(self, protocol: str, prefix: str) -> str:
        return self.ask(f"show route {prefix} table {protocol[:-3]}{protocol[-1]} all")

    def told_of(self, *prefixes: str) -> bool:
        """Whether its log has come to these routes; the tables run ahead of the log."""
        return all(any(each in line for line in self.changes) for each in prefixes)

    async def until(self, wanted) -> None:
        """Waits for something to be true here; every log line is a reason to look again."""
        async with asyncio.timeout(PATIENCE):
            while not wanted(self):
                self._logged.clear()
                await self._logged.wait()

    async def all_up(self, *protocols: str) -> None:
        wanted = protocols or PROTOCOLS
        await self.until(lambda bird: all(bird.up(protocol) for protocol in wanted))


class Attached:
    """A raw client of the bridge, for asking ExaBGP things in its own words."""

    def __init__(self, reader, writer) -> None:
        self._reader, self._writer = reader, writer
        self.events: list[object] = []
        self.lines: list[str] = []

    async def line(self) -> str:
        async with asyncio.timeout(PATIENCE):
            data = await self._reader.readline()
        if not data:
            raise EOFError("the bridge hung up")
        self.lines.append(data.decode().rstrip("\n"))
        return self.lines[-1]

    def say(self, *commands: str) -> None:
        self._writer.write("".join(f"{each}\n" for each in commands).encode())

    async def answer(self):
        """Rows of the oldest command's answer, and its end."""
        rows = []
        while True:
            line = await self.line()
            said = understand(line)
            if isinstance(said, Done | Failed):
                return rows, said
            (self.events if line.startswith('{ "exabgp"') else rows).append(said)

    async def ask(self, command: str):
        self.say(command)
        return await self.answer()

    async def event(self, kind: type, matching=lambda event: True):
        """The next event of this kind, also one that came with an answer."""
        while True:
            for place, event in enumerate(self.events):
                if isinstance(event, kind) and matching(event):
                    del self.events[: place + 1]
                    return event
            self.events.append(understand(await self.line()))

    async def all_up(self) -> None:
        """Every session is established, as ExaBGP sees it."""
        while True:
            ((table,), _) = await self.ask(SHOW_SESSIONS)
            if all(row.established for row in table.rows):
                return
            await self.event(Up)

    def close(self) -> None:
        self._writer.close()


class Neighborhood:
    """Namespaces, BIRD, ExaBGP, and ways to break them."""

    def __init__(self, folder: Path, tag: str) -> None:
        self.folder = folder
        self.pop_space, self.far_space = f"bgpt-{tag}-pop", f"bgpt-{tag}-far"
        self.bridge = folder / "exabgp.sock"
        self.bird: Bird | None = None
        self.exabgp: asyncio.subprocess.Process | None = None
        self.one_family: asyncio.subprocess.Process | None = None
        self._graceful = 0
        self._clients: list[Attached] = []
        self._listening: asyncio.Task | None = None

    def build(self) -> None:
        for space in (self.pop_space, self.far_space):
            run("ip", "netns", "add", space)
            run("ip", "-n", space, "link", "set", "lo", "up")
        for link, net in (("eth1", 3), ("eth2", 4)):
            run("ip", "-n", self.pop_space, "link", "add", link, "type", "veth",
                "peer", "name", link, "netns", self.far_space)  # fmt: skip
            for space, end in ((self.pop_space, 2), (self.far_space, 1)):
                run("ip", "-n", space, "address", "add", f"10.{net}.1.{end}/30", "dev", link)
                run("ip", "-n", space, "address", "add", f"fd00:{net}:0:1::{end}/64",
                    "dev", link, "nodad")  # fmt: skip
                run("ip", "-n", space, "link", "set", link, "up")

    async def start_bird(
        self, hold: int = 9, without: str = "", configuration: str | None = None
    ) -> Bird:
        """``without`` leaves one session out; ``configuration`` is for another BIRD altogether."""
        file, control = self.folder / "bird.conf", self.folder / "bird.ctl"
        file.write_text(configuration or bird_config(hold, without))
        process = await asyncio.create_subprocess_exec(
            "ip", "netns", "exec", self.far_space,
            "bird", "-f", "-c", file, "-s", control,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        self.bird = Bird(process, control)
        await self.bird.process.stderr.readline()
        self._listening = asyncio.get_running_loop().create_task(self.bird.listen(), name="bird")
        return self.bird

    async def start_exabgp(
        self, hold: int = 9, graceful: int | None = None, pop: Pop = POP
    ) -> None:
        """``graceful``: restart time, 0 is off; as the last time if not said."""
        self._graceful = self._graceful if graceful is None else graceful
        pop_file = self.folder / "pop.json"
        pop_file.write_bytes(msgspec.json.encode(pop))
        with (self.folder / "exabgp.log").open("ab") as log:
            self.exabgp = await asyncio.create_subprocess_exec(
                "ip", "netns", "exec", self.pop_space,
                sys.executable, str(HERE / "become_exabgp.py"), pop_file, self.folder,
                str(hold), str(self._graceful),
                stdout=log, stderr=log,
            )  # fmt: skip

    async def start_one_family_neighbor(self) -> asyncio.subprocess.Process:
        """At the address of ``north_v6``; see there."""
        self.one_family = await asyncio.create_subprocess_exec(
            "ip", "netns", "exec", self.far_space,
            sys.executable, HERE / "one_family_neighbor.py", "fd00:3:0:1::1", "64603",
            stdout=subprocess.PIPE,
        )  # fmt: skip
        await self.one_family.stdout.readline()
        return self.one_family

    async def kill_exabgp(self) -> None:
        self.exabgp.send_signal(signal.SIGKILL)
        await self.exabgp.wait()

    def bridge_pid(self) -> int:
        pid = self.exabgp.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[-1])

    def kill_bridge(self) -> None:
        os.kill(self.bridge_pid(), signal.SIGKILL)

    def freeze_exabgp(self) -> None:
        self.exabgp.send_signal(signal.SIGSTOP)

    def thaw_exabgp(self) -> None:
        self.exabgp.send_signal(signal.SIGCONT)

    def forbid_connecting(self) -> None:
        """ExaBGP can take connections but make none."""
        self._filter("tcp dport 179 tcp flags & (syn | ack) == syn drop")

    def silence(self) -> None:
        """Nothing leaves the PoP any more; its links stay up."""
        self._filter("drop")

    def _filter(self, rule: str) -> None:
        rules = _FILTER.format(rule=rule).encode()
        run("ip", "netns", "exec", self.pop_space, "nft", "-f", "-", given=rules)

    def restore(self) -> None:
        run("ip", "netns", "exec", self.pop_space, "nft", "delete", "table", "inet", "faults")

    async def attach(self) -> Attached:
        """A raw client that ExaBGP has answered, as soon as there is a bridge that lives."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(OSError, EOFError):
                    client = Attached(
                        *await asyncio.open_unix_connection(self.bridge, limit=2**22)
                    )
                    self._clients.append(client)
                    await client.ask("enable-ack")
                    return client
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        for client in self._clients:
            client.close()
        for process in (self.exabgp, self.bird and self.bird.process, self.one_family):
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()
        if self._listening is not None:
            await self._listening
        for space in (self.pop_space, self.far_space):
            with contextlib.suppress(subprocess.CalledProcessError):
                run("ip", "netns", "delete", space)


def run(*command: str, given: bytes = b"") -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=10, input=given)


@contextlib.asynccontextmanager
async def neighborhood(folder: Path):
    """An empty neighborhood; daemons are started by the test."""
    place = Neighborhood(folder, f"{os.getpid() % 10000}")
    try:
        place.build()
        yield place
    finally:
        await place.close()
