"""The stored routing (五（一））: judged once for each text and each version of the rules, shown, named by the acceptance."""

import importlib
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection

from appointments.lifecycle import Stage
from appointments.models import Appointment
from triage import assignment, review
from triage.models import Review, RoutingTrace
from triage.routing.decision import Decision
from triage.routing.router import Router, shipped_router
from triage.rulebook import routing_traces, versions
from triage.tasks import store_routing_traces
from triage.tests import factories as made
from zhoushan_consult.tests.evidence import rows

pytestmark = pytest.mark.django_db

LATER = made.NOW + timedelta(hours=1)
PAINT = "废油漆桶怎么处置？"


@pytest.fixture(autouse=True)
def fresh_process():
    """Each test begins with the shipped rules, and leaves no version in the cache for the next one."""
    versions.router_cache.invalidate()
    yield
    versions.router_cache.invalidate()


def change_rules(coordinator) -> None:
    """综合处 gives used paint buckets to 大气处."""
    changed = [
        versions.from_json(
            versions.as_json(rule) | ({"lead": "air"} if rule.topic.code == "soil.waste" else {})
        )
        for rule in versions.newest()[1]
    ]
    versions.save(changed, "改由大气处", {}, base=versions.newest()[0], by=coordinator, at=LATER)


def amend(appointment: Appointment, summary: str) -> None:
    Appointment.objects.filter(pk=appointment.pk).update(summary=summary, version=appointment.version + 1)
    appointment.refresh_from_db()


def primaries(appointment: Appointment) -> list[str]:
    return [trace.decision["primary"] for trace in appointment.traces.order_by("pk")]


def accept(appointment, trace, by) -> None:
    item = assignment.AssignmentItem(made.division("土壤处"), appointment.summary)
    review.accept(appointment, [item], trace=trace, by=by, at=LATER)


# --- The worker ------------------------------------------------------------------------------------------------------
def test_worker_judges_each_waiting_text_once():
    water, paint = made.appointment(1), made.appointment(2, summary=PAINT)
    made.appointment(3, stage=Stage.ACCEPTED)
    assert routing_traces.store_missing(made.NOW) == 2
    before = rows()
    assert routing_traces.store_missing(LATER) == 0
    assert rows() == before
    assert (primaries(water), primaries(paint)) == (["water"], ["soil"])
    assert RoutingTrace.objects.count() == 2


def test_worker_judges_an_amended_text_again_and_no_other():
    firm, bystander = made.appointment(1), made.appointment(2)
    routing_traces.store_missing(made.NOW)
    amend(firm, PAINT)
    assert routing_traces.store_missing(LATER) == 1
    assert (primaries(firm), primaries(bystander)) == (["water", "soil"], ["water"])


def test_worker_judges_again_under_changed_rules(coordinator):
    firm = made.appointment(1, summary=PAINT)
    routing_traces.store_missing(made.NOW)
    change_rules(coordinator)
    assert routing_traces.store_missing(LATER) == 1
    assert primaries(firm) == ["soil", "air"]


def test_worker_takes_the_rest_in_its_next_run(monkeypatch):
    monkeypatch.setattr(routing_traces, "BATCH_SIZE", 2)
    for number in (1, 2, 3):
        made.appointment(number)
    assert [routing_traces.store_missing(made.NOW) for _ in range(3)] == [2, 1, 0]


def test_task_stores_what_is_missing():
    firm = made.appointment()
    store_routing_traces()
    assert primaries(firm) == ["water"]


def test_two_who_judge_the_same_text_at_once_store_one_trace(monkeypatch):
    firm = made.appointment()
    route = Router.route

    def meanwhile(router, *args, **options):
        monkeypatch.setattr(Router, "route", route)
        routing_traces.store_missing(made.NOW)
        return route(router, *args, **options)

    monkeypatch.setattr(Router, "route", meanwhile)
    trace = routing_traces.current_traces([firm], LATER)[firm.pk]
    assert (trace.at, firm.traces.count()) == (made.NOW, 1)


# --- The screen --------------------------------------------------------------------------------------------------------
def screen(browser, appointment) -> str:
    return browser.get(f"/admin/appointments/appointment/{appointment.pk}/change/").content.decode()


def test_first_screen_stores_what_no_worker_has_stored(signed_in, coordinator):
    firm = made.appointment()
    page = screen(signed_in(coordinator), firm)
    trace = firm.traces.get()
    assert f'name="trace" value="{trace.pk}"' in page and "分办建议：水处" in page
    assert screen(signed_in(coordinator), firm).count(f'name="trace" value="{trace.pk}"') == 1


def test_list_of_the_first_page_shows_the_stored_routing(signed_in, coordinator):
    firm = made.appointment()
    trace = made.trace(firm)
    RoutingTrace.objects.filter(pk=trace.pk).update(decision=trace.decision | {"primary": "office"})
    assert "建议办公室" in signed_in(coordinator).get("/admin/").content.decode()


def test_screen_of_an_accepted_registration_shows_what_it_was_accepted_on(signed_in, coordinator):
    firm = made.appointment(1, summary=PAINT)
    accept(firm, made.trace(firm), coordinator)
    change_rules(coordinator)
    assert "分办建议：土壤处" in screen(signed_in(coordinator), firm)
    assert primaries(firm) == ["soil"]


def test_screen_of_a_declined_registration_shows_its_newest_routing(signed_in, coordinator):
    firm = made.appointment(1, summary=PAINT)
    made.trace(firm)
    Appointment.objects.filter(pk=firm.pk).update(stage=Stage.DECLINED)
    change_rules(coordinator)
    assert "分办建议：土壤处" in screen(signed_in(coordinator), firm)


# --- The acceptance --------------------------------------------------------------------------------------------------
def test_acceptance_names_the_routing_that_was_shown_though_the_rules_changed_meanwhile(coordinator):
    firm = made.appointment(1, summary=PAINT)
    shown = made.trace(firm)
    change_rules(coordinator)
    routing_traces.store_missing(LATER)
    accept(firm, shown, coordinator)  # 土壤处 without a reason: it is what the shown routing names
    assert Review.objects.get().trace == shown
    assert firm.assignments.get().topic == shown.to_decision().findings[0].name


def test_acceptance_is_refused_where_the_routing_is_of_an_earlier_text(coordinator):
    firm = made.appointment()
    shown = made.trace(firm)
    amend(firm, PAINT)
    with pytest.raises(review.ChangedMeanwhile):
        accept(firm, shown, coordinator)
    assert not Review.objects.exists()


def test_acceptance_is_refused_with_the_routing_of_another_firm(coordinator):
    firm, other = made.appointment(1), made.appointment(2)
    with pytest.raises(review.ChangedMeanwhile):
        accept(firm, made.trace(other), coordinator)


@pytest.mark.parametrize("trace", ["", "0", "other", "x"])
def test_form_without_its_own_routing_is_refused_and_keeps_what_was_typed(signed_in, coordinator, trace):
    firm, other = made.appointment(1), made.appointment(2)
    typed = {
        "trace": made.trace(other).pk if trace == "other" else trace,
        "row-TOTAL_FORMS": 1,
        "row-INITIAL_FORMS": 0,
        "row-0-question": "请水处研究",
        "row-0-division": "water",
        "row-0-part": "lead",
    }
    answer = signed_in(coordinator).post(f"/admin/appointments/appointment/{firm.pk}/accept/", typed)
    page = answer.content.decode()
    assert "请对照最新的建议再决定" in page and "请水处研究" in page
    assert f'name="trace" value="{made.trace(firm).pk}"' in page
    assert Appointment.objects.get(pk=firm.pk).stage == Stage.SUBMITTED


def test_one_more_assignment_is_judged_by_the_routing_of_the_acceptance(coordinator):
    firm = made.appointment(1, summary=PAINT)
    accept(firm, made.trace(firm), coordinator)
    change_rules(coordinator)
    item = assignment.AssignmentItem(made.division("大气处"), "这一句请大气处研究")
    with pytest.raises(assignment.NeedsReason):
        assignment.add(firm, item, by=coordinator, at=LATER)


# --- Stored and read again -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", [made.WATER, PAINT, "邻居举报我们噪声；另外环评怎么办？", "你好", ""])
def test_stored_decision_is_read_back_whole(text):
    decision = shipped_router().route(text)
    made.appointment(1, summary=text)
    routing_traces.store_missing(made.NOW)
    assert Decision.from_dict(decision.as_dict()) == decision
    assert RoutingTrace.objects.get().to_decision().findings == shipped_router().route(text).findings


def test_migration_links_the_trace_of_the_same_act_and_leaves_the_others(coordinator):
    firm, other = made.appointment(1), made.appointment(2)
    linked, later = (
        Review.objects.create(appointment=firm, accepted=True, by=coordinator, at=at)
        for at in (made.NOW, LATER)
    )
    for of in (other, firm):
        trace = made.trace(of)
        RoutingTrace.objects.filter(pk=trace.pk).update(appointment_version=None, at=made.NOW)
    migration = importlib.import_module("triage.migrations.0005_traces_of_acceptances")
    migration.link(apps, connection.schema_editor())
    assert [Review.objects.get(pk=each.pk).trace for each in (linked, later)] == [firm.traces.get(), None]
