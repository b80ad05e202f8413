"""The IT session's state machine, without Temporal."""

from datetime import UTC, datetime, timedelta

import pytest

from durable_loop.services.it.messages import ItSessionState, JiraProject, SetJiraProject, TrackIp
from durable_loop.services.it.session import KEPT_ADDRESSES, KEPT_ANSWERS, ItSession

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def session() -> ItSession:
    return ItSession(ItSessionState())


def addresses(session: ItSession) -> list[str]:
    return [ip.address for ip in session.history.addresses]


def test_a_new_session_has_no_project_and_no_addresses(session: ItSession) -> None:
    """What nobody set is not there (ours)."""
    assert session.project is None
    assert session.history.addresses == ()


def test_addresses_count_up_and_carry_their_time(session: ItSession) -> None:
    """172.16.0.1, then .2, each with the time it was given (seed)."""
    session.track_ip(TrackIp(key="one"), now=NOON)
    session.track_ip(TrackIp(key="two"), now=NOON + timedelta(hours=1))

    assert addresses(session) == ["172.16.0.1", "172.16.0.2"]
    assert [ip.tracked_at for ip in session.history.addresses] == [NOON, NOON + timedelta(hours=1)]


def test_a_key_that_comes_again_changes_nothing_and_has_the_same_answer(session: ItSession) -> None:
    """A retry of a call is not another change (spec)."""
    session.track_ip(TrackIp(key="one"), now=NOON)
    answer = session.answer("one")

    session.track_ip(TrackIp(key="one"), now=NOON + timedelta(hours=1))

    assert session.history.tracked == 1
    assert session.answer("one") == answer


def test_a_late_retry_does_not_undo_a_newer_change(session: ItSession) -> None:
    """The first set is sent again after the second: the second stays (spec)."""
    session.set_jira_project(SetJiraProject(project="OLD", key="one"))
    session.set_jira_project(SetJiraProject(project="NEW", key="two"))

    session.set_jira_project(SetJiraProject(project="OLD", key="one"))

    assert session.project == "NEW"
    assert session.answer("one") == JiraProject(project="OLD")


def test_a_key_belongs_to_one_change(session: ItSession) -> None:
    """The same key with another kind of change is not applied (ours)."""
    session.set_jira_project(SetJiraProject(project="DEMO-123", key="one"))

    session.track_ip(TrackIp(key="one"), now=NOON)

    assert session.history.tracked == 0
    assert session.answer("one") == JiraProject(project="DEMO-123")


def test_a_carried_session_goes_on_as_if_nothing_had_happened(session: ItSession) -> None:
    """Project, addresses and keys survive as JSON, which is how continue-as-new takes them over (spec)."""
    session.set_jira_project(SetJiraProject(project="DEMO-123", key="one"))
    session.track_ip(TrackIp(key="two"), now=NOON)

    carried = ItSession(ItSessionState.model_validate_json(session.carry().model_dump_json()))
    carried.track_ip(TrackIp(key="two"), now=NOON)
    carried.track_ip(TrackIp(key="three"), now=NOON)

    assert carried.project == "DEMO-123"
    assert addresses(carried) == ["172.16.0.1", "172.16.0.2"]
    assert carried.answer("two") == session.answer("two")


def test_only_the_newest_answers_and_addresses_are_kept(session: ItSession) -> None:
    """A session that is used for years stays small; it still counts every address (ours)."""
    total = KEPT_ANSWERS + 1
    for number in range(1, total + 1):
        session.track_ip(TrackIp(key=str(number)), now=NOON)

    state = session.carry()
    assert len(state.answers) == KEPT_ANSWERS
    assert session.answer("1") is None
    assert session.answer("2") is not None
    assert len(state.history.addresses) == KEPT_ADDRESSES
    assert state.history.tracked == total
    assert len(state.model_dump_json()) < 2**18


def test_addresses_stay_valid_beyond_the_first_network(session: ItSession) -> None:
    """After 172.16.0.254 comes 172.16.1.1: neither .255 nor .0 is a host (ours)."""
    for number in range(1, 256):
        session.track_ip(TrackIp(key=str(number)), now=NOON)

    assert addresses(session)[-2:] == ["172.16.0.254", "172.16.1.1"]
