from hypothesis import given
from hypothesis import strategies as st

from agents.watch import datagrams
from agents.watch.datagrams import Fault, Kind, Sealed, Word
from ambicast.contract.messages import Sighting
from ambicast.model.identifiers import Family

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


@given(st.binary(max_size=200))
def test_a_body_that_is_no_word_never_raises(garbage):
    assert isinstance(datagrams.read_word(garbage), Word | Fault)


def _seen(pops, *, up):
    return {f"pop-{n}": {"north": 15 if up else 2, "south": 15} for n in range(pops)}


def test_a_word_that_fits_is_whole():
    word = Word("ams", "ams-1", "run", ("www",), _seen(8, up=True))
    assert datagrams.read_word(datagrams.say(word)) == word


def test_a_word_that_does_not_fit_keeps_the_pops_in_trouble():
    seen = _seen(200, up=True) | {"pop-7": {"north": 2}}
    read = datagrams.read_word(datagrams.say(Word("ams", "ams-1", "run", ("www",), seen)))
    assert read == Word("ams", "ams-1", "run", ("www",), {"pop-7": {"north": 2}}, whole=False)


@given(pops=st.integers(0, 500), services=st.integers(0, 300), up=st.booleans())
def test_every_reply_fits_into_a_datagram(pops, services, up):
    fit = tuple(f"service-{n}" for n in range(services))
    body = datagrams.say(Word("ams", "ams-1", "run", fit, _seen(pops, up=up)))
    sealed = datagrams.seal(Kind.REPLY, NONCE, body, KEY)
    assert len(sealed) <= datagrams.LARGEST
    assert datagrams.read_word(body).pop == "ams"


NAMES = st.sampled_from(["ams", "fra", "lhr"])
PATHS = st.tuples(NAMES, st.sampled_from(["north", "south"]), st.sampled_from(list(Family)))


@given(st.dictionaries(PATHS, st.booleans()))
def test_sightings_survive_their_short_form(judged):
    sightings = [
        Sighting(pop=pop, uplink=uplink, family=family, up=up)
        for (pop, uplink, family), up in judged.items()
    ]
    back = datagrams.from_bits(datagrams.in_bits(sightings))
    assert {(each.pop, each.uplink, each.family): each.up for each in back} == judged
