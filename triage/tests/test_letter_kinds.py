"""Every kind of letter of every floor: it has a text for each way, says nothing undefined, is short, and knows when it is over."""

from collections import defaultdict
from copy import deepcopy
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.template import Context
from django.utils.module_loading import import_string

from appointments.letters import recipient
from sessions_app.models import ConsultDay
from triage.tests import scenes
from triage.tests.letter_scenes import LETTER_SCENES, LetterScene, put
from triage.tests.scenes import FAR, Scene
from zhoushan_consult.outbox import rendering
from zhoushan_consult.outbox.gateways.registered import RegisteredTemplate
from zhoushan_consult.outbox.models import Channel, Notice
from zhoushan_consult.outbox.posting import Recipient, post
from zhoushan_consult.outbox.records import record_of
from zhoushan_consult.outbox.sms_texts import segments, wordings
from zhoushan_consult.outbox.validity import why_not

pytestmark = pytest.mark.django_db

KINDS = [kind for path in settings.LETTER_KINDS for kind in import_string(path)]
FOLDERS = settings.BASE_DIR / "templates" / "notices"
SIGNATURE, SITE = "舟山市生态环境局", "https://zixun.zhoushan.gov.cn"
PLACE = "舟山市普陀区东港街道海天大道681号市行政中心东二号楼一楼企业服务大厅102会议室"
NEIGHBOUR = 7

each_scene = pytest.mark.parametrize("scene", LETTER_SCENES, ids=str)


class Undefined(str):
    """`string_if_invalid` that is not tolerated."""

    def __contains__(self, part: object) -> bool:
        return True

    def __mod__(self, name: object) -> str:
        raise AssertionError(f"undefined: {name}")


class StrictContext(Context):
    """Django passes over a name in {% if %} and {% for %} that nothing defines."""

    def __getitem__(self, name):
        try:
            return super().__getitem__(name)
        except KeyError:
            raise AssertionError(f"undefined: {name}") from None


@pytest.fixture
def strict(settings, monkeypatch):
    """No template may use a variable that its kind does not supply."""
    engines = deepcopy(settings.TEMPLATES)
    engines[0]["OPTIONS"]["string_if_invalid"] = Undefined("%s")
    settings.TEMPLATES = engines
    settings.SITE_URL = SITE
    monkeypatch.setattr(rendering, "Context", StrictContext)


@pytest.fixture
def people(db):
    people = scenes.world()
    ConsultDay.objects.update(place=PLACE)
    return people


def furnished(scene: LetterScene, people, *, neighbour: bool = False) -> Scene:
    made = Scene(people, NEIGHBOUR, FAR) if neighbour else Scene(people)
    made.at = scene.at
    made.about = scene.furnish(made)
    return made


def written(scene: LetterScene, made: Scene) -> list[Notice]:
    """The letter of the scene, as its kind stores it."""
    made.about.refresh_from_db()
    params, to = scene.params(made), None
    if scene.reader:
        officer = made.people.of(scene.reader)
        params |= {"officer": officer.pk}
        to = Recipient(officer.name, officer.phone, officer.email)
    return post(scene.kind, about=made.about, to=to or recipient(made.about), key="1", at=scene.at, **params)


def matches(wording: str, text: str) -> bool:
    """Whether a vendor with whom the wording is registered can send the text."""
    return RegisteredTemplate("SMS_1", wording).match(text) is not None


def test_every_kind_has_a_scene():
    assert {kind.name for kind in KINDS} == {scene.kind for scene in LETTER_SCENES}


def test_every_folder_of_texts_belongs_to_a_kind():
    assert {folder.name for folder in FOLDERS.iterdir()} == {kind.name for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_kind_has_a_title_and_a_text_for_each_way(kind):
    assert kind.title and len(kind.title) <= 20
    found = {file.stem for file in Path(FOLDERS / kind.name).iterdir()}
    to_firm = not any(scene.reader for scene in LETTER_SCENES if scene.kind == kind.name)
    # A lost 受理编号 goes to the telephone that is registered, and nowhere else.
    expected = (
        {"sms"} if kind.name == "reference_again" else {"sms", "email"} | ({"page"} if to_firm else set())
    )
    assert found == expected


@each_scene
def test_letter_says_nothing_undefined(scene, people, strict):
    made = furnished(scene, people)
    letters = written(scene, made)
    assert letters
    for letter in letters:
        text = rendering.render(letter, record_of(letter), scene.at)
        assert text.body and text.subject
        assert "None" not in text.body + text.subject
        assert not any(
            mark in text.body + text.subject for mark in ("{", "}", "。。", "，，", "：：", "、、", "，。")
        )


@each_scene
def test_sms_is_short_and_is_one_of_the_registered_texts(scene, people, strict):
    made = furnished(scene, people)
    (letter,) = [one for one in written(scene, made) if one.channel == Channel.SMS]
    text = rendering.render(letter, record_of(letter), scene.at).body
    assert segments(text, SIGNATURE) <= (3 if PLACE[:30] in text else 2), text
    assert any(matches(wording, text) for wording in wordings(scene.kind)), text


@each_scene
def test_letter_is_true_until_its_scene_changes(scene, people):
    made = furnished(scene, people)
    neighbour = None if scene.alone else furnished(scene, people, neighbour=True)
    letter = written(scene, made)[-1]
    other = written(scene, neighbour)[-1] if neighbour else None
    assert why_not(letter, record_of(letter), scene.at) == ""
    if scene.until:
        before = scene.until - scene.until.resolution
        assert why_not(letter, record_of(letter), max(before, scene.at)) == ""
        assert why_not(letter, record_of(letter), scene.until)
        return
    assert scene.outdate
    scene.outdate(made)
    reason = why_not(letter, record_of(letter), scene.at)
    assert reason and len(reason) <= 40 and not reason.endswith("。")
    assert other is None or why_not(other, record_of(other), scene.at) == ""


@pytest.mark.parametrize("scene", [scene for scene in LETTER_SCENES if scene.reader], ids=str)
def test_letter_to_an_officer_ends_with_the_account(scene, people):
    made = furnished(scene, people)
    letter = written(scene, made)[-1]
    put(people.of(scene.reader), is_active=False)
    assert why_not(letter, record_of(letter), scene.at) == "账号已停用"


def test_every_text_that_is_registered_is_said_in_a_scene(people, strict):
    """So each of them has been read in a letter."""
    said = defaultdict(list)
    for scene in LETTER_SCENES:
        with transaction.atomic():
            for letter in written(scene, furnished(scene, people)):
                if letter.channel == Channel.SMS:
                    said[scene.kind].append(letter.text)
            transaction.set_rollback(True)
    unsaid = [
        f"{kind.name}: {wording}"
        for kind in KINDS
        for wording in wordings(kind.name)
        if not any(matches(wording, text) for text in said[kind.name])
    ]
    assert unsaid == [], "\n".join(unsaid)
