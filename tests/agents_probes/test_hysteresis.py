import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.probes.hysteresis import Failed, Passed, Standing, Verdict, due, fold, verdict
from ambicast.model.services import Check, CheckKind

CHECK = Check(CheckKind.TCP, 80, rise=2, fall=3)
FIT = Standing(fit=True)
UNFIT = Standing(fit=False, detail="refused")


def after(standing, outcomes, check=CHECK):
    """`+` passes, `-` fails."""
    for each in outcomes:
        standing = fold(standing, Passed() if each == "+" else Failed("refused"), check)
    return standing


@pytest.mark.parametrize(
    ("start", "outcomes", "fit"),
    [
        (Standing(), "", None),
        (Standing(), "+", None),
        (Standing(), "++", True),
        (Standing(), "--", None),
        (Standing(), "---", False),
        (Standing(), "+-+-+-", None),
        (FIT, "--", True),
        (FIT, "---", False),
        (FIT, "--+--", True),
        (FIT, "--+---", False),
        (UNFIT, "+", False),
        (UNFIT, "++", True),
        (UNFIT, "+-+", False),
    ],
)
def test_a_verdict_turns_after_rise_or_fall_in_a_row(start, outcomes, fit):
    assert after(start, outcomes).fit is fit


def test_the_reason_is_that_of_the_failure_that_counted_and_goes_when_fit():
    standing = fold(after(FIT, "--"), Failed("http 503"), CHECK)
    assert standing.detail == "http 503"
    assert after(standing, "++").detail == ""
    assert fold(standing, Failed("timeout"), CHECK).detail == "timeout"


@given(st.text("+-"), st.integers(1, 5), st.integers(1, 5))
def test_only_enough_in_a_row_at_the_very_end_ever_turn_it(outcomes, rise, fall):
    check = Check(CheckKind.TCP, 80, rise=rise, fall=fall)
    for end in range(len(outcomes)):
        before, now = after(FIT, outcomes[:end], check), after(FIT, outcomes[: end + 1], check)
        if before.fit != now.fit:
            needed = "+" * rise if now.fit else "-" * fall
            assert outcomes[: end + 1].endswith(needed)


def test_in_doubt_the_next_check_comes_fast_and_else_after_the_interval():
    assert due(FIT, 10.0, 0, CHECK) == 10.0 + CHECK.interval
    assert due(after(FIT, "-"), 10.0, 0, CHECK) == 10.0 + CHECK.fast_interval
    assert due(Standing(), 10.0, 0, CHECK) == 10.0 + CHECK.fast_interval


def test_an_unanswered_check_is_a_doubt_but_not_more_of_them_than_a_verdict_needs():
    assert due(FIT, 10.0, 1, CHECK) == 10.0 + CHECK.fast_interval
    assert due(FIT, 10.0, 3, CHECK) is None


def test_a_service_is_unfit_with_one_check_and_fit_with_all():
    assert verdict([FIT, Standing()]) is None
    assert verdict([FIT, FIT]) == Verdict(fit=True)
    assert verdict([Standing(), UNFIT]) == Verdict(fit=False, detail="refused")
    assert verdict([UNFIT, UNFIT, Standing(fit=False, detail="timeout")]) == Verdict(
        fit=False, detail="refused, timeout"
    )


def test_a_service_without_checks_is_fit():
    assert verdict([]) == Verdict(fit=True)
