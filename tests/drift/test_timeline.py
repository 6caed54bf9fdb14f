"""What is told of facts that change: each change once, what goes back, what goes to and fro."""

from __future__ import annotations

from buttress.drift.changes import PlaceChange
from buttress.drift.timeline import Timeline


def started(*samples: dict[str, str]) -> Timeline:
    timeline = Timeline()
    timeline.begin(list(samples) or [{"script /a.js": "", "csp script-src": "'self'"}])
    return timeline


def told(timeline: Timeline, *samples: dict[str, str]) -> list[PlaceChange]:
    changes = timeline.compare(list(samples))
    for number, change in enumerate(changes, 1):
        if change.kind == "changed":
            timeline.number(change, number)
    return changes


BEFORE = {"script /a.js": "", "csp script-src": "'self'"}
AFTER = {"script /a.js": "", "csp script-src": "*"}


def test_nothing_is_told_of_what_did_not_change() -> None:
    timeline = started()
    for _ in range(5):
        assert told(timeline, BEFORE) == []


def test_a_change_is_told_once_and_its_return_as_such() -> None:
    timeline = started()
    (change,) = told(timeline, AFTER)
    assert (change.kind, change.facts[0].before, change.facts[0].after) == (
        "changed",
        "'self'",
        "*",
    )
    assert told(timeline, AFTER) == []
    assert timeline.open_events() == {1}
    (back,) = told(timeline, BEFORE)
    assert (back.kind, back.of) == ("reverted", 1)
    assert told(timeline, BEFORE) == []
    assert timeline.open_events() == set()


def test_what_goes_to_and_fro_is_one_event_more() -> None:
    timeline = started()
    kinds = [one.kind for facts in [AFTER, BEFORE] * 8 for one in told(timeline, facts)]
    assert kinds == ["changed", "reverted", "flapping"]


def test_two_views_of_one_check_that_differ_are_one_event() -> None:
    timeline = started()
    kinds = [
        one.kind
        for samples in [(BEFORE, AFTER), (AFTER,), (BEFORE,), (AFTER, BEFORE), (AFTER,)]
        for one in told(timeline, *samples)
    ]
    assert kinds == ["changed"]


def test_variants_of_the_reference_are_no_change() -> None:
    timeline = started(BEFORE, AFTER)
    assert told(timeline, AFTER) == told(timeline, BEFORE) == []


def test_a_third_value_is_a_change_of_its_own() -> None:
    timeline = started()
    told(timeline, AFTER)
    (change,) = told(timeline, {**BEFORE, "csp script-src": "'none'"})
    assert (change.kind, change.facts[0].before) == ("changed", "*")


def test_what_is_accepted_is_the_new_reference() -> None:
    timeline = started()
    told(timeline, AFTER)
    assert timeline.accept([2]) == 0
    assert timeline.accept([1]) == 1
    assert told(timeline, AFTER) == []
    (change,) = told(timeline, BEFORE)
    assert change.kind == "changed"


def test_facts_that_appear_and_go_have_no_value_before_or_after() -> None:
    timeline = started()
    gone, come = told(timeline, {"csp script-src": "'self'", "form post /x": "text:a"})
    assert [(one.before, one.after) for one in gone.facts + come.facts] == [
        (None, "text:a"), ("", None),
    ]  # fmt: skip


def test_facts_that_were_not_looked_for_stay() -> None:
    timeline = started({**BEFORE, "status": "200"})
    (change,) = timeline.compare([{"status": "404"}], only=("status",))
    assert [one.name for one in change.facts] == ["status"]


def test_it_is_stored_as_what_changed() -> None:
    timeline = started()
    stored = [timeline.delta()]
    told(timeline, AFTER)
    stored.append(timeline.delta())
    told(timeline, AFTER)
    stored.append(timeline.delta())
    assert list(stored[1]) == ["csp script-src"]
    assert stored[2] == {}
    again = Timeline()
    for delta in stored:
        again.load(delta)
    assert again.histories == timeline.histories
    assert told(again, AFTER) == []
    assert [one.kind for one in told(again, BEFORE)] == ["reverted"]


def test_what_comes_in_the_place_of_what_goes_is_one_change() -> None:
    timeline = started({"form post /chat": "text:q", "link /a": ""})
    (change,) = told(timeline, {"form post /chats": "text:q", "link /a": ""})
    assert [(one.name, one.after) for one in change.facts] == [
        ("form post /chat", None), ("form post /chats", "text:q"),
    ]  # fmt: skip


def test_a_form_that_posts_to_another_host_is_one_change() -> None:
    timeline = started({"form post /ask": "text:q", "form get /find": "text:word"})
    elsewhere = "form post https://evil.example/ask-and-keep-for-ever"
    (change,) = told(timeline, {elsewhere: "text:q", "form get /find": "text:word"})
    assert [(one.name, one.after) for one in change.facts] == [
        ("form post /ask", None), (elsewhere, "text:q"),
    ]  # fmt: skip
    timeline = started({"form post /ask": "text:q"})
    assert len(told(timeline, {elsewhere: "password:p"})) == 2


def test_what_goes_and_what_comes_are_two_changes_where_they_are_unlike() -> None:
    timeline = started({"script /a.js": "", "link /a": ""})
    assert (
        len(told(timeline, {"script https://other.example/tracking.mjs": "", "link /a": ""})) == 2
    )
    timeline = started({"script /a.js": "", "link /a": ""})
    assert len(told(timeline, {"frame /a.js": "", "link /a": ""})) == 2
