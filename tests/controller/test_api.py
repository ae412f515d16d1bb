"""Every path of the API, in process."""

from __future__ import annotations

import pytest

from ambicast.contract.messages import Brake, BrakeKind, Report, Said
from ambicast.model.identifiers import Family
from controller.world.observations import DrainAsked, HostReported, UndrainAsked

HALF = "198.18.0.0/23"


def test_status_is_the_fleet_on_one_screen(api):
    body = api.get("/api/v1/status").json()
    assert (body["fleet"], body["epoch"], body["connected"]) == ("test", 1, True)
    assert (body["deciding"], body["settled"]) == (True, True)
    assert [row["name"] for row in body["pops"]] == ["ams", "fra", "lhr"]
    assert all(each["agrees"] for each in body["nameservers"])


def test_pops_have_condition_phase_and_sessions(api):
    rows = api.get("/api/v1/pops").json()
    assert {(row["condition"], row["phase"]) for row in rows} == {("serving", "home")}
    assert {(row["sessions_up"], row["sessions"]) for row in rows} == {(4, 4)}


def test_a_pop_in_full_says_who_would_take_over(api):
    body = api.get("/api/v1/pops/ams").json()
    assert body["failover"]["advertisers"] == ["fra", "lhr"]
    answers = body["failover"]["answers"]
    assert set(answers) == {"c1", "c2", "c3"}
    assert "ams" not in answers.values()
    (host,) = body["hosts"]
    assert "198.18.0.0/22" in host["wire"]
    assert "198.18.0.10" in host["terminated"]
    assert body["plan"] is None


def test_services_show_both_layers(api):
    (body,) = api.get("/api/v1/services").json()
    assert body == api.get("/api/v1/services/www").json()
    assert body["answers"]["c1"] == ["198.18.0.10", "2001:db8:1000::a"]
    assert "198.19.254.0/23" in body["pops"]["fra"]


def test_a_takeover_shows_in_plan_events_and_status(api, troupe):
    assert api.get("/api/v1/plan").json() == []
    troupe.stage.silent.add("ams")
    troupe.settle(turns=5)
    (plan,) = api.get("/api/v1/plan").json()
    assert (plan["pop"], plan["kind"], plan["settled"]) == ("ams", "takeover", True)
    assert [step["state"] for step in plan["steps"]] == ["settled", "settled"]
    assert HALF in plan["steps"][0]["text"]
    events = api.get("/api/v1/events").json()
    assert [e["text"] for e in events if e["kind"] == "pop.lost"] == [
        "home -> taken-over: not seen by fra, lhr"
    ]
    last = events[-1]
    assert api.get("/api/v1/events", params={"since": last["at"]}).json() == []
    assert api.get("/api/v1/events", params={"most": 1}).json() == [last]
    assert api.get("/api/v1/status").json()["settled"] is False


@pytest.mark.parametrize(
    ("path", "known"),
    [("pops/nowhere", "ams, fra, lhr"), ("services/nowhere", "www")],
)
def test_an_unknown_name_is_404_with_what_is_known(api, path, known):
    answer = api.get(f"/api/v1/{path}")
    assert answer.status_code == 404
    assert answer.json()["extra"]["allowed"] == known


def test_a_drain_is_accepted_and_told_to_the_loop(api, troupe):
    answer = api.post("/api/v1/pops/ams/drain", json={"reason": " new disks "})
    assert (answer.status_code, answer.json()) == (202, {"pop": "ams", "asked": "drain"})
    assert troupe.mailbox.get_nowait() == DrainAsked("ams", "new disks")


def test_an_undrain_is_accepted_and_told_to_the_loop(api, troupe):
    answer = api.post("/api/v1/pops/ams/undrain", json={"reason": "done"})
    assert (answer.status_code, answer.json()) == (202, {"pop": "ams", "asked": "undrain"})
    assert troupe.mailbox.get_nowait() == UndrainAsked("ams", "done")


def test_a_second_drain_is_refused_with_guard_numbers_and_limit(api, troupe):
    api.post("/api/v1/pops/ams/drain", json={"reason": "disks"})
    troupe.drain_mailbox()
    answer = api.post("/api/v1/pops/fra/drain", json={"reason": "me too"})
    assert answer.status_code == 409
    body = answer.json()
    assert body["guard"] == "one PoP at a time"
    assert "ams" in body["found"]
    assert body["limit"]
    assert troupe.mailbox.empty()


@pytest.mark.parametrize("verb", ["drain", "undrain"])
@pytest.mark.parametrize(
    ("body", "code"),
    [({}, 400), ({"reason": 5}, 400), ({"reason": " "}, 400), ({"reason": "x", "y": 1}, 400)],
)
def test_a_bad_body_is_400_and_changes_nothing(api, troupe, verb, body, code):
    answer = api.post(f"/api/v1/pops/ams/{verb}", json=body)
    assert answer.status_code == code
    assert answer.json()["detail"]
    assert troupe.mailbox.empty()


@pytest.mark.parametrize("verb", ["drain", "undrain"])
def test_an_unknown_pop_cannot_be_moved(api, troupe, verb):
    assert api.post(f"/api/v1/pops/nowhere/{verb}", json={"reason": "x"}).status_code == 404
    assert troupe.mailbox.empty()


def test_only_posts_move_anything(api):
    assert api.get("/api/v1/pops/ams/drain").status_code == 405


def test_most_events_is_bounded(api):
    assert api.get("/api/v1/events", params={"most": 0}).status_code == 400


def test_a_pop_shows_its_families_and_what_it_may_not_drop(api, troupe):
    rows = {row["name"]: row for row in api.get("/api/v1/pops").json()}
    assert rows["ams"]["families"] == {"v4": "home", "v6": "home"}
    assert "198.19.254.0/23" in rows["ams"]["keeps"]
    assert rows["ams"]["shed"] == 1.0
    troupe.stage.half.add(("ams", Family.V6))
    troupe.settle(turns=5)
    rows = {row["name"]: row for row in api.get("/api/v1/pops").json()}
    assert rows["ams"]["families"] == {"v4": "home", "v6": "silent, taken-over"}
    assert rows["ams"]["condition"] == "serving"


def test_a_host_shows_what_it_did_and_what_it_would_do(api, troupe):
    stage = troupe.stage
    stage.said["ams"] = Said(pop="ams", host="ams-1", voice=False)
    stage.alone.dull.add(("ams", "north", Family.V4))
    stage.overloaded.add("ams")
    for _ in range(5):
        stage.alone.act()
        troupe.settle(turns=1)
    body = api.get("/api/v1/pops/ams").json()
    (host,) = body["hosts"]
    assert host["adopted"] == ["198.18.0.0/23", "198.18.2.0/23"]
    assert host["may_add"] == ["fra", "lhr"]
    assert (host["voice"], host["switched"], host["lost"]) == (False, False, False)
    row = body["row"]
    assert row["voiceless"] == ["ams-1"]
    assert row["overloaded"] == ["www"]
    assert row["shed"] < 1.0


def test_an_operator_s_brake_is_shown_with_its_reason(api, troupe):
    report = Report(instance="i", brake=Brake(kind=BrakeKind.WITHDRAW, reason="smoke"))
    troupe.loop.turn([HostReported("fra", "fra-1", report)])
    body = api.get("/api/v1/pops/fra").json()
    assert body["row"]["brake"] == "withdraw: smoke"
    assert body["row"]["condition"] == "unfit"
    assert "withdrawn on the host: smoke" in body["row"]["because"]
