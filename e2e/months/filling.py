"""Fills in the forms that a page shows: by the names of their fields, at random, rightly or wrongly."""

import random
import re
from collections.abc import Mapping

from lxml import html

from .pages import Button, Data, Page

TEXTS = {
    "gist": ["已说明，对方同意。", "对方说会来。", "告知了结果和下一步。"],
    "reason": ["企业来电要求", "按职责应由该处室办理", "核对后确有需要"],
    "explanation": ["该事项请向主管部门反映，可拨打12345。", "已有公开答复，请查阅。"],
    "remark": ["请补充依据后再报。", "服务很好。", "地点请再核实。"],
    "body": ["可以办理。请备齐批复和监测报告，到窗口提交。", "需要先做环评变更，再换发排污许可证。"],
    "law": ["《中华人民共和国水污染防治法》第四十五条"],
    "text": ["一周内到厂核对。", "已约定周三到厂。"],
    "result": ["已到厂核对，问题解决。"],
    "question": ["请研究答复企业补充的问题。"],
    "theme": ["涉海企业污染防治", "排污许可", "固废管理"],
    "partners": ["市自然资源和规划局", "舟山海事局"],
    "place": ["市局三楼会议室", "普陀分局一楼大厅", "定海行政服务中心"],
    "note": ["请从东门进。"],
    "why": ["出差，改由副处长接待。"],
    "name": ["方明", "李卫"],
    "title": ["处长", "副局长"],
    "remark_": ["谢谢。"],
}
ALWAYS = {"agree_notice": True, "agree_id_use": True, "DELETE": False, "website": ""}
SKIPPED = {"q", "website", "due_on", "uscc_reason", "cited", "csrfmiddlewaretoken"}
# What is chosen mostly, by action and field: the right way through each form.
PREFERRED = {
    ("decline", "outcome"): ["reached"],
    ("confirm_seat", "outcome"): ["reached"],
    ("give_up", "outcome"): ["reached"],
    ("call", "outcome"): ["reached", "reached", "no_answer", "wrong_number"],
}
# Who changes a published plan changes something.
CHANGED = {("amend", "place")}
CALL_OUTCOMES = ["reached"] * 8 + ["no_answer"] * 2 + ["wrong_number"]
WRONGS = ["blank", "long", "odd", "missing", "choice"]
ODD_TEXTS = [
    "  ",
    "\u3000",
    "<script>alert(1)</script>",
    "𠮷䶮㎡₂",
    "a" * 3,
    "'; --",
    "９１３３０９",
    "\r\n\r\n",
]
# A person does not leave a text of so many characters where it was not taken.
TOO_LONG = 800
_ROW = re.compile(r"^row-(\d+)-(\w+)$")


class Filled:
    """The data to send, and what a person typed into it by name."""

    def __init__(self, data: Data, typed: dict[str, str]):
        self.data, self.typed = data, typed


def fill(page: Page, button: Button, rng: random.Random, known: Mapping[str, str], *, wrong: bool) -> Filled:
    """`known`: what the person types into fields of these names."""
    form = page.form(button.form)
    filler = _Filler(form, button, rng, known)
    filler.fill()
    if wrong:
        filler.spoil()
    data = list(form.form_values())
    if button.submits:
        data.append((button.submits[0], button.submits[1]))
    return Filled(data, filler.typed)


class _Filler:
    def __init__(self, form, button: Button, rng: random.Random, known: Mapping[str, str]):
        self.form, self.action, self.rng, self.known = form, button.name.partition("=")[0], rng, known
        self.typed: dict[str, str] = {}
        self.hidden = {each.get("name") for each in form.xpath(".//input[@type='hidden']")}
        self.names = [name for name in dict.fromkeys(form.inputs.keys()) if name and name not in self.hidden]

    def fill(self) -> None:
        plain = [name for name in self.names if not _ROW.match(name)]
        for name in plain:
            self._fill_one(name, name)
        self._fill_rows()

    def _fill_rows(self) -> None:
        """The rows that came filled in are kept; of a form without one, the first is filled in."""
        rows: dict[int, list[str]] = {}
        for name in self.names:
            if found := _ROW.match(name):
                rows.setdefault(int(found[1]), []).append(name)
        if not rows or self._needs_no_row():
            return
        begun = [number for number, names in rows.items() if any(self._is_begun(name) for name in names)]
        for number in begun or [min(rows)]:
            for name in rows[number]:
                self._fill_one(name, _ROW.match(name)[2])

    def _needs_no_row(self) -> bool:
        outcome = self.form.inputs["outcome"] if "outcome" in self.names else None
        return outcome is not None and outcome.value != "follow"

    def _is_begun(self, name: str) -> bool:
        control = self.form.inputs[name]
        return isinstance(control, html.TextareaElement) and bool((control.value or "").strip())

    def _fill_one(self, name: str, short: str) -> None:
        if short in SKIPPED:
            return
        control = self.form.inputs[name]
        if isinstance(control, html.RadioGroup | html.SelectElement):
            self._choose(control, short)
        elif getattr(control, "type", "") == "radio":  # the only one of its group
            control.checked = True
        elif isinstance(control, html.CheckboxGroup) or getattr(control, "type", "") == "checkbox":
            self._tick(control, short)
        else:
            self._type(control, name, short)

    def _choose(self, control, short: str) -> None:
        options = [each for each in control.value_options if each]
        if not options:
            return
        preferred = PREFERRED.get((self.action, short))
        if preferred is None and short == "outcome" and "reached" in options:
            preferred = CALL_OUTCOMES
        if short == "part":
            control.value = control.value or "lead"
        elif preferred:
            control.value = self.rng.choice([each for each in preferred if each in options])
        elif not control.value or self.rng.random() < 0.3:
            control.value = self.known.get(short) or self.rng.choice(options)

    def _tick(self, control, short: str) -> None:
        boxes = list(control) if isinstance(control, html.CheckboxGroup) else [control]
        for box in boxes:
            box.checked = ALWAYS.get(short, box.checked or self.rng.random() < 0.3)

    def _is_good(self, control) -> bool:
        """Whether it came filled in, and not with what a person typed wrongly before."""
        text = (control.value or "").strip()
        return bool(text) and len(text) <= TOO_LONG and control.get("aria-invalid") != "true"

    def _type(self, control, name: str, short: str) -> None:
        changes = (self.action, short) in CHANGED
        if not changes and self._is_good(control) and self.rng.random() < 0.85 and short not in self.known:
            return
        text = self.known.get(short)
        if text is None:
            texts = TEXTS.get(short, ["按规定办理。"])
            text = self.rng.choice([each for each in texts if not changes or each != control.value])
        if short == "question" or self.action == "supplement":  # the same question twice is refused
            text += f"（{self.rng.randrange(1000)}）"
        control.value = text
        if len(text) > 3:
            self.typed[name] = text

    def spoil(self) -> None:
        """One mistake, as people make them."""
        texts = [name for name in self.names if name in self.typed]
        how = self.rng.choice(WRONGS)
        if how == "choice" and (
            choices := [n for n in self.names if hasattr(self.form.inputs[n], "value_options")]
        ):
            self._choose_impossible(self.form.inputs[self.rng.choice(choices)])
        elif texts:
            self._mistype(self.rng.choice(texts), how)

    def _choose_impossible(self, control) -> None:
        if isinstance(control, html.SelectElement):
            for option in control.xpath(".//option[@selected]"):
                option.set("value", "no-such-choice")

    def _mistype(self, name: str, how: str) -> None:
        control = self.form.inputs[name]
        if how == "missing":
            control.getparent().remove(control)
            self.typed.pop(name)
            return
        text = {"blank": "", "long": self.typed[name] * 700}.get(how, self.rng.choice(ODD_TEXTS))
        control.value = text
        self.typed[name] = text
        if not text.strip():
            self.typed.pop(name)
