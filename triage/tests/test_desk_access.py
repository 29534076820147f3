"""Access to the desk: login, logout, and what each role may open (七（二）)."""

import pytest
from django.urls import get_resolver, reverse

from appointments.lifecycle import Stage
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan, Reception
from triage.models import Assignment, FollowUp, FollowUpPost, Reply, ReplyVersion
from zhoushan_consult.bureau.models import Area
from zhoushan_consult.bureau.roles import Role

from . import factories
from .desk import follow_up, read

pytestmark = pytest.mark.django_db
PASSWORD = "Correct-horse-7"
ID_NUMBER = "330902199001011232"


@pytest.fixture(autouse=True)
def the_twentieth(time_machine):
    time_machine.move_to(factories.NOW, tick=False)


@pytest.fixture
def people(officer, handler, head, other_handler, watcher, leader, coordinator, keeper, county_reader):
    """One officer of each role, with some of other divisions and areas; None is a visitor who is not logged in."""
    return {
        "visitor": None,
        "handler": handler,
        "head": head,
        "other": other_handler,
        "watcher": watcher,
        "leader": leader,
        "coordinator": coordinator,
        "keeper": keeper,
        "county": county_reader,
        "other county": officer(Role.COUNTY, area="普陀区"),
        "no role": officer([]),
    }


@pytest.fixture
def row(coordinator):
    """水处's 交办 of a firm in 定海区."""
    firm = factories.appointment(
        1,
        stage=Stage.FOLLOWING,
        area=Area.objects.get(name="定海区"),
        enterprise_name="舟山甬东水产有限公司",
        contact_name="诸葛渔",
        id_number=ID_NUMBER,
        phone="13857200001",
        email="secret@example.com",
    )
    return factories.assignment(firm, "水处", by=coordinator)


@pytest.fixture
def person():
    """A person on the reception list of a published plan."""
    day = day_on(factories.DAY)
    ConsultDay.objects.filter(pk=day.pk).update(plan=Plan.PUBLISHED, place="三楼会议室")
    return Reception.objects.create(day=day, name="王海", title="副局长")


@pytest.fixture
def places(row, person):
    """The pk in each address."""
    return {
        "assignment": row.pk,
        "follow_up": follow_up(row.appointment).pk,
        "registration": row.appointment_id,
        "reception": person.pk,
    }


# The status each role gets at each address, in the order of ROLES: 200 for the page, 302 for a redirect, 404 for
# a record of others as if it did not exist, 403 for a page or an act of others.
ROLES = ["visitor", "handler", "head", "other", "watcher", "leader", "coordinator", "keeper"]
ROLES += ["county", "other county", "no role"]
GET, POST = "get", "post"
MATRIX = [
    (GET, "home", "302 302 302 302 302 302 302 302 302 302 403"),
    (GET, "login", "200 302 302 302 302 302 302 302 302 302 302"),
    (GET, "logout", "405 405 405 405 405 405 405 405 405 405 405"),
    (GET, "assignments", "302 200 200 200 403 403 403 403 403 403 403"),
    (GET, "assignment", "302 200 200 404 404 200 200 404 404 404 404"),
    (GET, "assignment_action save", "302 302 302 404 404 302 302 404 404 404 404"),
    (POST, "assignment_action save", "403 302 302 404 404 403 403 404 404 404 404"),
    # The head drafted it then, and a colleague has to send it up.
    (POST, "assignment_action submit", "403 302 409 404 404 403 403 404 404 404 404"),
    (POST, "assignment_action sign", "403 403 409 404 404 403 403 404 404 404 404"),
    (POST, "assignment_action send-back", "403 403 409 404 404 403 403 404 404 404 404"),
    (POST, "assignment_action hand-back", "403 302 302 404 404 403 403 404 404 404 404"),
    (POST, "assignment_action submit-as-it-is", "403 409 409 404 404 403 403 404 404 404 404"),
    (POST, "assignment_action save-revision", "403 409 409 404 404 403 403 404 404 404 404"),
    (POST, "assignment_action submit-revision", "403 409 409 404 404 403 403 404 404 404 404"),
    (POST, "assignment_action drop-revision", "403 409 409 404 404 403 403 404 404 404 404"),
    (GET, "follow_ups", "302 200 200 200 200 200 200 403 403 403 403"),
    (GET, "ratings", "302 200 200 200 200 200 200 403 403 403 403"),
    (GET, "follow_up", "302 200 200 404 200 200 200 404 404 404 404"),
    (GET, "follow_up_action progress", "302 302 302 404 302 302 302 404 404 404 404"),
    (POST, "follow_up_action progress", "403 302 302 404 403 403 302 404 404 404 404"),
    (POST, "follow_up_action close", "403 302 302 404 403 403 302 404 404 404 404"),
    (GET, "overview", "302 403 403 403 403 200 200 403 403 403 403"),
    (GET, "run_sheet", "302 200 200 200 403 403 403 403 403 403 403"),
    (GET, "registrations", "302 403 403 403 403 403 403 403 200 200 403"),
    (GET, "registration", "302 403 403 403 403 403 403 403 200 404 403"),
    (GET, "receptions", "302 403 403 403 200 403 200 403 403 403 403"),
    (GET, "reception", "302 403 403 403 302 403 302 403 403 403 403"),
    (POST, "reception", "403 403 403 403 302 403 302 403 403 403 403"),
]
TYPED = {"body": "请先办理排水许可。", "law": "", "version": "0", "remark": "请补依据", "reason": "不属本处"}
TYPED |= {"kind": "correction"}
TYPED |= {"answer": "absent", "why": "出差"}
TYPED |= {"text": "已到现场查看。", "result": "已接入管网。"}
CELLS = [
    pytest.param(method, target, role, int(status), id=f"{method}-{target}-{role}")
    for method, target, statuses in MATRIX
    for role, status in zip(ROLES, statuses.split(), strict=True)
]


WRITTEN = (Assignment, Reply, ReplyVersion, FollowUp, FollowUpPost, Reception)


def written_down() -> list:
    """All that a button of the desk may change."""
    return [list(model.objects.order_by("pk").values()) for model in WRITTEN]


def address(target: str, places: dict) -> str:
    name, *step = target.split()
    pk = places.get(name.removesuffix("_action"))
    return reverse(f"desk:{name}", args=[pk, *step] if pk else [])


@pytest.mark.parametrize("method, target, role, status", CELLS)
def test_each_role_opens_only_the_addresses_of_its_own_work(
    method, target, role, status, people, places, client, signed_in
):
    who = people[role]
    browser = signed_in(who) if who else client
    before = written_down()
    response = getattr(browser, method)(address(target, places), TYPED if method == POST else None)
    assert response.status_code == status
    assert (written_down() != before) is (method == POST and status == 302)
    if not who and status == 302:
        assert response.url.startswith("/desk/login/?next=/desk/")


def test_matrix_covers_every_address_of_the_desk():
    names = {pattern.name for pattern in get_resolver("triage.desk.urls").url_patterns}
    assert names == {target.split()[0] for _, target, _ in MATRIX}


@pytest.mark.parametrize("role", ["other", "other county", "keeper", "no role"])
def test_firm_is_hidden_from_roles_without_its_work(role, people, places, signed_in):
    browser = signed_in(people[role])
    for _, target, _ in MATRIX:
        body = browser.get(address(target, places), follow=True).content.decode()
        assert "舟山甬东水产" not in body and "诸葛渔" not in body


@pytest.mark.parametrize("role", ["handler", "head", "watcher", "leader", "coordinator", "county"])
def test_id_number_and_email_are_never_shown(role, people, places, signed_in):
    browser = signed_in(people[role])
    for _, target, _ in MATRIX:
        body = browser.get(address(target, places), follow=True).content.decode()
        assert ID_NUMBER not in body and "19900101" not in body and "secret@example.com" not in body


def test_handler_sees_the_whole_phone_and_watcher_a_masked_one(people, row, places, signed_in):
    handler, watcher = (signed_in(people[role]) for role in ("handler", "watcher"))
    own = handler.get(address("assignment", places)).content.decode()
    watched = watcher.get(address("follow_up", places)).content.decode()
    assert "138 5720 0001" in own and 'href="tel:+8613857200001"' in own and "诸葛渔" in own
    assert (
        "138****0001" in watched and "5720" not in watched and "诸葛渔" not in watched and "诸**" in watched
    )


def test_county_sees_the_contact_of_a_registration_masked(people, places, signed_in):
    words = read(signed_in(people["county"]).get(address("registration", places)))
    assert "舟山甬东水产有限公司" in words and "诸**" in words and "138****0001" in words
    assert "诸葛渔" not in words


def test_unknown_steps_and_impossible_numbers_are_not_found(people, places, signed_in):
    browser = signed_in(people["handler"])
    for path in ("assignments/1/release/", "assignments/x/", f"assignments/{10**30}/", "follow-ups/0/"):
        assert browser.get(f"/desk/{path}").status_code == 404


# --- Login and logout -------------------------------------------------------------------------------------

LANDINGS = {
    "handler": "/desk/assignments/",
    "head": "/desk/assignments/",
    "watcher": "/desk/follow-ups/",
    "leader": "/desk/overview/",
    "county": "/desk/registrations/",
    "coordinator": "/admin/",
    "keeper": "/admin/",
}


@pytest.mark.parametrize("role, landing", LANDINGS.items())
def test_login_leads_each_role_to_its_own_page(role, landing, people, client):
    response = client.post("/desk/login/", {"username": people[role].username, "password": PASSWORD})
    assert (response.status_code, response.url) == (302, landing)


def test_login_leads_to_the_page_that_was_asked_for(people, places, client):
    asked = client.get(address("assignment", places))
    response = client.post(asked.url, {"username": people["handler"].username, "password": PASSWORD})
    assert response.url == address("assignment", places)


def test_text_sent_after_the_session_expired_is_shown_again(places, client):
    page = client.post(address("assignment_action save", places), TYPED | {"body": "写了四十分钟的答复"})
    assert "登录已超时" in read(page) and "写了四十分钟的答复" in read(page)
    assert "/desk/login/?next=/desk/assignments/" in page.content.decode()


def test_login_does_not_redirect_to_another_site(people, client):
    path = "/desk/login/?next=https://evil.example/"
    response = client.post(path, {"username": people["handler"].username, "password": PASSWORD})
    assert response.url == "/desk/assignments/"


@pytest.mark.parametrize(
    "username, password, says",
    [
        ("worker", PASSWORD, "用户名或密码不对"),
        ("officer1", "wrong", "用户名或密码不对"),
        ("", "", "请填写用户名"),
    ],
)
def test_failed_login_does_not_say_whether_name_or_password_is_wrong(
    username, password, says, people, client
):
    response = client.post("/desk/login/", {"username": username, "password": password})
    assert response.status_code == 200 and says in read(response)
    assert "_auth_user_id" not in client.session


def test_logout_needs_a_post_and_ends_the_session(people, client):
    client.post("/desk/login/", {"username": people["handler"].username, "password": PASSWORD})
    cookie = client.cookies["session"].value
    assert client.get("/desk/logout/").status_code == 405
    assert client.get("/desk/assignments/").status_code == 200
    left = client.post("/desk/logout/", follow=True)
    assert "您已退出登录" in read(left)
    client.cookies["session"] = cookie
    sent_away = client.get("/desk/assignments/")
    assert (sent_away.status_code, sent_away.url) == (302, "/desk/login/?next=/desk/assignments/")


def test_get_requests_change_nothing(people, places, signed_in):
    before = written_down()
    for who in filter(None, people.values()):
        browser = signed_in(who)
        for _, target, _ in MATRIX:
            browser.get(address(target, places), TYPED)
    assert written_down() == before


def test_action_without_a_csrf_token_is_refused(people, places, signed_in):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.cookies = signed_in(people["handler"]).cookies
    assert browser.post(address("assignment_action save", places), TYPED).status_code == 403
    assert not Assignment.objects.filter(replies__isnull=False).exists()


def test_desk_pages_are_not_stored_by_the_browser(people, places, signed_in):
    browser = signed_in(people["handler"])
    for target in ("assignments", "assignment", "follow_up"):
        assert "no-store" in browser.get(address(target, places))["Cache-Control"]
