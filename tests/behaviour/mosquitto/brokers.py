"""A Mosquitto of our own, on a free loopback port; it may be killed and started again."""

from __future__ import annotations

import shutil
import socket
import subprocess

import aiomqtt
import pytest

SETTINGS = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
user root
log_dest stderr
log_type information
connection_messages false
"""


class Mosquitto:
    def __init__(self, folder, more=""):
        self._binary = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        if self._binary is None:
            pytest.skip("mosquitto is not installed")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._settings = folder / "mosquitto.conf"
        self._settings.write_text(SETTINGS.format(port=self.port) + more)
        self._process = None

    def start(self):
        """Returns when it listens."""
        command = [self._binary, "-c", self._settings]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self._process.stderr:
            if "running" in line:
                return
        pytest.fail("mosquitto did not start")

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def client(self, **settings):
        protocol = aiomqtt.ProtocolVersion.V5
        return aiomqtt.Client("127.0.0.1", self.port, protocol=protocol, **settings)
