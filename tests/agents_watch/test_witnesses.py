from agents.watch.outstanding import Outstanding
from agents.watch.witnesses import Witnesses

P = "198.18.4.0/22"
Q = "198.18.8.0/22"


def test_who_answered_in_the_last_second_leads():
    witnesses = Witnesses("ams")
    witnesses.observe(frozenset({P, Q}))
    witnesses.hear(P, "lhr", 10.0)
    witnesses.hear(P, "fra", 10.4)
    assert witnesses.judge(10.9)
    assert witnesses.leading() == {P: ("fra", "lhr"), Q: ()}
    assert witnesses.judge(11.1)
    assert witnesses.leading() == {P: ("fra",), Q: ()}
    assert not witnesses.judge(11.2)


def test_what_is_observed_no_longer_is_forgotten():
    witnesses = Witnesses("ams")
    witnesses.observe(frozenset({P}))
    witnesses.hear(P, "fra", 10.0)
    witnesses.observe(frozenset({Q}))
    witnesses.hear(P, "fra", 10.1)
    witnesses.judge(10.2)
    assert witnesses.leading() == {Q: ()}


def test_observing_the_same_again_forgets_nothing():
    witnesses = Witnesses("ams")
    witnesses.observe(frozenset({P}))
    witnesses.hear(P, "fra", 10.0)
    witnesses.judge(10.1)
    witnesses.observe(frozenset({P}))
    assert not witnesses.judge(10.2)


def test_a_witness_this_host_answers_itself_proves_nothing_and_is_left_alone_for_a_while():
    witnesses = Witnesses("ams")
    witnesses.observe(frozenset({P, Q}))
    witnesses.hear(P, "ams", 10.0)
    witnesses.judge(10.1)
    assert witnesses.leading() == {P: (), Q: ()}
    assert witnesses.to_ask(10.9) == (Q,)
    assert witnesses.to_ask(11.1) == (P, Q)


def test_a_nonce_counts_once():
    outstanding = Outstanding()
    outstanding.add(b"nonce", P, 10.0)
    assert outstanding.take(b"nonce") == (10.0, P)
    assert outstanding.take(b"nonce") is None


def test_a_nonce_nobody_answered_is_forgotten_after_a_second():
    outstanding = Outstanding()
    outstanding.add(b"old", P, 10.0)
    outstanding.add(b"new", Q, 10.5)
    outstanding.forget(11.2)
    assert outstanding.take(b"old") is None
    assert outstanding.take(b"new") == (10.5, Q)
