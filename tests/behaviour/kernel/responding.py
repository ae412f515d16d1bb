"""A responder's processes in the namespace of one PoP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import yaml


class Responding:
    """Within ``async with`` the guardian runs, and its worker."""

    def __init__(self, world, pop, folder, key):
        self.world, self.pop = world, pop
        self.socket = folder / f"{pop}.sock"
        self._config = folder / f"{pop}.yaml"
        (folder / "key").write_bytes(key)
        settings = {
            "pop": pop,
            "host": f"{pop}-1",
            "watch_key_file": str(folder / "key"),
            "responder": str(self.socket),
            "fleet": "/nonexistent: it is none of the responder's business",
        }
        self._config.write_text(yaml.safe_dump(settings))
        self.process = None

    async def __aenter__(self):
        source, self._sink = os.pipe()
        self._said = asyncio.StreamReader()
        self._hearing, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._said), os.fdopen(source)
        )
        self.start()
        return self

    async def __aexit__(self, *_):
        workers = self.workers()
        self.process.terminate()
        self.process.wait(5)
        for each in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        self._hearing.close()
        os.close(self._sink)

    def start(self, **environment):
        """A guardian; what one that ran before has left behind goes on."""
        if self.process is not None:
            self.process.wait(5)
        argv = (sys.executable, "-m", "agents", "responder", "--config", str(self._config))
        with self.world.inside(self.pop):
            self.process = subprocess.Popen(
                argv, stderr=self._sink, env={**os.environ, **environment}
            )

    def workers(self):
        """The processes that answer."""
        found = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                pid = int(each.parent.name)
                if str(self._config) in each.read_text() and pid != self.process.pid:
                    found.append(pid)
        return found

    def note(self, text):
        """As the bridge does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
            way.sendto(text, str(self.socket))

    async def until_said(self, *words):
        """What it said by the time it had said all the ``words``."""
        said = b""
        async with asyncio.timeout(5):
            while not all(word.encode() in said for word in words):
                said += await self._said.readline()
        return said.decode()
