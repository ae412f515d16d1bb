"""Service checks against real servers, at addresses that are local and at some that are not."""

import asyncio
import contextlib
import errno
import socket
import ssl

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from agents.probes.asking import ask
from agents.probes.hysteresis import Failed, Passed
from ambicast.model.identifiers import Family
from ambicast.model.services import Anycast, Check, CheckKind, Service
from tests.behaviour.kernel.world import run

ADDRESSES = {Family.V4: "198.19.254.1", Family.V6: "2001:db8:a::1"}
SERVICE = Service("www", ("www.cdn.example",), Anycast(ADDRESSES, ()), 10, ())
ONLY_V6 = Service("www", (), Anycast({Family.V6: ADDRESSES[Family.V6]}, ()), 10, ())
TLS = ssl.create_default_context()


@pytest.fixture
def ams(world):
    """In ams, whose default routes lead to the router; it terminates no service address yet."""
    world.steer_by_source()
    with world.inside("ams"):
        yield world


def terminate():
    run("ip", "addr", "add", f"{ADDRESSES[Family.V4]}/32", "dev", "lo")
    run("ip", "addr", "add", f"{ADDRESSES[Family.V6]}/128", "dev", "lo", "nodad")


class Web(asyncio.Protocol):
    """Answers each request with these bytes, or hangs; ``asked`` are the addresses asked at."""

    def __init__(self, answer, asked, transports):
        self.answer, self.asked, self.transports = answer, asked, transports

    def connection_made(self, transport):
        self.transport = transport
        self.transports.append(transport)

    def data_received(self, data):
        if data.endswith(b"\r\n\r\n"):
            self.asked.append(self.transport.get_extra_info("sockname")[0])
            self.transport.write(self.answer)


@contextlib.asynccontextmanager
async def answering(answer, host="0.0.0.0", port=8080, tls=None):
    asked, transports = [], []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Web(answer, asked, transports), host, port, ssl=tls)
    async with server:
        try:
            yield asked
        finally:
            await asyncio.sleep(0)
            for transport in transports:
                transport.abort()
            await asyncio.sleep(0)


def http(kind=CheckKind.HTTP, timeout=2.0, **other):
    # A machine that is busy with something else is not what these tests are about.
    return Check(kind, 8080, path="/healthz", timeout=timeout, **other)


async def test_where_the_address_is_terminated_the_service_is_asked_there(ams):
    terminate()
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n") as asked:
        assert await ask(SERVICE, http(), TLS) == Passed()
        assert asked == ["198.19.254.1"]


async def test_where_it_is_not_the_service_is_asked_at_the_loopback_address(ams):
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n") as asked:
        assert await ask(SERVICE, http(), TLS) == Passed()
        assert asked == ["127.0.0.1"]


@pytest.mark.parametrize("service", [SERVICE, ONLY_V6])
async def test_another_host_that_terminates_the_address_never_answers_for_this_one(ams, service):
    ams.lead("198.19.254.0/23", "fra")
    ams.lead("2001:db8:a::/47", "fra")
    with ams.inside("fra"):
        terminate()
        other = socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True)
    with other:
        assert await ask(service, Check(CheckKind.TCP, 8080), TLS) == Failed("refused")


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_from_the_loopback_address_the_kernel_reaches_only_local_ones(ams, kind):
    with socket.socket(socket.AF_INET, kind) as opened:
        opened.setblocking(False)
        opened.bind(("127.0.0.1", 0))
        assert opened.connect_ex((ADDRESSES[Family.V4], 80)) == errno.EINVAL


async def test_a_service_of_ipv6_alone_is_asked_there(ams):
    terminate()
    async with answering(b"HTTP/1.1 204 No Content\r\n\r\n", host="::") as asked:
        assert await ask(ONLY_V6, http(), TLS) == Passed()
        assert asked == ["2001:db8:a::1"]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 302 Found\r\n\r\n", Passed()),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", Failed("http 503")),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", Failed("http 404")),
        (b"SSH-2.0-OpenSSH\r\n", Failed("not http")),
        (b"x" * 10000, Failed("not understood")),
        (b"", Failed("timeout")),
    ],
)
async def test_what_http_answers_is_said_in_few_words(ams, answer, outcome):
    async with answering(answer):
        assert await ask(SERVICE, http(), TLS) == outcome


async def test_nobody_listens(ams):
    assert await ask(SERVICE, http(), TLS) == Failed("refused")
    assert await ask(SERVICE, Check(CheckKind.DNS, 53), TLS) == Failed("refused")


async def test_a_listener_that_says_nothing_is_enough_for_tcp(ams):
    async with answering(b""):
        assert await ask(SERVICE, Check(CheckKind.TCP, 8080), TLS) == Passed()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for www.cdn.example and the context that trusts it."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "30", "-subj", "/CN=www.cdn.example", "-keyout", str(key)),
        *("-addext", "subjectAltName=DNS:www.cdn.example", "-out", str(certificate)),
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


async def test_https_proves_who_answers(ams, certificate):
    server, trusting = certificate
    check = http(CheckKind.HTTPS, timeout=2.0)
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n", tls=server):
        assert await ask(SERVICE, check, trusting) == Passed()
        assert await ask(SERVICE, check, TLS) == Failed("certificate")
        named = http(CheckKind.HTTPS, timeout=2.0, name="other.example")
        assert await ask(SERVICE, named, trusting) == Failed("certificate")


async def test_https_of_a_plain_server_fails(ams):
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n"):
        outcome = await ask(SERVICE, http(CheckKind.HTTPS), TLS)
        assert isinstance(outcome, Failed)


class Nameserver(asyncio.DatagramProtocol):
    def __init__(self, rcode=dns.rcode.NOERROR, record="192.0.2.1"):
        self.rcode, self.record = rcode, record

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        if self.record == "garbage":
            self.transport.sendto(b"garbage", addr)
            return
        query = dns.message.from_wire(data)
        other = dns.message.make_response(dns.message.make_query("other.example", "A"))
        self.transport.sendto(other.to_wire(), addr)  # e.g. one that came too late for another
        answer = dns.message.make_response(query)
        answer.set_rcode(self.rcode)
        if self.record:
            name = query.question[0].name
            answer.answer.append(dns.rrset.from_text(name, 1, "IN", "A", self.record))
        self.transport.sendto(answer.to_wire(), addr)


@pytest.mark.parametrize(
    ("nameserver", "outcome"),
    [
        (Nameserver(), Passed()),
        (Nameserver(dns.rcode.SERVFAIL, None), Failed("dns servfail")),
        (Nameserver(dns.rcode.NXDOMAIN, None), Failed("dns nxdomain")),
        (Nameserver(record=None), Failed("dns empty")),
        (Nameserver(record="garbage"), Failed("not dns")),
    ],
)
async def test_a_nameserver_must_answer_with_a_record(ams, nameserver, outcome):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: nameserver, local_addr=("127.0.0.1", 5353)
    )
    try:
        assert await ask(SERVICE, Check(CheckKind.DNS, 5353), TLS) == outcome
    finally:
        transport.close()
