from msgspec.structs import replace

from agents.watch.hearsay import Hearsay
from agents.watch.shorthand import Shorthand
from agents.watch.words import Word, say
from tests.agents_watch.fleets import fleet_of

WORD = Word("fra", "fra-1", "run", ("www",), {"lhr": {"north": 15}}, serial=100)


class Heard:
    """A hearsay that reads what comes over the wire."""

    def __init__(self):
        self.hearsay = Hearsay(Shorthand(fleet_of(), "ams"))

    def __call__(self, word, now, host="fra-1"):
        self.hearsay.hear("fra", host, self.hearsay.understand(say(word)), now)
        return self.hearsay.judge()

    @property
    def told(self):
        return self.hearsay.told()["fra-1"]


def test_a_word_is_told_with_the_instant_of_the_last_reply():
    heard = Heard()
    assert heard(WORD, 10.0)
    assert not heard(WORD, 10.5)
    assert (heard.told.fit, heard.told.heard) == ({"www"}, 10.5)
    assert {(s.pop, s.host, s.up) for s in heard.told.seen} == {("lhr", "lhr-1", True)}


def test_every_new_meaning_is_news():
    heard = Heard()
    heard(WORD, 10.0)
    changes = (
        {"fit": ()},
        {"offers": ("198.19.254.0/23",)},
        {"keeps": ("198.19.254.0/23",)},
        {"seen": {"lhr": {"north": 14}}},
        {"voice": False},
        {"switched": True},
        {"instance": "another"},
    )
    for serial, change in enumerate(changes, start=101):
        assert heard(replace(WORD, serial=serial, **change), 10.0 + serial / 1000), change


def test_a_new_serial_alone_is_no_news():
    heard = Heard()
    heard(WORD, 10.0)
    assert not heard(replace(WORD, serial=101), 10.1)
    assert heard.told.heard == 10.1


def test_a_reply_that_was_overtaken_changes_nothing():
    heard = Heard()
    heard(replace(WORD, serial=101, fit=()), 10.0)
    assert not heard(WORD, 10.03)
    assert heard.told.fit == frozenset()


def test_a_host_that_counts_from_below_is_believed_when_its_last_word_is_old():
    heard = Heard()
    heard(WORD, 10.0)
    assert not heard(replace(WORD, serial=0, fit=()), 10.5)
    assert heard(replace(WORD, serial=0, fit=()), 11.1)
    assert heard.told.fit == frozenset()


def test_a_longer_round_trip_counts_at_once_and_shorter_ones_slowly():
    heard = Heard()
    hearsay, word = heard.hearsay, heard.hearsay.understand(say(WORD))
    for rtt in (0.02, 0.3):
        hearsay.hear("fra", "fra-1", word, 1.0, rtt)
        assert hearsay.told()["fra-1"].rtt == rtt
    hearsay.hear("fra", "fra-1", word, 1.0, 0.02)
    assert 0.28 <= hearsay.told()["fra-1"].rtt < 0.3
    for _ in range(200):
        hearsay.hear("fra", "fra-1", word, 1.0, 0.02)
    assert hearsay.told()["fra-1"].rtt == 0.02
