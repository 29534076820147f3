"""Accounts and the door: who opens them, who cannot raise themselves, and how officers come in."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.roles import Role

pytestmark = pytest.mark.django_db

ADD = reverse("admin:bureau_officer_add")
LOGIN = reverse("admin:login")
SENT_AWAY = "/desk/login/?next=/desk/assignments/"
"""Where a page of the desk leads a visitor who is not signed in. `/desk/` itself always redirects."""


@pytest.fixture
def browser(keeper, signed_in):
    return signed_in(keeper)


def address(officer, act="change"):
    return reverse(f"admin:bureau_officer_{act}", args=[officer.pk])


def particulars(**changes):
    return {
        "username": "chenxin",
        "name": "陈新",
        "roles": [Role.COORDINATOR],
        "phone": "",
        "email": "",
    } | changes


def told(answer) -> str:
    return re.search(r"<output[^>]*>([^<]+)<", answer.content.decode())[1]


def enter(username, password, **where):
    browser = Client()
    return browser, browser.post(LOGIN, {"username": username, "password": password} | where)


# --- Accounts ---------------------------------------------------------------------------------
def test_opened_account_has_a_password_that_is_shown_once(browser, keeper):
    answer = browser.post(ADD, particulars())
    officer = Officer.objects.get(username="chenxin")
    password = told(answer)
    assert officer.check_password(password)
    assert officer.roles == {Role.COORDINATOR}
    assert "no-store" in answer["Cache-Control"]
    assert password not in browser.get(address(officer)).content.decode()
    assert Entry.objects.get(verb=Verb.ACCOUNT_OPENED).actor == keeper
    assert enter("chenxin", password)[1].url == "/admin/password_change/?next=%2Fadmin%2F"


def test_only_roles_that_work_in_the_admin_are_admitted_there(browser):
    division = Division.objects.get(name="水处").pk
    browser.post(ADD, particulars())
    browser.post(ADD, particulars(username="shui", roles=[Role.HANDLER], division=division))
    assert Officer.objects.get(username="chenxin").is_staff
    assert not Officer.objects.get(username="shui").is_staff


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"username": ""}, "必填"),
        ({"username": "a b"}, "用户名只能用"),
        ({"roles": []}, "请至少选一个岗位"),
        ({"roles": ["超级管理员"]}, "没有这个选项"),
        ({"roles": [Role.HANDLER]}, "处室经办和处室负责人要选定处室"),
        ({"roles": [Role.COUNTY]}, "要选定县区或功能区"),
        ({"phone": "123"}, "手机"),
    ],
)
def test_incomplete_account_is_refused_with_the_reason(browser, changes, said):
    answer = browser.post(ADD, particulars(**changes))
    assert said in answer.content.decode()
    assert not Officer.objects.filter(name="陈新").exists()


def test_taken_user_name_is_refused_and_the_form_keeps_its_values(browser, handler):
    page = browser.post(ADD, particulars(username=handler.username)).content.decode()
    assert "已经有人使用" in page
    assert 'value="陈新"' in page


def test_rights_sent_with_the_account_form_are_ignored(browser):
    browser.post(ADD, particulars(roles=[Role.WATCH], is_superuser="on", is_staff="on", user_permissions="1"))
    officer = Officer.objects.get(username="chenxin")
    assert (officer.is_superuser, officer.is_staff) == (False, False)


def test_changed_account_has_its_new_roles_and_division(browser, handler):
    air = Division.objects.get(name="大气处").pk
    browser.post(address(handler, "account"), particulars(name="水清", roles=[Role.HEAD], division=air))
    changed = Officer.objects.get(pk=handler.pk)
    assert (changed.roles, changed.division.name) == ({Role.HEAD}, "大气处")
    assert Entry.objects.get(verb=Verb.ACCOUNT_CHANGED).facts == {
        "roles": ["处室负责人"],
        "before": ["处室经办"],
    }


def test_password_reset_ends_the_sessions_of_the_officer(browser, handler, signed_in):
    theirs = signed_in(handler)
    assert theirs.get("/desk/assignments/").status_code == 200
    password = told(browser.post(address(handler, "password")))
    handler.refresh_from_db()
    assert handler.check_password(password)
    assert theirs.get("/desk/assignments/").url == SENT_AWAY


def test_stopped_account_is_signed_out_at_once_and_can_be_started_again(browser, handler, signed_in):
    theirs = signed_in(handler)
    assert theirs.get("/desk/assignments/").status_code == 200
    browser.post(address(handler, "stop"))
    assert theirs.get("/desk/assignments/").url == SENT_AWAY
    browser.post(address(handler, "start"))
    handler.refresh_from_db()
    assert handler.is_active
    assert signed_in(handler).get("/desk/assignments/").status_code == 200


@pytest.mark.parametrize("act", ["account", "password", "stop"])
def test_keeper_cannot_change_their_own_account(browser, keeper, act):
    answer = browser.post(
        address(keeper, act), particulars(roles=[Role.SYSTEM, Role.COORDINATOR, Role.LEADER])
    )
    keeper = Officer.objects.get(pk=keeper.pk)
    assert answer.status_code == 409
    assert "不能修改自己" in answer.content.decode()
    assert (keeper.roles, keeper.is_active) == ({Role.SYSTEM}, True)
    assert "panel-account" not in browser.get(address(keeper)).content.decode()


def test_keeper_cannot_change_a_superuser(browser):
    chief = Officer.objects.create_superuser("chief", name="站长", password="Correct-horse-7")
    assert browser.post(address(chief, "password")).status_code == 409
    chief.refresh_from_db()
    assert chief.check_password("Correct-horse-7")


def test_officer_cannot_be_deleted(browser, handler):
    assert browser.post(f"/admin/bureau/officer/{handler.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Officer.objects.filter(pk=handler.pk).exists()


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM}))
def test_accounts_are_closed_to_every_other_role(role, officer, handler, signed_in):
    browser = signed_in(officer(role, "水处", area="定海区"))
    assert browser.get(ADD).status_code == 403
    assert browser.get("/admin/bureau/officer/").status_code == 403
    assert browser.post(ADD, particulars()).status_code == 403
    assert browser.post(address(handler, "password")).status_code == 403
    handler.refresh_from_db()
    assert handler.check_password("Correct-horse-7")
    assert not Officer.objects.filter(username="chenxin").exists()


def test_divisions_and_areas_are_read_only(browser):
    assert "涉水和涉海污染防治" in browser.get("/admin/bureau/division/").content.decode()
    water = Division.objects.get(name="水处")
    assert "涉水和涉海污染防治" in browser.get(f"/admin/bureau/division/{water.pk}/change/").content.decode()
    assert browser.post(f"/admin/bureau/division/{water.pk}/change/", {"name": "x"}).status_code == 405
    assert "六横管委会" in browser.get("/admin/bureau/area/").content.decode()


def test_list_of_officers_needs_a_fixed_number_of_queries(browser, officer, django_assert_max_num_queries):
    for _ in range(40):
        officer(Role.HANDLER, "水处")
    with django_assert_max_num_queries(12):
        page = browser.get("/admin/bureau/officer/").content.decode()
    assert page.count("水处") >= 40


# --- The door ---------------------------------------------------------------------------------
def test_sign_in_leads_each_officer_to_where_they_work(officer):
    officer(Role.COORDINATOR, "综合处", username="zonghe")
    officer(Role.HANDLER, "水处", username="shui", is_staff=False)
    assert enter("zonghe", "Correct-horse-7")[1].url == "/admin/"
    assert enter("shui", "Correct-horse-7")[1].url == "/desk/"
    assert enter("shui", "Correct-horse-7", next="/admin/")[1].url == "/desk/"
    assert enter("zonghe", "Correct-horse-7", next="/admin/bureau/")[1].url == "/admin/bureau/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_sign_in_never_redirects_to_another_site(officer, elsewhere):
    officer(Role.COORDINATOR, "综合处", username="zonghe")
    assert enter("zonghe", "Correct-horse-7", next=elsewhere)[1].url == "/admin/"


def test_sign_in_says_the_same_for_a_wrong_name_and_a_wrong_password(officer):
    officer(Role.COORDINATOR, "综合处", username="zonghe")
    wrong = [
        re.search(r'role="alert".*?</div>', enter(name, "nope")[1].content.decode(), re.DOTALL)[0]
        for name in ("zonghe", "unknown")
    ]
    assert wrong[0] == wrong[1]
    assert "用户名或密码不对" in wrong[0]


def test_sign_out_needs_a_post_and_clears_the_browser(browser):
    assert browser.get("/admin/logout/").status_code == 405
    answer = browser.post("/admin/logout/")
    assert "已退出" in answer.content.decode()
    assert "storage" in answer["Clear-Site-Data"]
    assert browser.get("/admin/").url == f"{LOGIN}?next=/admin/"


def test_officer_without_the_admin_can_change_their_own_password(officer, signed_in):
    who = officer(Role.HANDLER, "水处", is_staff=False)
    typed = {
        "old_password": "Correct-horse-7",
        "new_password1": "Zs-lang-2026-x",
        "new_password2": "Zs-lang-2026-x",
    }
    assert "修改密码" in signed_in(who).get(reverse("own_password")).content.decode()
    signed_in(who).post(reverse("own_password"), typed)
    who.refresh_from_db()
    assert who.check_password("Zs-lang-2026-x")
