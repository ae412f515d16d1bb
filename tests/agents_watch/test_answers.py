from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.watch.answers import PATIENCE, Answers
from agents.watch.datagrams import Fault
from agents.watch.words import Word, read_word, say

UP = {"north": 15}
WORD = Word(
    *("ams", "ams-1", "run", ("www",), {"fra": UP}),
    offers=("198.19.254.0/23",),
    keeps=("2001:db8:a::/47",),
    beside={"lhr-2": UP},
)


def answered(answers, now):
    return read_word(answers.body(now))


def told(now=100.0):
    answers = Answers("ams", "ams-1")
    assert answers.hear(say(WORD), now) is None
    return answers


def test_before_the_agent_was_heard_it_says_who_it_is_and_no_more():
    word = answered(Answers("ams", "ams-1"), 100.0)
    assert replace(word, serial=0) == Word("ams", "ams-1", "", voice=False)


def test_it_says_what_the_agent_said_last():
    answers = told()
    assert replace(answered(answers, 101.0), serial=0) == WORD
    answers.hear(say(replace(WORD, fit=())), 101.5)
    assert answered(answers, 101.5).fit == ()


def test_a_silent_agent_has_no_voice_and_sees_nothing_any_more_but_stays_as_fit_as_it_was():
    answers = told()
    assert answered(answers, 100.0 + PATIENCE - 0.01).voice
    word = answered(answers, 100.0 + PATIENCE + 0.01)
    assert not word.voice
    assert (word.fit, word.offers, word.keeps) == (WORD.fit, WORD.offers, WORD.keeps)
    assert (word.seen, word.beside) == ({}, {})
    answers.hear(say(WORD), 110.0)
    assert replace(answered(answers, 110.0), serial=0) == WORD


def test_when_the_bridge_has_switched_nothing_is_fit_or_kept():
    answers = told()
    answers.hear(b"switched", 130.0)
    word = answered(answers, 130.0)
    assert (word.voice, word.switched) == (False, True)
    assert (word.fit, word.offers, word.keeps) == ((), (), ())
    answers.hear(b"unswitched\n", 140.0)
    word = answered(answers, 140.0)
    assert (word.voice, word.switched, word.fit) == (False, False, WORD.fit)


def test_an_agent_that_speaks_knows_better_than_the_switch():
    answers = told()
    answers.hear(b"switched", 130.0)
    answers.hear(say(WORD), 131.0)
    assert not answered(answers, 131.0).switched
    later = answered(answers, 131.0 + PATIENCE + 1)
    assert (later.voice, later.switched) == (False, False)


def test_serials_rise_with_every_new_word_and_only_then_and_over_restarts():
    answers = told(100.0)
    first = answered(answers, 100.0).serial
    answers.hear(say(WORD), 101.0)
    assert answered(answers, 101.0).serial == first
    for now in (101.0, 101.0, 101.0):
        answers.hear(say(replace(WORD, instance=f"after {first}")), now)
        assert answered(answers, now).serial > first
        first = answered(answers, now).serial
    assert answered(Answers("ams", "ams-1"), 102.0).serial > first


def test_what_is_no_word_and_no_note_changes_nothing():
    answers = told()
    before = answers.body(100.0)
    for said in (b"", b"switch", b"\xc1", b"{}", say(WORD)[:-1]):
        assert answers.hear(said, 100.0) is Fault.MALFORMED
    assert answers.body(100.0) == before


@given(st.lists(st.binary(max_size=100)))
def test_garbage_never_raises(garbage):
    answers = told()
    for said in garbage:
        answers.hear(said, 100.5)
    assert isinstance(answered(answers, 100.5), Word)
