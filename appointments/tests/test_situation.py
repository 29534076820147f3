"""The situation of a registration: a table of cases, and a walk through all combinations that reads the sentences aloud."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from appointments.lifecycle import ENDED, Stage
from appointments.situation import (
    ANSWERS,
    CONSEQUENCES,
    FIRM_ACTS,
    STAFF_ACTS,
    Facts,
    FirmAct,
    Situation,
    StaffAct,
    Turn,
    consequence,
    situation_of,
    why_not,
)
from sessions_app import calendar

from .situations import DAY, PLACE, WORK, at, facts

TABLE = Path(__file__).with_name("data") / "situations.txt"


def lines() -> Iterator[str]:
    text = TABLE.read_text(encoding="utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))


@pytest.mark.parametrize("line", list(lines()), ids=lambda line: line.partition(" | ")[0])
def test_situation_is_what_the_table_says(line):
    words, where, firm, staff, says = (part.strip() for part in line.split(" | "))
    found = situation_of(facts(words))
    assert f"{found.step} {found.tag} {found.next.turn} {moment(found.next.by)}" == where
    assert acts(FirmAct, found.firm_acts) == firm
    assert acts(StaffAct, found.staff_acts) == staff
    assert " // ".join(filter(None, (found.next.what, found.standing))) == says


def moment(when: datetime | None) -> str:
    if when is None:
        return "-"
    local = when.astimezone(calendar.SHANGHAI)
    return f"{local:%m-%dT%H:%M}" if local.year == 2026 else f"{local:%Y-%m-%dT%H:%M}"


def acts(kind: type, found: frozenset) -> str:
    return " ".join(act.value for act in kind if act in found) or "-"


def test_table_has_every_stage_act_turn_and_mark():
    found = [situation_of(facts(line.partition(" | ")[0])) for line in lines()]
    assert {each.stage for each in found} == set(Stage)
    assert {each.next.turn for each in found} == set(Turn)
    assert {each.tag for each in found} == {"wait", "go", "act", "stop", "done"}
    assert frozenset().union(*(each.firm_acts for each in found)) == set(FirmAct)
    assert frozenset().union(*(each.staff_acts for each in found)) == set(StaffAct)


@pytest.mark.parametrize(
    ("words", "act", "says"),
    [
        (
            "submitted 11-20T10:00",
            "withdraw",
            "撤回后，这份登记不再办理，需要时可以重新登记，按新的登记时间排队。",
        ),
        (
            "accepted 12-02T10:00 open priority",
            "withdraw",
            "撤回后，这份登记不再办理，已交处室的问题不再答复，优先资格同时用完，需要时可以重新登记，按新的登记时间排队。",
        ),
        (
            "accepted 12-02T10:00 open took",
            "withdraw",
            (
                "撤回后，这份登记不再办理，已交处室的问题不再答复，优先资格退回到贵单位11月10日（周二）的登记，"
                "需要时可以重新登记，按新的登记时间排队。"
            ),
        ),
        (
            "seated 12-02T10:00 settled confirmed priority",
            "give-up",
            "放弃后，现场名额递补给下一家，优先资格同时用完，问题改为书面答复。",
        ),
        (
            "seated 12-02T10:00 settled confirmed replied",
            "give-up",
            "放弃后，现场名额递补给下一家，问题改为书面答复。",
        ),
        (
            "seated 12-02T10:00 settled confirmed replied",
            "enough",
            "确认后，登记随即办结，现场名额递补给下一家，还没有答复的问题不再答复。30天内仍未解决的，可以在进度页反馈。",
        ),
        (
            "deferred 12-02T10:00 settled partly",
            "enough",
            (
                "确认后，登记随即办结，不再安排本期或下期的现场咨询，还没有答复的问题不再答复。"
                "30天内仍未解决的，可以在进度页反馈。"
            ),
        ),
        (
            "following 12-11T10:00",
            "solved",
            "确认后，登记随即办结，还没有办完的事项不再继续。30天内又有问题的，可以在进度页反馈“未解决”。",
        ),
        (
            "deferred 12-02T10:00 settled open",
            "still-onsite",
            "确认后，登记转到1月10日（周日）这一期，优先安排现场名额。本期有空出的名额，不再通知您。",
        ),
        (
            "deferred 12-12T10:00 settled open",
            "still-onsite",
            "确认后，登记转到1月10日（周日）这一期，优先安排现场名额。",
        ),
        (
            "deferred 12-12T10:00 settled open own",
            "still-onsite",
            "确认后，优先资格转到贵单位1月10日（周日）的登记，优先安排现场名额；这份登记的问题先书面答复。",
        ),
        ("seated 12-02T10:00 settled offered", "confirm", ""),
        ("submitted 11-20T10:00", "amend", ""),
    ],
)
def test_page_that_asks_once_names_the_consequence(words, act, says):
    assert consequence(FirmAct(act), facts(words)) == says


# --- All combinations ------------------------------------------------------------------------------------------------
MOMENTS = {
    "while booking is open": "11-20T10:00",
    "while the list is settled": "12-02T10:00",
    "on the eve": "12-09T19:00",
    "before the doors open": "12-10T08:15",
    "during the day": "12-10T09:30",
    "after the day": "12-10T12:00",
    "weeks later": "12-28T10:00",
}
SEATS = ("offered", "offered=12-04T09:00", "offered=12-09T18:00", "confirmed", "confirmed checked-in")


def combinations() -> Iterator[str]:
    """Every combination of facts that can come about, in words."""
    for stage, when in product(Stage, MOMENTS.values()):
        for more in product(*choices(stage, at(when))):
            yield " ".join(filter(None, (stage, when, *more)))


def choices(stage: Stage, now: datetime) -> list[tuple[str, ...]]:
    """For each fact, the values that it can have at this stage and instant."""
    closed, begun = now >= calendar.booking_closes(DAY), now >= calendar.starts_at(DAY)
    settled = ("", "settled") if closed else ("",)
    work = tuple(WORK)
    if stage == Stage.SEATED:
        seats = SEATS if now >= calendar.local_datetime(DAY) else SEATS[:-1]
        return [("settled",), ("", "unpublished"), seats, work, ("", "written"), ("", "priority")]
    if stage == Stage.DEFERRED:
        basis, day = ("", "priority", "took", "seated-since"), ("", "free", "own", "cancelled")
        return [("settled",), day, ("place=2",), work, basis, terms("answer-by")]
    if stage in (Stage.SUBMITTED, Stage.ACCEPTED):
        there = work if stage == Stage.ACCEPTED else ("",)
        day = ("", "unpublished", "cancelled")
        ways = ("place=1", "place=1 priority", "place=2 took", "written", "written handed")
        return [settled, day, there, ways, ("", "other" if begun else "")]
    if stage in (Stage.HEARD, Stage.ABSENT, Stage.ANSWERED):
        if stage != Stage.ANSWERED and now < calendar.local_datetime(DAY):
            return [()]
        written = ("written", "written handed") if stage == Stage.ANSWERED else ("",)
        return [written, work, terms("answer-by"), ("", "rated")]
    if stage == Stage.FOLLOWING:
        return [("", "written"), work, ("", "following=12-25", "following=12-04"), ("", "rated")]
    if stage == Stage.CLOSED:
        more = [("", "rated"), ("", "other"), ("", "told-lately")]
        return [("", "written"), terms("reopen-until"), *more]
    return [("", "other"), ("", "told-lately")]


def terms(name: str) -> tuple[str, ...]:
    return "", f"{name}=12-09T20:00", f"{name}=12-27T09:00", f"{name}=2027-01-19T10:00"


def sentences(known: Facts, found: Situation) -> Iterator[str]:
    """Everything that a person may read in this situation."""
    yield found.next.what
    if found.standing:
        yield found.standing
    for act in found.firm_acts & CONSEQUENCES.keys():
        yield consequence(act, known)
    for act in (*FIRM_ACTS, *STAFF_ACTS):
        if refusal := why_not(act, known):
            yield refusal


@cache
def walk() -> list[tuple[str, Facts, Situation]]:
    told = [(words, facts(words)) for words in combinations()]
    return [(words, known, situation_of(known)) for words, known in told]


def test_walk_reaches_thousands_of_situations_and_a_hundred_sentences():
    told = {sentence for _, known, found in walk() for sentence in sentences(known, found)}
    assert len(walk()) > 3000
    assert len(told) > 100
    assert {found.stage for _, _, found in walk()} == set(Stage)


CHINESE = re.compile(r"[一-鿿0-9，。、：；（）“”—:？ ]+")
CLUMSY = re.compile(r"[，。、：；]{2}|None|（）|由跟踪|^正在|。正在研究| ，")


def test_every_sentence_is_plain_chinese_and_ends():
    for words, known, found in walk():
        for sentence in sentences(known, found):
            assert CHINESE.fullmatch(sentence), (words, sentence)
            assert not CLUMSY.search(sentence), (words, sentence)
            assert sentence.endswith("。"), (words, sentence)


def test_no_sentence_names_a_place_before_its_plan_is_published():
    for words, known, found in walk():
        named = any(PLACE in sentence for sentence in sentences(known, found))
        assert not (named and not known.day.published), words
    assert any(PLACE in found.next.what for _, _, found in walk())


def test_who_asked_for_a_written_reply_reads_nothing_of_coming():
    for words, known, found in walk():
        if not known.wants_onsite and known.seat is None and not known.handed_to:
            read = f"{found.next.what}{found.standing}"
            assert not re.search("参加|现场名单|名额|地点|登记到|候补", read), (words, read)


PAST = re.compile(r"^（周.）(的活动已|取得优先资格|已过|的登记)")
"""What is said of a date that is past: that it is."""
DATE = re.compile(r"(\d+)月(\d+)日")


def test_no_sentence_looks_forward_to_a_date_that_is_past():
    for words, known, found in walk():
        today = known.now.astimezone(calendar.SHANGHAI).date()
        for sentence in sentences(known, found):
            for named in DATE.finditer(sentence):
                day = date_near(today, int(named[1]), int(named[2]))
                assert day >= today or PAST.match(sentence[named.end() :]), (words, sentence)


def date_near(today: date, month: int, day: int) -> date:
    """The date that people understand: within half a year."""
    years = (today.year - 1, today.year, today.year + 1)
    return min((date(year, month, day) for year in years), key=lambda each: abs(each - today))


def test_no_sentence_asks_for_an_answer_until_an_hour_that_is_past():
    for words, known, found in walk():
        for hour in re.findall(r"(\d+月\d+日（周.）\d+:\d\d)前", found.next.what):
            assert hour in {calendar.moment(by) for by in ends(known) if by >= known.now}, (words, hour)


def ends(known: Facts) -> list[datetime]:
    seat_until = known.seat.reply_by if known.seat else None
    return [by for by in (known.answer_by, known.reopen_until, seat_until) if by]


INVITES = {
    "可以修改或撤回": {FirmAct.AMEND, FirmAct.WITHDRAW},
    "确认是否参加": {FirmAct.CONFIRM, FirmAct.GIVE_UP},
    "现在就可以选择": {FirmAct.STILL_ONSITE},
    "仍需现场咨询的，1月10日": {FirmAct.STILL_ONSITE},
    "书面答复是否已够": {FirmAct.ENOUGH},
    "请告诉我们问题是否解决": {FirmAct.SOLVED, FirmAct.UNSOLVED},
    "可以在本页反馈": {FirmAct.UNSOLVED},
    "欢迎评价": {FirmAct.RATE},
}
"""Words with which the page asks for an act: it must be open then."""


def test_what_a_sentence_invites_to_is_open():
    met = set()
    for words, _, found in walk():
        for said, wanted in INVITES.items():
            if said in found.next.what:
                met.add(said)
                assert wanted <= found.firm_acts, (words, said)
    assert met == set(INVITES)


def test_refusal_that_names_another_way_names_one_that_is_open():
    ways = {"补充问题": FirmAct.SUPPLEMENT, "修改登记": FirmAct.AMEND}
    for words, known, found in walk():
        for act, (name, way) in product(FirmAct, ways.items()):
            assert f"“{name}”" not in why_not(act, known) or way in found.firm_acts, (words, act)


def test_it_is_always_somebodys_turn_until_the_end():
    for words, known, found in walk():
        assert (found.next.turn == Turn.NONE) == (known.stage in ENDED), words
        on_the_way = known.seat is not None and (known.seat.confirmed or known.day_begun)
        if found.next.turn == Turn.FIRM and not on_the_way:
            assert found.firm_acts & ANSWERS, words
            assert found.next.by is None or found.next.by > known.now, words


def test_mark_that_asks_the_firm_to_act_stands_only_where_it_can():
    for words, _, found in walk():
        assert found.tag != "act" or found.asks_firm, words
        assert 1 <= found.step <= len(found.steps), words


def test_term_of_the_reply_is_shown_until_it_is_past():
    shown = {
        (known.now < at("12-09T20:00"), found.reply_due_on) for _, known, found in walk() if known.work.open
    }
    assert shown == {(True, date(2026, 12, 9)), (False, None)}
    assert not any(found.reply_due_on for _, known, found in walk() if not known.work.open)


def test_what_the_firm_must_keep_ends_at_a_whole_hour_of_the_day():
    for words, known, found in walk():
        if found.next.turn == Turn.FIRM and found.next.by and not known.seat:
            local = found.next.by.astimezone(calendar.SHANGHAI)
            assert (local.minute, local.second) == (0, 0), words
            assert 8 <= local.hour <= 20, words


def test_acts_about_a_day_end_with_it():
    for words, known, found in walk():
        if known.day_begun:
            over = {FirmAct.CONFIRM, FirmAct.GIVE_UP}
            assert not found.firm_acts & over, words
            assert not found.staff_acts & {StaffAct.CONFIRM, StaffAct.GIVE_UP, StaffAct.EXTRA_SEAT}, words
            assert known.stage != Stage.SEATED or found.firm_acts == {FirmAct.CONTACT}, words
        if known.now >= calendar.local_datetime(DAY + timedelta(days=1)):
            assert not found.staff_acts & {StaffAct.CHECK_IN, StaffAct.CALL_IN}, words


def test_nobody_leaves_after_checking_in():
    for words, known, found in walk():
        if known.work.checked_in:
            assert found.firm_acts == {FirmAct.CONTACT}, words
            assert found.staff_acts == {StaffAct.ADD, StaffAct.CONCLUDE, StaffAct.CONTACT}, words
