"""Rules that hold for every test: no stray event loop, no Internet, cheap tests first.

Time: mark a test ``@pytest.mark.looptime`` and its ``asyncio.sleep`` takes no time at all. The
mark is not given to everybody, because real sockets answer in real time.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from pathlib import Path

import hypothesis
import pytest

HERE = Path(__file__).parent
WITH_SOCKETS = ("behaviour", "integration", "lab")  # they run in this order, after the rest

hypothesis.settings.register_profile(
    "ci", derandomize=True, max_examples=100, deadline=None, database=None
)
hypothesis.settings.register_profile("hunt", max_examples=20_000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser):
    parser.addoption(
        "--no-skips", action="store_true", help="a test that is skipped has failed (./dev test)"
    )


def pytest_configure():
    # pytest-asyncio would else leave an unclosed loop behind, and a later test trips over it.
    asyncio.set_event_loop(None)


def pytest_collection_modifyitems(items):
    """Tests in tests/lab are marked ``lab``, and so on; the dear ones run last."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        if folder in WITH_SOCKETS:
            item.add_marker(folder)
        if item.get_closest_marker("lab") and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root: ./dev test"))
    items.sort(key=_stage)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Where everything was installed first, nothing has a reason to be skipped."""
    report = yield
    excused = item.get_closest_marker("depends_on_the_system")
    if report.skipped and item.config.getoption("--no-skips") and not excused:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"
    return report


def _stage(item):
    return max(i + 1 if item.get_closest_marker(m) else 0 for i, m in enumerate(WITH_SOCKETS))


@pytest.fixture(autouse=True)
def _no_network(request, monkeypatch):
    """Only marked tests open sockets, and nobody reaches an address of the Internet.

    Addresses for private use, benchmarks and documentation may stand in a namespace that the test
    made itself; anything globally routable, and any name but localhost, is refused.
    """
    marked = any(request.node.get_closest_marker(mark) for mark in WITH_SOCKETS)
    for name in ("bind", "connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, _guarded(name, marked=marked))
    monkeypatch.setattr(socket, "getaddrinfo", _guarded_lookup())


def _guarded(name, *, marked):
    real = getattr(socket.socket, name)

    def guarded(self, *args):
        if not marked:
            pytest.fail(f"socket.{name}{args[-1:]} in a test that is not marked {WITH_SOCKETS}")
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            _refuse_internet(args[-1][0])
        return real(self, *args)

    return guarded


def _guarded_lookup():
    real = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        if host:
            _refuse_internet(host)
        return real(host, *args, **kwargs)

    return getaddrinfo


def _refuse_internet(host):
    host = host.decode() if isinstance(host, bytes) else host
    if host in {"", "localhost"}:
        return
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pytest.fail(f"a test asked for the name {host!r}")
    if address.is_global:
        pytest.fail(f"a test reached out to {address}")
