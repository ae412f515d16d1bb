"""A check without the agent, against real listeners on this host."""

import contextlib
import socket
import threading
import time

import pytest

from agents.bgp.localcheck import STAGGER, passes


@contextlib.contextmanager
def listener(answer=b"HTTP/1.1 200 OK\r\n\r\n", family=socket.AF_INET, fail_first=0):
    """Answers every connection with ``answer`` (none: accepts and says nothing)."""
    server = socket.socket(family)
    server.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    server.listen()
    kept, heard = [], []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                kept.append(client)
                if answer is None:
                    continue
                heard.append(client.recv(4096))
                if len(heard) > fail_first:
                    client.sendall(answer)
                client.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1], heard
    # The thread may be in the middle of a connection: it is woken, and waited for.
    for each in (server, *kept):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    for each in (server, *kept):
        each.close()


def http(port, address="127.0.0.1", **fields):
    return {"kind": "http", "address": address, "port": port, "timeout": 0.25, **fields}


def test_http_asks_as_the_agent_does():
    with listener() as (port, heard):
        assert passes(http(port, path="/healthz", name="www.cdn.example"))
        assert heard[0].startswith(b"GET /healthz HTTP/1.1\r\nHost: www.cdn.example\r\n")


@pytest.mark.parametrize(
    ("status", "outcome"), [(b"200", True), (b"302", True), (b"404", False), (b"503", False)]
)
def test_the_status_counts(status, outcome):
    with listener(b"HTTP/1.1 " + status + b" \r\n\r\n") as (port, _):
        assert passes(http(port)) is outcome


def test_who_does_not_speak_http_fails():
    with listener(b"220 mail\r\n") as (port, _):
        assert not passes(http(port))


def test_one_success_of_three_is_enough():
    with listener(fail_first=2) as (port, heard):
        assert passes(http(port))
        assert len(heard) == 3


def test_a_service_that_accepts_and_says_nothing_fails_within_half_a_second():
    with listener(None) as (port, _):
        began = time.monotonic()
        assert not passes(http(port))
        assert time.monotonic() - began < 0.25 + 2 * STAGGER + 0.3
        assert passes(http(port, kind="tcp"))


def test_nobody_listening_fails():
    with listener() as (port, _):
        pass
    assert not passes(http(port))
    assert not passes(http(port, kind="tcp"))


def test_an_address_that_is_not_here_is_never_asked_elsewhere():
    with listener() as (port, heard):
        assert passes(http(port, address="198.18.0.10"))
        assert heard
    assert not passes(http(port, address="198.18.0.10"))


def test_over_ipv6_too():
    with listener(family=socket.AF_INET6) as (port, _):
        assert passes(http(port, address="::1"))
        assert passes(http(port, address="2001:db8:a::1"))


@pytest.mark.parametrize("check", [{}, {"kind": "tcp", "address": "::1", "port": "x"}], ids=str)
def test_a_check_that_is_not_understood_is_no_reason_to_withdraw(check):
    assert passes(check)
