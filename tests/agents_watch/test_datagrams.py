from hypothesis import given
from hypothesis import strategies as st

from agents.watch import datagrams
from agents.watch.datagrams import Fault, Kind, Sealed

KEY = b"k" * 32
NONCE = b"8 bytes!"


@given(body=st.binary(max_size=1000), kind=st.sampled_from(Kind))
def test_what_was_sealed_is_read_back(body, kind):
    assert datagrams.unseal(datagrams.seal(kind, NONCE, body, KEY), KEY) == Sealed(
        kind, NONCE, body
    )


@given(body=st.binary(max_size=60), at=st.integers(0, 200), bit=st.integers(0, 7))
def test_no_bit_can_be_changed(body, at, bit):
    sealed = bytearray(datagrams.seal(Kind.REPLY, NONCE, body, KEY))
    sealed[at % len(sealed)] ^= 1 << bit
    assert isinstance(datagrams.unseal(bytes(sealed), KEY), Fault)


def test_another_key_proves_nothing():
    assert datagrams.unseal(datagrams.seal(Kind.REPLY, NONCE, b"", b"x" * 32), KEY) is Fault.FORGED


def test_the_kind_stands_under_the_tag_so_a_probe_sent_back_is_no_reply():
    sealed = bytearray(datagrams.seal(Kind.PROBE, NONCE, b"", KEY))
    sealed[3] = Kind.REPLY
    assert datagrams.unseal(bytes(sealed), KEY) is Fault.FORGED


def test_another_version_is_told_from_garbage():
    sealed = bytearray(datagrams.seal(Kind.PROBE, NONCE, b"", KEY))
    sealed[2] = 2
    assert datagrams.unseal(bytes(sealed), KEY) is Fault.VERSION


@given(st.binary(max_size=1500))
def test_garbage_is_malformed_and_never_raises(garbage):
    assert isinstance(datagrams.unseal(garbage, KEY), Fault)


def test_what_is_longer_than_a_datagram_may_be_is_malformed():
    sealed = datagrams.seal(Kind.PROBE, NONCE, bytes(datagrams.LARGEST), KEY)
    assert datagrams.unseal(sealed, KEY) is Fault.MALFORMED
