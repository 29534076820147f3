"""A walk through admin and desk: every page that links lead to, and every button on it, pressed as a person would.

Each button is pressed in a transaction that is taken back, so that the next one finds the page as it was shown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urldefrag, urljoin, urlsplit

from django.db import transaction
from django.test import Client
from lxml import html

from zhoushan_consult.tests.people import mobile, resident_id, uscc

INSIDE = ("/admin/", "/desk/")
NOT_WALKED = re.compile(
    r"logout/|/login/|password_change/"  # has tests of its own, and needs the own password
    r"|[?&](p|page|o|e|q|all|\w+__exact)="  # the same list in another order, or a part of it
)
ALIKE = re.compile(r"^/admin/triage/ruleversion/topics/[^/]+/$|^/admin/bureau/area/\d+/")
"""Of these pages one is walked: they differ in their words only."""
TYPED = {
    "username": "xinren",
    "phone": mobile(4321),
    "email": "xin@example.com",
    "enterprise_name": "舟山步行测试水产有限公司",
    "uscc": uscc(4321),
    "id_number": resident_id(4321),
    "postcode": "316000",
    "contact_name": "测试人",
    "month": "2026-12",
    "code": "walked",
    "on": "2027-03-01",
    "date": "2027-03-01",
}
TEXT = "请按规定办理。"
CHOSEN = {"outcome": "reached", "part": "lead", "kind": "correction"}
"""What is chosen where several choices are open, so that the form can be sent as it is."""
ROW = re.compile(r"^(?:row|form)-(\d+)-(\w+)$")


@dataclass(frozen=True)
class Press:
    """A button, as the browser sends it."""

    page: str
    label: str
    address: str
    data: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.label} on {self.page}"


@dataclass(frozen=True)
class Result:
    """What came of it: the status of the last answer, and what stands in the way according to the page."""

    status: int
    refusals: list[str]
    done: list[str]

    @property
    def is_done(self) -> bool:
        """Of the rows of a list, some may not be in the state for the action."""
        return self.status == 200 and (bool(self.done) or not self.refusals)


class Walk:
    """One officer's way through every page that is linked to them."""

    def __init__(self, browser: Client):
        self.browser = browser
        self.broken: list[str] = []

    def pages(self) -> Iterator[tuple[str, html.HtmlElement]]:
        """Each page once, with the links that lead to it. Links that lead to no page are in `broken` afterwards."""
        seen, ahead = set(), [("/admin/", "the start"), ("/desk/", "the start")]
        while ahead:
            address, source = ahead.pop(0)
            kind = ALIKE.pattern if ALIKE.match(address) else address
            if kind in seen:
                continue
            seen.add(kind)
            answer = self.browser.get(address, follow=True)
            if answer.status_code != 200:
                self.broken.append(f"{answer.status_code} {address}, linked on {source}")
                continue
            # A redirect leads to a page of its own, which is walked under its own address.
            here = answer.redirect_chain[-1][0] if answer.redirect_chain else address
            if here != address and urldefrag(here)[0] in seen:
                continue
            seen.add(urldefrag(here)[0])
            if "text/html" not in answer["Content-Type"]:
                continue
            page = html.document_fromstring(answer.content.decode())
            yield here, page
            ahead += [(link, here) for link in _links(page, here)]

    def press(self, button: Press) -> Result:
        """Send the form, read the answer, and take everything back."""
        with transaction.atomic():
            answer = self.browser.post(button.address, _multi(button.data), follow=True)
            transaction.set_rollback(True)
        content = answer.content.decode() if "text/html" in answer["Content-Type"] else ""
        return _result(answer.status_code, content)


def _multi(data: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in data:
        found.setdefault(name, []).append(value)
    return found


def _links(page: html.HtmlElement, here: str) -> Iterator[str]:
    for link in page.xpath("//a[@href]"):
        address, _ = urldefrag(urljoin(here, link.get("href")))
        if address.startswith(INSIDE) and not NOT_WALKED.search(address):
            yield address


REFUSALS = (
    "//*[contains(concat(' ', @class, ' '), ' notice-error ')]"
    " | //p[contains(concat(' ', @class, ' '), ' error ')]"
    " | //*[@class='messages']/*[contains(@class, 'notice-warning')]"
)
DONE = "//*[@class='messages']/*[contains(@class, 'notice-success')]"


def _result(status: int, content: str) -> Result:
    if not content:
        return Result(status, [], [])
    page = html.document_fromstring(content)
    found = [
        [" ".join(mark.text_content().split()) for mark in page.xpath(path)] for path in (REFUSALS, DONE)
    ]
    return Result(status, *found)


def buttons(page: html.HtmlElement, here: str) -> Iterator[Press]:
    """Every button of the page that sends something, with the form filled in."""
    for form in page.forms:
        if form.method != "POST":
            continue
        for control in form.xpath(".//button[not(@type) or @type='submit'] | .//input[@type='submit']"):
            target = control.get("formaction") or form.get("action") or here
            address = urldefrag(urljoin(here, target))[0]
            if not address.startswith(INSIDE) or NOT_WALKED.search(address):
                continue
            label = " ".join(control.text_content().split()) or control.get("value") or ""
            for data in _filled(form):
                own = ((control.get("name"), control.get("value") or ""),) if control.get("name") else ()
                yield Press(here, label, urlsplit(address)._replace(fragment="").geturl(), (*data, *own))


def _filled(form: html.FormElement) -> Iterator[tuple[tuple[str, str], ...]]:
    """The form as a person fills it in; a list of actions is tried with each of them."""
    # Iterated, `inputs` yields the controls; a radio group has several with one name.
    for name in dict.fromkeys(control.name for control in form.inputs if control.name):
        _fill(form.inputs[name], ROW.sub(r"\2", name), _needs_row(form, name))
    actions = next((control for control in form.inputs if control.name == "action"), None)
    if not isinstance(actions, html.SelectElement):
        yield tuple(form.form_values())
        return
    for value in filter(None, actions.value_options):
        actions.value = value
        yield tuple(form.form_values())


def _needs_row(form: html.FormElement, name: str) -> bool:
    """Of the rows of a form, those that came filled in are kept, and of empty ones the first is filled in."""
    found = ROW.match(name)
    if not found:
        return True
    texts = [
        each
        for each in form.xpath(".//textarea | .//input[@type='text']")
        if ROW.match(each.get("name") or "")
    ]
    begun = {ROW.match(each.get("name"))[1] for each in texts if (each.value or "").strip()}
    return found[1] in (begun or {"0"})


def _fill(control, name: str, wanted: bool) -> None:
    kind = getattr(control, "type", "")
    if kind == "hidden" or not wanted or name in {"DELETE", "csrfmiddlewaretoken", "website"}:
        return
    if isinstance(control, html.RadioGroup | html.SelectElement):
        _choose(control, name)
    elif isinstance(control, html.CheckboxGroup) or kind == "checkbox":
        _tick(control, name)
    elif name == "body":
        control.value = f"{control.value or ''}{TEXT}"  # a wording that is sent up says something new
    elif kind != "file" and not (control.value or "").strip():
        control.value = TYPED.get(name, TEXT if kind not in {"date", "number"} else "")


def _choose(control, name: str) -> None:
    options = [value for value in control.value_options if value]
    chosen = CHOSEN[name] if CHOSEN.get(name) in options else next(iter(options), None)
    if getattr(control, "multiple", False):
        control.value = list(control.value) or [chosen]
    elif chosen and (not control.value or chosen == CHOSEN.get(name)):
        control.value = chosen


def _tick(control, name: str) -> None:
    boxes = list(control) if isinstance(control, html.CheckboxGroup) else [control]
    if name == "_selected_action":
        for box in boxes:
            box.checked = True
    elif name.startswith("agree") or (len(boxes) > 1 and not any(box.checked for box in boxes)):
        boxes[0].checked = True
