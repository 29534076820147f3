"""Two tabs of one browser, and pages that are old by now: nothing is done to another registration, and nothing is overwritten."""

import html
import re

import pytest

from appointments import contact, situation
from appointments.lifecycle import Stage
from appointments.models import Appointment, StageMove
from triage.tests.factories import NOW, appointment, officer, released, seated
from zhoushan_consult.bureau.roles import Role

pytestmark = pytest.mark.django_db

ASKED_ONCE = {"withdraw", "give-up", "still-onsite", "enough", "solved"}


@pytest.fixture(autouse=True)
def the_twentieth(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def open_page(client):
    """Looks a registration up, as a firm does in one of its tabs."""

    def look_up(of: Appointment, path: str = "/status/") -> str:
        phone = of.phone_number.removeprefix("+86")
        client.post("/status/", {"reference": of.reference, "phone": phone})
        return client.get(path).content.decode()

    return look_up


def fields(page: str, act: str) -> dict[str, str]:
    """The form of `act` as the page fills it in: hidden fields, texts and the chosen buttons."""
    form = re.search(f'<form [^>]*action="/status/{act}/[^>]*>(.*?)</form>', page, re.DOTALL)[1]
    found = {}
    for field in re.findall("<input [^>]*>", form):
        if 'type="radio"' in field and " checked" not in field:
            continue
        name, value = re.search('name="([^"]+)"', field), re.search('value="([^"]*)"', field)
        if name:
            found[name[1]] = html.unescape(value[1]) if value else ""
    texts = re.findall(r'<textarea name="(\w+)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL)
    return found | {name: html.unescape(text) for name, text in texts}


def with_reply(number: int, **columns) -> Appointment:
    made = appointment(number, **columns)
    released(made, "水处", "可以接入。", by=officer(Role.HANDLER, "水处"))
    return made


FIRMS = {
    "withdraw": appointment,
    "amend": appointment,
    "contact": appointment,
    "confirm": seated,
    "give-up": seated,
    "supplement": lambda number: appointment(number, stage=Stage.ACCEPTED),
    "still-onsite": lambda number: appointment(number, stage=Stage.DEFERRED),
    "enough": lambda number: with_reply(number, stage=Stage.DEFERRED),
    "solved": lambda number: appointment(number, stage=Stage.ANSWERED),
    "unsolved": lambda number: appointment(number, stage=Stage.ANSWERED),
    "rate": lambda number: appointment(number, stage=Stage.ANSWERED),
}
TYPED = {
    "amend": {"summary": "另一个问题"},
    "contact": {"phone": "13900001111"},
    "supplement": {"text": "污泥呢？"},
    "unsolved": {"reason": "还差清单"},
    "rate": {"grade": "5"},
}


@pytest.mark.parametrize("act", situation.FirmAct.values)
def test_form_of_one_registration_does_nothing_to_the_other_that_was_opened_since(act, client, open_page):
    first, second = FIRMS[act](1), FIRMS[act](2)
    path = f"/status/{act}/" if act in ASKED_ONCE | {"amend", "contact"} else "/status/"
    behind = fields(open_page(first, path), act) | TYPED.get(act, {})
    open_page(second)
    before = state()
    page = client.post(f"/status/{act}/", behind, follow=True).content.decode()
    assert state() == before
    assert f"刚才那一页是另一份登记的，没有办理。现在打开的是受理编号 {second.reference}。" in page
    if act not in ("confirm", *ASKED_ONCE):
        # What was typed waits for the registration that it is about.
        assert "刚才填写的内容都在" in page
        kept = fields(open_page(first, path), act)
        assert {name: kept[name] for name in TYPED[act]} == TYPED[act]


def state() -> list:
    columns = ("pk", "stage", "summary", "phone", "seat__confirmed_at", "rating", "supplements")
    return [*Appointment.objects.order_by("pk").values_list(*columns), StageMove.objects.count()]


@pytest.mark.parametrize("act", situation.FirmAct.values)
def test_form_does_its_act_while_its_registration_is_open(act, client, open_page):
    made = FIRMS[act](1)
    path = f"/status/{act}/" if act in ASKED_ONCE | {"amend", "contact"} else "/status/"
    sent = fields(open_page(made, path), act) | TYPED.get(act, {})
    before = state()
    for _ in range(2):
        page = client.post(f"/status/{act}/", sent, follow=True).content.decode()
        assert state() != before
        assert "没有办理" not in page and "没有保存" not in page


# --- Somebody changed the registration since the page was opened ------------------------------------------------------
def test_amendment_does_not_undo_the_contact_that_an_officer_corrected_meanwhile(client, open_page):
    made = appointment()
    behind = fields(open_page(made, "/status/amend/"), "amend") | {"summary": "改写的问题"}
    correct_phone(made, "+8613900002222")
    page = client.post("/status/amend/", behind, follow=True).content.decode()
    after = Appointment.objects.get()
    assert (after.phone_number, after.summary) == ("+8613900002222", made.summary)
    assert "本次没有保存" in page and "改写的问题</textarea>" in page
    assert "<dt>联系电话</dt>" in page and "139 0000 2222" in page
    # With both before their eyes, the firm decides.
    client.post("/status/amend/", fields(page, "amend") | {"phone": "13900002222"})
    after.refresh_from_db()
    assert (after.phone_number, after.summary) == ("+8613900002222", "改写的问题")


def test_second_tab_does_not_undo_the_amendment_of_the_first(client, open_page):
    made = appointment()
    behind = fields(open_page(made, "/status/amend/"), "amend")
    client.post("/status/amend/", behind | {"summary": "第一页的问题"})
    page = client.post("/status/amend/", behind | {"address": "普陀区"}, follow=True).content.decode()
    after = Appointment.objects.get()
    assert (after.summary, after.address) == ("第一页的问题", "")
    assert "第一页的问题" in page and 'value="普陀区"' in page


def test_correction_of_one_field_does_not_undo_another_that_an_officer_corrected(client, open_page):
    made = appointment(stage=Stage.ACCEPTED)
    behind = fields(open_page(made, "/status/contact/"), "contact") | {"email": "new@example.com"}
    correct_phone(made, "+8613900002222")
    page = client.post("/status/contact/", behind, follow=True).content.decode()
    after = Appointment.objects.get()
    assert (after.phone_number, after.email) == ("+8613900002222", "")
    assert "本次没有保存" in page and "139 0000 2222" in page and 'value="new@example.com"' in page


def correct_phone(of: Appointment, phone: str) -> None:
    changed = contact.Contact(contact_name=of.contact_name, phone=phone)
    contact.correct(of, changed, "企业来电", by=officer(Role.COORDINATOR, "综合处"), at=NOW)


# --- The form is not open any more ------------------------------------------------------------------------------------
def test_form_to_amend_is_not_offered_after_the_review(client, open_page):
    made = appointment(stage=Stage.ACCEPTED)
    open_page(made)
    answer = client.get("/status/amend/", follow=True)
    assert answer.redirect_chain == [("/status/", 302)]
    assert "网上不能再修改。要补充的，请用“补充问题”。" in answer.content.decode()


def test_text_of_an_amendment_that_came_too_late_can_be_copied_from_the_progress_page(client, open_page):
    made = appointment()
    behind = fields(open_page(made, "/status/amend/"), "amend") | {"summary": "来不及改的问题"}
    Appointment.objects.update(stage=Stage.ACCEPTED)
    page = client.post("/status/amend/", behind, follow=True).content.decode()
    assert "没有提交" in page and "问题需求概述：来不及改的问题" in page
    # Also at the next look-up, which does not lead to a form that always refuses.
    assert "问题需求概述：来不及改的问题" in open_page(made)
