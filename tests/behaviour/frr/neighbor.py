"""FRR's bgpd as the neighbor ``north``: zebra and bgpd in the far namespace, asked by vtysh."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.behaviour.exabgp.neighborhood import PATIENCE, Neighborhood

FRR = Path("/usr/lib/frr")
V4, V6 = "10.3.1.2", "fd00:3:0:1::2"

_BGPD = f"""\
log stdout debugging
debug bgp zebra
debug bgp updates in
debug bgp neighbor-events
router bgp 64603
 bgp router-id 10.3.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 timers bgp 3 9
 neighbor {V4} remote-as 64500
 neighbor {V4} timers connect 1
 neighbor {V6} remote-as 64500
 neighbor {V6} timers connect 1
 !
 address-family ipv4 unicast
  neighbor {V4} activate
 exit-address-family
 !
 address-family ipv6 unicast
  neighbor {V6} activate
 exit-address-family
"""


class Frr:
    """What bgpd knows; every line it logs is a reason to look again."""

    def __init__(self, place: Neighborhood) -> None:
        self._place = place
        self._folder = Path(tempfile.mkdtemp(prefix="ambicast-frr-"))
        self._logged = asyncio.Event()
        self._processes: list[asyncio.subprocess.Process] = []
        self._listening: asyncio.Task | None = None
        self.log: list[str] = []

    async def start(self) -> None:
        self._folder.chmod(0o755)
        shutil.chown(self._folder, "frr", "frr")
        (self._folder / "zebra.conf").write_text("log stdout notifications\n")
        (self._folder / "bgpd.conf").write_text(_BGPD)
        await self._run("zebra", stdout=subprocess.DEVNULL)
        await self._there("zserv.api")
        bgpd = await self._run("bgpd", stdout=subprocess.PIPE)
        await self._there("bgpd.vty")
        loop = asyncio.get_running_loop()
        self._listening = loop.create_task(self._listen(bgpd.stdout), name="bgpd")

    async def _there(self, name: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while not (self._folder / name).exists():  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # FRR says nothing when it is there

    async def _run(self, name: str, **streams: int) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            "ip", "netns", "exec", self._place.far_space, FRR / name,
            "-f", self._folder / f"{name}.conf", "-i", self._folder / f"{name}.pid",
            "-z", self._folder / "zserv.api", "--vty_socket", self._folder,
            "-A", "127.0.0.1", "-P", "0", stderr=subprocess.STDOUT, **streams,
        )  # fmt: skip
        self._processes.append(process)
        return process

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            self.log.append(line.decode(errors="replace"))
            self._logged.set()

    async def ask(self, command: str):
        """The answer in JSON to a ``show ... json``."""
        vtysh = await asyncio.create_subprocess_exec(
            "vtysh", "--vty_socket", self._folder, "-d", "bgpd", "-c", command,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        out, _ = await vtysh.communicate()
        return json.loads(out) if "json" in command else out.decode()

    async def paths(self, family: str) -> dict[str, dict]:
        """Prefix -> the one valid path, as bgpd shows it."""
        shown = await self.ask(f"show bgp {family} unicast json")
        return {prefix: paths[0] for prefix, paths in shown["routes"].items() if paths}

    async def path(self, family: str, prefix: str) -> dict:
        """Everything about the one path of a prefix."""
        return (await self.ask(f"show bgp {family} unicast {prefix} json"))["paths"][0]

    async def prefixes(self) -> set[str]:
        return {*await self.paths("ipv4"), *await self.paths("ipv6")}

    async def until(self, wanted) -> None:
        """Waits for something to be true here; ``wanted`` may await."""
        async with asyncio.timeout(PATIENCE):
            while not await wanted(self):
                self._logged.clear()
                await self._logged.wait()

    async def until_prefixes(self, *wanted: str) -> None:
        async def there(frr: Frr) -> bool:
            return await frr.prefixes() == set(wanted)

        await self.until(there)

    async def close(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
        if self._listening is not None:
            await self._listening
        shutil.rmtree(self._folder)
