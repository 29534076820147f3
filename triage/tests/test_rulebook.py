"""分办规则 as 综合处 edits them: the impact is shown first, an edit is active at once, and no version is lost."""

from datetime import date

import pytest
import time_machine
from django.urls import reverse

from triage import assignment, review
from triage.models import AssignmentState, Lesson, RoutingLesson, RoutingTrace, RuleVersion
from triage.routing.labelled_texts import GOLDEN
from triage.routing.router import shipped_router
from triage.routing.topic_files import as_mapping, shipped_topics
from triage.rulebook import versions
from triage.tests import factories as made

pytestmark = pytest.mark.django_db
# Neither the rules nor the classifier know it.
TEXT = "那台老设备旁边总是绕圈子一样出状况"
CASES = len(GOLDEN.read_text().splitlines())


@pytest.fixture(autouse=True)
def fresh_process():
    """Each test begins like a new process, and leaves no version in the cache for the next one."""
    versions.router_cache.invalidate()
    with time_machine.travel(made.NOW, tick=False):
        yield
    versions.router_cache.invalidate()


@pytest.fixture
def browser(coordinator, signed_in):
    return signed_in(coordinator)


def address(name="changelist", *args):
    return reverse(f"admin:triage_ruleversion_{name}", args=args)


def typed(code="soil.waste", **changes):
    """The topic of `code` as its form sends it, with `changes`."""
    rule = next(rule for rule in versions.newest()[1] if rule.topic.code == code)
    values = {
        **as_mapping(rule.topic),
        "support": list(rule.topic.support),
        "gives_way_to": list(rule.topic.gives_way_to),
        "on": "on",
        "since": "",
        "remark": "补词",
        "base": versions.newest()[0],
    }
    del values["code"]
    return values | changes


def edited(browser, code="soil.waste", step="save", **changes):
    return browser.post(address("topic", code), typed(code, **changes) | {"step": step})


def words(code="soil.waste"):
    return as_mapping(next(t for t in shipped_topics() if t.code == code))["include"]


def lead(text=TEXT):
    return made.trace(made.appointment(99, summary=text)).decision["primary"]


def test_topics_are_listed_with_their_clause(browser):
    page = browser.get(address()).content.decode()
    assert "固体废物与危险废物" in page and "五（一）涉气污染防治问题由大气处研究回复" in page
    assert "随系统提供的一版" in page


def test_preview_shows_what_an_edit_would_move_and_saves_nothing(browser):
    moved = made.appointment(1, summary=TEXT)
    page = edited(browser, step="preview", include=words() + " 绕圈子").content.decode()
    assert moved.summary in page and "土壤处" in page and "修改前" in page and "保存为新的一版" in page
    assert not RuleVersion.objects.exists()


def test_topic_moved_to_another_division_is_not_overridden(browser):
    """Hundreds of examples say that it was another's."""
    asked = "我公司排污许可证需要变更法定代表人，怎么办理？"
    assert shipped_router().route(asked).primary == "eia"
    page = edited(browser, "eia.permit", "preview", lead="water").content.decode()
    assert "变差" in page and f"{CASES} 条标准例" in page
    edited(browser, "eia.permit", lead="water")
    assert lead(asked) == "water"


def test_saved_rules_are_active_at_once(browser):
    edited(browser, include=words() + " 绕圈子")
    version = RuleVersion.objects.get()
    assert (version.number, version.remark, version.figures["after"]["cases"]) == (1, "补词", CASES)
    assert lead() == "soil"


def test_trace_names_the_version_that_decided(browser, coordinator):
    edited(browser, include=words() + " 绕圈子")
    appointment = made.appointment(1, summary=TEXT)
    portion = assignment.AssignmentItem(made.division("土壤处"), TEXT)
    review.accept(appointment, [portion], trace=made.trace(appointment), by=coordinator, at=made.NOW)
    trace = RoutingTrace.objects.get()
    assert trace.rules_version == versions.active_router(made.NOW).version != shipped_router().version


def test_edit_reaches_another_process_within_the_minute(browser):
    seconds = 0.0
    other_process = versions.new_router_cache(clock=lambda: seconds)
    assert other_process.get(made.NOW).route(TEXT).primary == "manual"
    edited(browser, include=words() + " 绕圈子")
    seconds = 1.0
    assert other_process.get(made.NOW).route(TEXT).primary == "manual"
    seconds = 59.0
    assert other_process.get(made.NOW).route(TEXT).primary == "soil"


def test_unchanged_version_is_not_compiled_again(browser):
    seconds = 0.0
    process = versions.new_router_cache(clock=lambda: seconds)
    router = process.get(made.NOW)
    seconds = 59.0
    assert process.get(made.NOW) is router


def test_rule_is_active_from_its_date_on(browser):
    edited(browser, code="soil.waste", include=words() + " 绕圈子", since="2026-12-01")
    rules = versions.newest()[1]
    assert versions.build_router(rules, date(2026, 11, 30)).route(TEXT).primary == "manual"
    assert versions.build_router(rules, date(2026, 12, 1)).route(TEXT).primary == "soil"
    assert "自2026年12月1日起" in browser.get(address()).content.decode()


def test_switched_off_topic_decides_nothing(browser):
    assert "unlisted.noise" in {topic.code for topic in versions.active_router(made.NOW).topics}
    edited(browser, code="unlisted.noise", on="")
    assert "停用" in browser.get(address()).content.decode()
    assert "unlisted.noise" not in {topic.code for topic in versions.active_router(made.NOW).topics}


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"clause": ""}, "没有写明所依据的条款"),
        ({"include": "废油漆桶 油烟净化器"}, "同时写在"),
        ({"gives_way_to": ["没有这个"]}, "没有这个"),
        ({"together": "@没有的词表 + 废水"}, "不存在"),
        ({"name": ""}, "填"),
        ({"remark": ""}, "填"),
    ],
)
def test_fault_is_named_and_what_was_typed_stays(browser, changes, says):
    typed = {"remark": "留着的说明"} | changes
    page = edited(browser, **typed).content.decode()
    assert says in page and typed["remark"] in page
    assert not RuleVersion.objects.exists()


MISMATCH = "主办与条款不一致"


def test_lead_that_contradicts_its_clause_is_warned_of_and_can_be_saved(browser):
    assert MISMATCH not in browser.get(address("topic", "air.pollution")).content.decode()
    page = edited(browser, "air.pollution", "preview", lead="water").content.decode()
    assert MISMATCH in page and "写明由大气处研究回复" in page and "保存为新的一版" in page
    edited(browser, "air.pollution", lead="water")
    assert RuleVersion.objects.count() == 1
    assert MISMATCH in browser.get(address("topic", "air.pollution")).content.decode()
    listed = browser.get(address()).content.decode()
    assert listed.count("与主办不一致，请核对") == 1


def test_clause_that_contradicts_its_lead_is_warned_of(browser):
    page = edited(browser, step="preview", clause="五（一）涉气污染防治问题由土壤处研究回复").content.decode()
    assert MISMATCH in page and "写明由大气处研究回复" in page


def test_list_warns_of_no_shipped_topic_and_of_none_that_is_switched_off(browser):
    assert "与主办不一致" not in browser.get(address()).content.decode()
    edited(browser, "air.pollution", lead="water", on="")
    assert "与主办不一致" not in browser.get(address()).content.decode()


def test_topics_that_give_way_to_each_other_are_refused(browser):
    page = edited(
        browser, code="general.total", gives_way_to=["exception.vocs-total", "science.online"]
    ).content.decode()
    page += edited(browser, code="science.online", gives_way_to=["science.online"]).content.decode()
    circle = edited(browser, code="exception.vocs-total", gives_way_to=["general.total"]).content.decode()
    assert "绕成了圈" in circle


def test_only_one_of_two_editors_can_save(browser, leader):
    first, second = typed(include=words() + " 甲乙丙丁"), typed(include=words() + " 戊己庚辛")
    browser.post(address("topic", "soil.waste"), first | {"step": "save"})
    answer = browser.post(address("topic", "soil.waste"), second | {"step": "save"})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "刚被他人修改" in page and "戊己庚辛" in page
    assert RuleVersion.objects.count() == 1


def test_added_topic_leads(browser):
    new = {
        "code": "water.heatpump", "name": "热泵积水", "clause": "五（一）涉水", "layer": "medium", "lead": "water",
        "scope": "in", "include": "绕圈子", "on": "on", "remark": "新事项", "base": 0, "step": "save",
    }  # fmt: skip
    browser.post(address("new_topic"), new)
    assert lead() == "water"
    again = browser.post(address("new_topic"), new | {"base": 1}).content.decode()
    assert "已有事项用这个代码" in again


def test_version_shows_its_changes_and_can_be_restored(browser):
    edited(browser, include=words() + " 绕圈子")
    page = browser.get(address("version", 1)).content.decode()
    assert "增加：<ins>绕圈子</ins>" in page and "补词" in page
    browser.post(address("version", 0))
    assert RuleVersion.objects.count() == 2 and lead() == "manual"
    assert "恢复到随系统提供的一版" in browser.get(address("versions")).content.decode()


def test_trial_shows_the_decision(browser):
    page = browser.post(address("trial"), {"text": "废油漆桶怎么处置？", "firm": ""}).content.decode()
    assert "分办建议：土壤处" in page and "<mark>" in page and "五（一）" in page


@pytest.mark.parametrize("role", ["handler", "head", "leader", "keeper", "watcher", "county_reader"])
@pytest.mark.parametrize(
    "name, args",
    [("changelist", ()), ("topic", ("soil.waste",)), ("trial", ()), ("review", ()), ("version", (0,))],
)
def test_pages_are_for_coordinators_only(signed_in, request, role, name, args):
    page = signed_in(request.getfixturevalue(role))
    assert page.get(address(name, *args)).status_code == 403
    assert page.post(address(name, *args)).status_code == 403
    assert not RuleVersion.objects.exists()


# --- The monthly review ------------------------------------------------------------------------------------------------
@pytest.fixture
def overridden(coordinator):
    """A 交办 with which 综合处 overrode the rules."""
    appointment = made.appointment(1, summary=TEXT)
    portion = assignment.AssignmentItem(made.division("土壤处"), TEXT, reason="是烘鱼的油渣")
    review.accept(appointment, [portion], trace=made.trace(appointment), by=coordinator, at=made.NOW)
    return appointment.assignments.get()


def test_review_lists_overridden_and_returned_assignments(browser, overridden, coordinator):
    back = made.assignment(
        made.appointment(2), "水处", by=coordinator, state=AssignmentState.RETURNED, return_reason="属于固废"
    )
    page = browser.get(address("review")).content.decode()
    assert all(text in page for text in ("是烘鱼的油渣", "属于固废", back.appointment.reference, "规则建议"))
    assert "这个月没有" in browser.get(address("review"), {"month": "2026-10"}).content.decode()


def test_reviewed_case_counts_in_the_next_preview(browser, overridden):
    browser.post(
        address("lesson", overridden.pk), {"text": TEXT, "division": overridden.division_id, "lesson": "case"}
    )
    kept = RoutingLesson.objects.get()
    assert (kept.lesson, kept.text, kept.division) == (Lesson.CASE, TEXT, overridden.division)
    page = edited(browser, step="preview", include=words() + " 绕圈子").content.decode()
    assert f"{CASES + 1} 条标准例" in page and "变好" in page


def test_case_that_names_the_firm_is_refused(browser, overridden):
    named = f"{overridden.appointment.enterprise_name}的油渣怎么处置"
    page = browser.post(
        address("lesson", overridden.pk),
        {"text": named, "division": overridden.division_id, "lesson": "case"},
    )
    assert "不能有" in page.content.decode() and not RoutingLesson.objects.exists()


def test_row_is_reviewed_only_once(browser, overridden):
    for _ in range(2):
        answer = browser.post(address("lesson", overridden.pk), {"lesson": "fine"}, follow=True)
    assert RoutingLesson.objects.get().lesson == Lesson.FINE
    assert "已经有人复核过" in answer.content.decode()


def test_hit_rate_counts_suggestions_that_were_kept(browser, coordinator, overridden):
    for number, division in ((3, "土壤处"), (4, "土壤处"), (5, "大气处")):
        appointment = made.appointment(number, summary="废油漆桶怎么处置？")
        review.accept(
            appointment,
            [assignment.AssignmentItem(made.division(division), appointment.summary, reason="另有原因")],
            trace=made.trace(appointment),
            by=coordinator,
            at=made.NOW,
        )
    page = browser.get(address("review")).content.decode()
    assert "2/3" in page and "67%" in page
