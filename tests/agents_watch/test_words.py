import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agents.watch import datagrams
from agents.watch.datagrams import Fault, Kind
from agents.watch.shorthand import Shorthand
from agents.watch.words import Word, read_word, say
from ambicast.contract.messages import Sighting
from ambicast.model.identifiers import Family
from ambicast.model.watching import ring, watched
from tests.agents_watch.fleets import fleet_of, with_two_hosts


class WordOfIssueTwo(msgspec.Struct, frozen=True, array_like=True):
    """The word as agents said and read it before: never to be changed."""

    pop: str
    host: str
    instance: str
    fit: tuple[str, ...] = ()
    seen: dict[str, dict[str, int]] = {}
    whole: bool = True


UP = {"north": 15, "south": 15}
FULL = Word(
    *("ams", "ams-1", "run", ("www",), {"fra": UP}, True),
    offers=("198.19.254.0/23",),
    keeps=("2001:db8:a::/47",),
    beside={"lhr-1": UP},
    voice=False,
    switched=True,
    serial=7,
)


def test_an_agent_of_before_reads_our_words():
    read = msgspec.msgpack.decode(say(FULL), type=WordOfIssueTwo)
    assert read == WordOfIssueTwo("ams", "ams-1", "run", ("www",), {"fra": UP}, whole=True)


def test_we_read_the_words_of_an_agent_of_before():
    old = WordOfIssueTwo("ams", "ams-1", "run", ("www",), {"fra": UP}, whole=True)
    read = read_word(msgspec.msgpack.encode(old))
    assert read == Word("ams", "ams-1", "run", ("www",), {"fra": UP})
    assert (read.voice, read.switched, read.serial) == (True, False, 0)


def test_a_word_of_some_day_with_more_in_it_is_read_too():
    later = [*msgspec.msgpack.decode(say(FULL)), "more", {"of": "it"}]
    assert read_word(msgspec.msgpack.encode(later)) == FULL


@given(st.binary(max_size=200))
def test_a_body_that_is_no_word_never_raises(garbage):
    assert isinstance(read_word(garbage), Word | Fault)


def _seen(pops, *, up):
    return {f"pop-{n}": {"north": 15 if up else 2, "south": 15} for n in range(pops)}


def test_a_word_that_fits_is_whole():
    word = Word("ams", "ams-1", "run", ("www",), _seen(8, up=True))
    assert read_word(say(word)) == word


def test_eight_pops_of_two_hosts_on_two_uplinks_fit_with_long_names_and_all_of_them_in_trouble():
    hosts = {f"edge-{n}-{h}.example": {"provider-a": 14, "provider-b": 7}
             for n in range(8) for h in range(2)}  # fmt: skip
    anycast = tuple(f"2001:db8:{n:x}::/47" for n in range(6))
    word = Word("edge-9", "edge-9-1.example", "0123456789ab", ("www", "dns"), beside=hosts)
    word = msgspec.structs.replace(word, offers=anycast, keeps=anycast, serial=2**40)
    assert read_word(say(word)) == word
    assert word.whole


def test_a_word_that_does_not_fit_keeps_the_pops_in_trouble():
    seen = _seen(200, up=True) | {"pop-7": {"north": 2}}
    read = read_word(say(Word("ams", "ams-1", "run", ("www",), seen)))
    assert read == Word("ams", "ams-1", "run", ("www",), {"pop-7": {"north": 2}}, whole=False)


def test_a_word_that_does_not_fit_keeps_the_hosts_in_trouble():
    beside = _seen(200, up=True) | {"pop-7": {"north": 2}}
    read = read_word(say(Word("ams", "ams-1", "run", ("www",), beside=beside)))
    assert read.beside == {"pop-7": {"north": 2}}
    assert not read.whole


COUNTS = st.integers(0, 300)


@given(pops=COUNTS, hosts=COUNTS, services=COUNTS, prefixes=COUNTS, up=st.booleans())
def test_every_reply_fits_into_a_datagram(pops, hosts, services, prefixes, up):
    shared = tuple(f"198.19.{n}.0/24" for n in range(prefixes))
    fit = tuple(f"service-{n}" for n in range(services))
    seen, beside = _seen(pops, up=up), _seen(hosts, up=up)
    word = Word(
        "ams", "ams-1", "run", fit, seen, offers=shared, keeps=shared, beside=beside, voice=False
    )
    body = say(word)
    sealed = datagrams.seal(Kind.REPLY, b"8 bytes!", body, b"k" * 32)
    assert len(sealed) <= datagrams.LARGEST
    read = read_word(body)
    assert (read.pop, read.voice) == ("ams", False)


FLEET = with_two_hosts(fleet_of(), "lhr")
HOSTS = st.sampled_from([("ams", "ams-1"), ("fra", "fra-1"), ("lhr", "lhr-1"), ("lhr", "lhr-2")])
PATHS = st.tuples(HOSTS, st.sampled_from(["north", "south"]), st.sampled_from(list(Family)))


def _sightings(judged):
    return [
        Sighting(pop=pop, host=host, uplink=uplink, family=family, up=up)
        for ((pop, host), uplink, family), up in judged.items()
    ]


@given(st.dictionaries(PATHS, st.booleans()))
def test_sightings_survive_their_short_form(judged):
    short = Shorthand(FLEET, "ams").write(_sightings(judged))
    word = Word("ams", "ams-1", "run", seen=short.seen, beside=short.beside)
    back = Shorthand(FLEET, "ams").read(word)
    assert {((s.pop, s.host), s.uplink, s.family): s.up for s in back} == judged


def test_pops_with_one_host_look_to_agents_of_before_as_they_always_did():
    fra = Sighting(pop="fra", host="fra-1", uplink="north", family=Family.V4, up=True)
    assert Shorthand(FLEET, "ams").write([fra]) == ({"fra": {"north": 3}}, {})


def test_a_host_this_fleet_file_does_not_have_is_skipped_and_an_unnamed_one_of_several_unnamed():
    word = Word("ams", "ams-1", "run", seen={"lhr": {"north": 1 + 2}}, beside={"syd-1": UP})
    (read,) = Shorthand(FLEET, "ams").read(word)
    assert (read.pop, read.host, read.up) == ("lhr", "", True)


def test_a_word_that_does_not_fit_keeps_the_keepers_roles_longest():
    fit = tuple(f"service-{n}" for n in range(300))
    word = Word("ams", "ams-1", "run", fit, {"fra": UP}, keeps=("198.19.254.0/23",))
    read = read_word(say(word))
    assert (read.fit, read.keeps, read.seen) == ((), ("198.19.254.0/23",), {})


def test_nothing_is_said_of_pops_that_are_watched_for_oneself_alone():
    fleet = fleet_of([f"p{n}" for n in range(40)])
    seen = [
        Sighting(pop=name, host=f"{name}-1", uplink="north", family=Family.V4, up=True)
        for name in watched(fleet, "p3")
    ]
    assert (
        set(Shorthand(fleet, "p3").write(seen).seen)
        == set(ring(fleet, "p3"))
        < {each.pop for each in seen}
    )
