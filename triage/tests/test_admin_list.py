"""预约登记 as a list: filters, search, pages, and personal data masked."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments.lifecycle import Stage
from triage.tests import factories as made
from zhoushan_consult.bureau.models import Area
from zhoushan_consult.identity import phone

pytestmark = pytest.mark.django_db
LIST = reverse("admin:appointments_appointment_changelist")


@pytest.fixture(autouse=True)
def at_now():
    with time_machine.travel(made.NOW, tick=False):
        yield


@pytest.fixture
def browser(coordinator, signed_in):
    return signed_in(coordinator)


def listed(answer) -> set[int]:
    """The numbers of the firms on the page."""
    page = answer.content.decode()
    return {number for number in range(1, 200) if f"测试{number}号" in page}


def see(browser, **filters) -> set[int]:
    return listed(browser.get(LIST, filters))


def find(browser, text) -> set[int]:
    return listed(browser.post(LIST, {"q": text}))


def test_list_opens_on_open_registrations_for_the_coming_day(browser):
    made.appointment(1)
    made.appointment(2, stage=Stage.CLOSED)
    made.appointment(3, on=date(2026, 11, 10))
    assert see(browser) == {1}


def test_list_masks_names_phones_and_id_numbers(browser):
    row = made.appointment(1, contact_name="欧阳测试")
    page = browser.get(LIST).content.decode()
    assert row.masked_phone in page
    for whole in (row.id_number.open(), phone.format_phone(row.phone_number), "欧阳测试", row.summary):
        assert whole not in page


def test_list_filters_by_stage_day_division_area_and_channel(browser, coordinator):
    dinghai = Area.objects.get(name="定海区")
    made.appointment(1, area=dinghai)
    made.appointment(2, channel="phone")
    made.appointment(3, stage=Stage.CLOSED)
    made.appointment(4, on=date(2026, 11, 10))
    made.assignment(made.appointment(5, stage=Stage.ACCEPTED), "水处", by=coordinator)
    assert see(browser, area="dinghai") == {1}
    assert see(browser, channel="phone") == {2}
    assert see(browser, stage="closed") == {3}
    assert see(browser, stage="all") == {1, 2, 3, 5}
    assert see(browser, day="2026-11") == {4}
    assert see(browser, day="all", stage="submitted") == {1, 2, 4}
    assert see(browser, division="water") == {5}
    assert see(browser, division="air") == set()


@pytest.mark.parametrize(
    "query",
    [
        "?stage=nothing&day=x",
        "?day=9999-99",
        "?p=0",
        "?p=abc",
        "?p=999999",
        "?_to_field=id_number",
        "?_popup=1",
        "?o=1.-9",
        "?id_number__startswith=1",
        "?e=1",
        "?division=%27%20or%201=1",
        "?all=",
    ],
)
def test_unknown_query_parameters_still_return_the_list(browser, query):
    made.appointment(1)
    assert browser.get(LIST + query).status_code == 200


def test_search_finds_a_whole_reference_code_or_phone_in_any_notation(browser):
    row = made.appointment(1)
    made.appointment(2)
    assert find(browser, row.reference.lower().replace("-", " ")) == {1}
    assert find(browser, f" {row.uscc.lower()} ") == {1}
    assert find(browser, phone.format_phone(row.phone_number)) == {1}
    assert find(browser, row.phone_number) == {1}


def test_search_finds_an_id_number_only_as_a_whole(browser):
    number = made.appointment(1).id_number.open()
    made.appointment(2)
    assert find(browser, number) == {1}
    assert find(browser, f"{number[:6]} {number[6:14]} {number[14:]}".lower()) == {1}
    for part in (number[:17], number[-4:], number[:6], "*" * 18, "%"):
        assert find(browser, part) == set()


def test_search_finds_part_of_a_firm_name_at_any_stage(browser):
    made.appointment(1, stage=Stage.CLOSED, on=date(2020, 1, 10))
    assert find(browser, "测试1号") == {1}


@pytest.mark.parametrize(
    "typed",
    [
        "舟山（定海）水产",
        "舟山(定海)水产",
        "舟山定海水产",
        "舟山 定海 水产",
        "舟山　定海水产测试1号",
        "定海 测试1号",
        "【定海】水产",
        "（舟山）",
    ],
)
def test_search_finds_a_name_with_its_brackets_and_blanks_as_people_type_them(browser, typed):
    made.appointment(1, enterprise_name="舟山（定海） 水产测试1号有限公司")
    made.appointment(2, enterprise_name="嵊泗海运测试2号有限公司")
    assert find(browser, typed) == {1}


def test_search_finds_names_stored_with_narrow_brackets_or_none(browser):
    made.appointment(1, enterprise_name="Zhoushan(定海)水产测试1号有限公司")
    made.appointment(2, enterprise_name="zhoushan定海水产测试2号有限公司")
    made.appointment(3, enterprise_name="zhoushan岱山水产测试3号有限公司")
    assert find(browser, "ZHOUSHAN（定海）水产") == {1, 2}


def test_search_of_brackets_alone_finds_nothing(browser):
    made.appointment(1)
    for typed in ("（）", "(", "-", "· ·"):
        assert find(browser, typed) == set()


def test_search_finds_the_last_four_digits_of_a_telephone(browser):
    made.appointment(1, phone="+8613857204321")
    made.appointment(2, phone="+865802004321;ext=8001")
    made.appointment(3, phone="+8613843217200")
    assert find(browser, "4321") == find(browser, "４３２１") == {1, 2}
    for part in ("321", "04321", "138"):
        assert find(browser, part) == set()


def test_search_finds_a_land_line_as_callers_say_it(browser):
    made.appointment(1, phone="+865802021234;ext=8001")
    made.appointment(2, phone="+865802021234")
    made.appointment(3, phone="+865802029999")
    for typed in ("0580-2021234", "05802021234", "2021234", "电话：0580-2021234"):
        assert find(browser, typed) == {1, 2}
    assert find(browser, "0580-2021234转8001") == {1}
    assert find(browser, "0580-2021234转8002") == set()


def test_search_finds_a_code_that_was_copied_with_its_label(browser):
    code = made.appointment(1).uscc
    made.appointment(2)
    assert find(browser, f"统一社会信用代码：{code}") == find(browser, f"代码 {code.lower()}。") == {1}


def test_search_takes_words_with_commas_between_them_and_of_either_width(browser):
    made.appointment(1, enterprise_name="舟山海力生集团测试1号有限公司", summary="RTO 怎样选型？")
    made.appointment(2, enterprise_name="舟山海力生鱼粉测试2号有限公司", summary="污泥怎样处置？")
    assert find(browser, "海力生，集团") == find(browser, "海力生、ＲＴＯ") == {1}
    assert find(browser, "，、") == set()


def test_search_finds_the_words_of_a_question(browser):
    made.appointment(1, summary="退役渔船拆解后的含油废水，怎样接入市政管网？")
    made.appointment(2, summary="含油废水怎样处置？")
    made.appointment(3, summary="焊接烟尘怎样收集？")
    assert find(browser, "含油废水") == {1, 2}
    assert find(browser, "管网 含油废水") == {1}
    assert find(browser, "测试2号 含油废水") == {2}
    assert find(browser, "含油废水 焊接") == set()


def test_search_lists_firms_of_the_name_before_those_that_ask_about_it(browser):
    old = made.NOW - timedelta(days=300)
    made.appointment(60, enterprise_name="含油废水处理测试60号有限公司", submitted_at=old)
    for number in range(1, 56):
        made.appointment(number, summary="含油废水怎样处置？")
    page = browser.post(LIST, {"q": "含油废水"})
    assert 60 in listed(page) and page.context["page"].paginator.count == 56
    rows = [row.enterprise_name for row, _ in page.context["rows"]]
    assert rows[0] == "含油废水处理测试60号有限公司" and "测试55号" in rows[1]


def test_first_page_has_the_search_for_those_who_read_all_registrations(browser, signed_in, keeper):
    made.appointment(1)
    page = browser.get("/admin/").content.decode()
    action = re.search(r'<form method="post" role="search" action="([^"]+)"', page)[1]
    assert listed(browser.post(action, {"q": "测试1号"})) == {1}
    assert 'role="search"' not in signed_in(keeper).get("/admin/").content.decode()


def test_search_result_does_not_repeat_the_whole_id_number(browser):
    number = made.appointment(1).id_number.open()
    answer = browser.post(LIST, {"q": number})
    assert number not in answer.content.decode()
    assert "找到 1 条" in answer.content.decode()


def test_search_text_never_appears_in_an_address(browser):
    number = made.appointment(1).id_number.open()
    answer = browser.post(LIST, {"q": number})
    assert answer.status_code == 200
    assert f"?q={number}" not in answer.content.decode()
    assert listed(browser.get(LIST, {"q": number})) == {1}  # an address with a search in it is only the list


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "%",
        "_",
        "'; drop table--",
        "\ufdfa" * 100,  # NFKC makes eighteen characters of each
        "a " * 50,
        "😀" * 60,
        "長" * 5000,
        "\u202e\u200b",
        "(((",
        "\\",
        "１３８００００",
        "0x00",
        "-",
        "+",
        "*",
    ],
)
def test_search_accepts_unusual_text_without_an_error(browser, text):
    made.appointment(1)
    assert browser.post(LIST, {"q": text}).status_code == 200


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\x1b[31m"])
def test_control_characters_in_search_or_filter_are_a_bad_request(browser, text):
    assert browser.post(LIST, {"q": text}).status_code == 400
    assert browser.get(LIST, {"stage": text}).status_code == 400


def test_empty_list_says_what_will_appear_there(browser):
    assert "企业在网上登记后会出现在这里" in browser.get(LIST).content.decode()


def test_page_links_keep_the_filters(browser):
    for number in range(1, 53):
        made.appointment(number)
    first = browser.get(LIST, {"stage": "submitted"})
    assert "stage=submitted&amp;p=2" in first.content.decode()
    assert listed(first) | see(browser, stage="submitted", p=2) == set(range(1, 53))


def test_list_query_count_is_the_same_for_one_row_and_for_sixty(
    browser, coordinator, django_assert_max_num_queries
):
    made.appointment(1)
    browser.get("/admin/")
    with django_assert_max_num_queries(12) as few:
        browser.get(LIST)
    for number in range(2, 61):
        made.assignment(made.appointment(number, area=Area.objects.first()), "水处", by=coordinator)
    with django_assert_max_num_queries(12) as many:
        browser.get(LIST)
    assert len(few) == len(many)


def test_list_is_refused_to_roles_that_may_not_read_all_registrations(
    signed_in, handler, keeper, county_reader
):
    for who in (handler, keeper, county_reader):
        assert signed_in(who).get(LIST).status_code == 403
        assert signed_in(who).post(LIST, {"q": "测试"}).status_code == 403
