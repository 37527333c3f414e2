"""The table of clocks, row by row, through the use cases; every due time is worked out by hand."""

from collections.abc import Callable

import pytest

from app.auth.models import User
from app.escalations import service
from app.escalations.service import Hop
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.story import NO, RESOLUTION, YES, Story, march


@pytest.fixture
def story(tenant: TestTenant, company: Company) -> Story:
    return Story(tenant, company)


@pytest.fixture
def approval(client: ApiClient, make_user: Callable[..., User]) -> User:
    """The approver whom the approval setting names."""
    approver = make_user("manager", "approver@example.com")
    setting = {"approval": {"asked": True, "approvers": [approver.email]}}
    etag = client.get("/api/v1/settings").headers["ETag"]
    assert client.patch("/api/v1/settings", json=setting, if_match=etag).status_code == 200
    return approver


# -- decide -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answered", "state"), [("3 10:00", "met"), ("3 10:01", "missed")])
@pytest.mark.parametrize("approved", [True, False])
def test_a_request_is_to_be_decided_within_a_business_day(
    story: Story, approval: User, answered: str, state: str, approved: bool
) -> None:
    story.raised()
    assert story.shown("decide") == [("running", "3 10:00")]
    assert [story.shown(kind) for kind in ("close", "acknowledge", "respond")] == [[], [], []]
    story.do(service.answer_raise, answered, by=approval, approved=approved, reason="No")
    assert story.shown("decide") == [(state, "3 10:00")]
    assert story.agrees()


def test_on_approval_close_counts_from_the_raise_and_acknowledge_from_the_owner(story: Story, approval: User) -> None:
    story.raised().do(service.answer_raise, "3 09:30", by=approval, approved=True)
    assert story.shown("close") == [("running", "4-1 10:00")]
    assert story.shown("acknowledge") == [("running", "3 13:30")]
    assert story.shown("respond") == []


def test_what_the_customer_wrote_before_the_approval_counts_from_its_own_moment(story: Story, approval: User) -> None:
    story.raised().message("2 12:00")
    story.message("2 15:00")
    assert story.shown("reply") == []
    story.do(service.answer_raise, "3 09:30", by=approval, approved=True)
    assert story.shown("respond") == [("running", "3 12:00")]
    assert story.shown("reply") == [("running", "3 12:00")]


def test_a_message_answered_before_the_approval_waits_for_nobody(story: Story, approval: User) -> None:
    story.raised().message("2 12:00")
    story.update("2 13:00")
    story.do(service.answer_raise, "3 09:30", by=approval, approved=True)
    assert story.shown("respond") == [("met", "3 12:00")]
    assert story.shown("reply") == []
    assert story.shown("customer_update") == [("running", "4 13:00")]  # severity 2: two business days
    assert story.agrees()


# -- acknowledge ------------------------------------------------------------------------------------------------------


def test_an_owner_has_four_business_hours_to_acknowledge_and_a_new_one_has_them_anew(story: Story) -> None:
    story.raised()
    assert story.shown("acknowledge") == [("running", "2 14:00")]
    to = service.NewOwner(owner_id=story.company.csm.id)
    story.do(service.assign, "2 12:00", to=to, reason="Knows the product")
    assert story.shown("acknowledge") == [("cancelled", "2 14:00"), ("running", "2 16:00")]
    story.do(service.acknowledge, "2 16:00", by=story.company.manager)  # from above, in the owner's place
    assert story.shown("acknowledge")[1] == ("met", "2 16:00")


def test_an_acknowledgement_logged_after_its_due_time_counts_when_it_was_given(story: Story) -> None:
    story.raised().sweep("2 14:30")
    assert story.shown("acknowledge") == [("breached", "2 14:00")]
    story.do(service.acknowledge, "2 15:00", at=story.cycles("acknowledge")[0].due_at)
    [clock] = story.cycles("acknowledge")
    assert (clock.state, clock.flags) == ("met", ["logged_late"])
    assert story.ledger("acknowledge") == [("activate", "2 10:00"), ("breach", "2 14:00"), ("fulfil", "2 14:00")]
    assert story.agrees()


# -- respond, reply, customer_update ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("sent", "state"), [("3 10:00", "met"), ("3 10:01", "missed")])
def test_a_customer_is_answered_within_a_business_day(story: Story, sent: str, state: str) -> None:
    story.raised(raised_by_kind="customer", raised_by_email="jo@globex.example")
    assert story.shown("respond") == [("running", "3 10:00")]
    story.update(sent)
    assert story.shown("respond") == [(state, "3 10:00")]


def test_of_a_colleagues_raise_respond_starts_with_the_first_message_or_update(story: Story) -> None:
    assert story.raised().shown("respond") == []
    story.update("2 11:00")
    assert story.ledger("respond") == [("activate", "2 11:00"), ("fulfil", "2 11:00")]


def test_later_messages_do_not_move_reply_and_an_update_answers_them_all(story: Story) -> None:
    story.raised().message("2 11:00")
    story.message("2 15:00")
    assert story.shown("reply") == [("running", "3 11:00")]
    story.update("2 16:00")
    story.message("3 09:30")
    assert story.shown("reply") == [("met", "3 11:00"), ("running", "4 09:30")]


def test_an_earlier_message_that_arrives_late_begins_reply_at_its_own_moment(story: Story) -> None:
    story.raised().message("2 12:00")
    story.message("2 13:00", sent="2 10:30")
    assert story.shown("reply") == [("cancelled", "3 12:00"), ("running", "3 10:30")]
    assert story.shown("respond") == [("cancelled", "3 12:00"), ("running", "3 10:30")]
    story.update("3 10:30")
    assert story.shown("reply")[1] == ("met", "3 10:30")
    assert story.agrees()


def test_an_update_logged_late_answers_what_was_written_before_it_and_not_after(story: Story) -> None:
    story.raised().message("2 11:00")
    story.message("2 14:00")
    story.update("2 16:00", sent="2 12:00")
    assert story.shown("reply") == [("met", "3 11:00"), ("running", "3 14:00")]
    story.update("2 16:30", sent="2 13:00")  # before the message it would answer
    assert story.shown("reply")[1] == ("running", "3 14:00")
    assert story.agrees()


def test_an_answer_learnt_late_makes_a_miss_good_although_a_later_answer_was_known(story: Story) -> None:
    story.raised(raised_by_kind="customer", raised_by_email="jo@globex.example").sweep("3 10:00")
    story.update("3 11:00")
    assert story.shown("respond") == [("missed", "3 10:00")]
    story.update("3 12:00", sent="3 09:30")
    [clock] = story.cycles("respond")
    assert (clock.state, clock.flags) == ("met", ["logged_late"])
    assert story.ledger("respond")[1:] == [("breach", "3 10:00"), ("fulfil", "3 11:00"), ("fulfil", "3 09:30")]
    assert story.agrees()


@pytest.mark.parametrize(("severity", "due"), [(1, "3 11:00"), (2, "4 11:00"), (3, "9 11:00"), (4, "9 11:00")])
def test_after_the_first_response_the_customer_is_told_by_severity(story: Story, severity: int, due: str) -> None:
    assert story.raised(severity=severity).shown("customer_update") == []
    story.update("2 11:00")
    assert story.shown("customer_update") == [("running", due)]


def test_each_update_starts_the_next_cycle_and_resolve_ends_them(story: Story) -> None:
    story.raised().update("2 11:00")
    story.do(service.acknowledge, "2 12:00")
    story.update("3 16:00")
    story.update("3 16:30", sent="3 15:00")  # sent before the latest: the next is due by the latest
    assert story.shown("customer_update") == [("met", "4 11:00"), ("running", "5 16:00")]
    story.do(service.resolve, "4 10:00", resolution=RESOLUTION)
    assert story.shown("customer_update")[1] == ("cancelled", "5 16:00")
    assert story.agrees()


def test_a_higher_severity_tightens_at_once_and_a_lower_one_from_the_next_cycle(story: Story) -> None:
    story.raised(severity=3).update("2 11:00")  # due in 40 business hours
    story.do(service.edit, "3 11:00", changes={"severity": 2})  # 8 of 16 used: 8 to go
    assert story.shown("customer_update") == [("running", "4 11:00")]
    story.do(service.edit, "3 12:00", changes={"severity": 4, "severity_reason": "A workaround holds"})
    assert story.shown("customer_update") == [("running", "4 11:00")]
    story.update("3 13:00")
    assert story.shown("customer_update")[1] == ("running", "10 13:00")


def test_a_higher_severity_whose_time_is_used_up_breaches_at_its_own_moment(story: Story) -> None:
    story.raised(severity=3).update("2 11:00")
    story.do(service.edit, "4 12:00", changes={"severity": 1})  # 8 h allowed, 17 used
    [clock] = story.cycles("customer_update")
    assert story.shown("customer_update") == [("breached", "4 12:00")]
    assert clock.breached_at == clock.due_at
    assert story.sweep("4 12:00") == 1 + 3  # said once, and the reminders of acknowledge that were due
    assert story.agrees()


# -- tier, plan, still_on_it ------------------------------------------------------------------------------------------


def test_a_tier_is_met_by_leaving_it_by_hand_and_pauses_for_any_party(story: Story) -> None:
    story.raised().open_clock("tier", "2 10:00", 8)
    story.do(service.acknowledge, "2 11:00")
    story.wait("2 12:00", 4, party="internal")
    assert story.shown("tier") == [("paused", None)]
    story.do(service.resume, "3 12:00")
    assert story.shown("tier") == [("running", "4 10:00")]  # 2 h used, 6 to go
    story.do(service.escalate, "4 10:00", hop=Hop(reason="time", brief="Tried it all"))
    [clock] = story.cycles("tier")
    assert (clock.state, clock.flags) == ("met", ["long_pause"])  # 8 of 16 hours
    assert story.agrees()


def test_resolve_meets_the_tier_and_a_rejection_takes_it_up_again(story: Story) -> None:
    story.raised().open_clock("tier", "2 10:00", 8)
    story.do(service.acknowledge, "2 11:00")
    story.do(service.resolve, "2 16:00", resolution=RESOLUTION)
    assert story.shown("tier") == [("met", "3 10:00")]
    assert story.shown("plan") == [("cancelled", "9 11:00")]
    story.do(service.verify, "4 12:00", word=NO)
    assert story.shown("tier") == [("running", "4 14:00")]  # 6 of 8 hours used
    assert story.shown("plan") == [("running", "10 15:00")] == story.shown("still_on_it")  # 5 of 40 used
    assert story.cycles("tier")[0].flags == []
    assert story.agrees()


def test_a_plan_is_met_when_the_customer_agreed_and_only_then(story: Story) -> None:
    story.raised().do(service.acknowledge, "2 11:00")
    assert story.shown("plan") == [("running", "9 11:00")]
    date = story.record().raised_at.date().replace(day=20)
    story.do(service.plan, "3 11:00", content="Hotfix", forecast_close_on=date, customer_agreed=False)
    assert story.shown("plan") == [("running", "9 11:00")]
    story.do(service.plan, "9 11:00", content="Hotfix", forecast_close_on=date, customer_agreed=True)
    assert story.shown("plan") == [("met", "9 11:00")]


def test_each_sign_of_the_owners_work_starts_still_on_it_anew(story: Story, make_user: Callable[..., User]) -> None:
    story.raised().do(service.acknowledge, "2 11:00")
    story.do(service.add_comment, "3 12:00", by=make_user("specialist"), content="Seen that before")
    assert story.shown("still_on_it") == [("running", "9 11:00")]
    story.do(service.add_comment, "4 12:00", content="Reproduced")
    story.do(service.add_attempt, "4 13:00", what="Restart", result="No", at=march("4 11:30"))
    assert story.shown("still_on_it") == [("met", "9 11:00"), ("running", "11 12:00")]


def test_without_a_sign_the_acknowledgement_lapses_and_the_manager_knows(story: Story) -> None:
    story.raised().do(service.acknowledge, "2 11:00")
    story.sweep("9 10:59")
    assert story.shown("acknowledge") == [("met", "2 14:00")]
    story.sweep("9 11:00")
    assert story.shown("still_on_it") == [("breached", "9 11:00")]
    assert story.shown("acknowledge") == [("met", "2 14:00"), ("running", "9 15:00")]
    assert len(story.told("lapsed")) == 2  # the manager and the owner
    story.do(service.acknowledge, "9 12:00")
    assert story.shown("still_on_it") == [("missed", "9 11:00"), ("running", "16 12:00")]
    assert story.agrees()


# -- verify, close ----------------------------------------------------------------------------------------------------


def test_the_customers_word_is_awaited_five_business_days(story: Story) -> None:
    story.raised().do(service.acknowledge, "2 11:00")
    story.do(service.resolve, "3 11:00", resolution=RESOLUTION)
    assert story.shown("verify") == [("running", "10 11:00")]
    story.do(service.verify, "10 11:00", word=YES)
    assert (story.shown("verify"), story.shown("close")) == ([("met", "10 11:00")], [("met", "4-1 10:00")])


def test_without_the_customers_word_it_closes_as_unanswered(story: Story) -> None:
    story.raised().do(service.acknowledge, "2 11:00")
    story.do(service.resolve, "3 11:00", resolution=RESOLUTION)
    story.sweep("12 09:00")  # two days late: it closed when the time was up
    assert story.shown("verify") == [("missed", "10 11:00")]
    record = story.record()
    assert (record.status, record.verification, record.closed_at) == (
        "closed",
        "unanswered",
        story.cycles("verify")[0].due_at,
    )
    assert story.agrees()


def test_closing_ends_what_runs_and_reopening_takes_all_of_it_up_again(story: Story) -> None:
    story.raised(raised_by_kind="customer", raised_by_email="jo@globex.example").message("2 11:00")
    values = {"outcome": "withdrawn", "reason": "They took it back"}
    story.do(service.close_unresolved, "2 15:00", by=story.company.manager, **values)
    ended = {kind: story.shown(kind)[0][0] for kind in ("acknowledge", "respond", "reply", "close")}
    assert ended == {"acknowledge": "missed", "respond": "cancelled", "reply": "cancelled", "close": "met"}
    story.do(service.reopen, "4 15:00", reason="Not after all")
    assert story.shown("acknowledge") == [("breached", "2 14:00")]
    assert story.shown("respond") == [("running", "5 10:00")]  # 5 of 8 hours used on Monday
    assert story.shown("reply") == [("running", "5 11:00")]
    assert story.shown("close") == [("running", "4-1 10:00")]
    assert story.agrees()


def test_close_that_fell_due_while_the_case_was_closed_breaches_at_the_reopening_and_says_so_once(
    story: Story,
) -> None:
    story.raised().do(service.acknowledge, "2 11:00")
    story.do(service.resolve, "26 11:00", resolution=RESOLUTION)
    story.do(service.verify, "30 10:00", word=YES)
    story.do(service.reopen, "4-8 10:00", reason="Again")
    assert story.shown("close") == [("breached", "4-1 10:00")]
    assert story.ledger("close")[-2:] == [("reopen", "4-8 10:00"), ("breach", "4-8 10:00")]
    story.sweep("4-8 10:00")
    overdue = story.told("overdue")
    assert len([subject for subject in overdue if ": close" in subject]) >= 1
    before = len(overdue)
    story.sweep("4-8 10:05")
    assert len(story.told("overdue")) == before
    assert story.agrees()


def test_a_case_closed_while_waiting_has_used_that_part_of_its_budget(story: Story) -> None:
    story.raised().do(service.acknowledge, "2 11:00")
    story.wait("2 12:00", 10)
    values = {"outcome": "withdrawn", "reason": "They took it back"}
    story.do(service.close_unresolved, "4 12:00", by=story.company.manager, **values)
    assert story.record().wait_used_seconds == 16 * 3600
