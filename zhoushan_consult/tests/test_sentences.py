"""Every sentence that a form can answer is ours: the framework's own are replaced in `zhoushan_consult/locale`."""

import gettext
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.password_validation import get_default_password_validators
from django.core.validators import BaseValidator
from django.forms.formsets import BaseFormSet
from django.urls import get_resolver

LAYERS = ("zhoushan_consult", "sessions_app", "appointments", "triage")
PACKAGES = Path(django.__file__).parents[1]
CATALOGUE = Path(settings.BASE_DIR, "zhoushan_consult/locale/zh_Hans/LC_MESSAGES")
ENTRY = re.compile(
    r'(?:^msgctxt "(?P<context>.*)"\n)?^msgid "(?P<id>.+)"\n(?:msgid_plural .*\n)?msgstr(?:\[0\])? "(?P<text>.*)"$',
    re.MULTILINE,
)
# What the sentences of validators are filled with.
EXAMPLE = {"limit_value": 5, "show_value": 2134, "value": "值", "num": 5}


def framework_catalogues() -> Iterator[dict]:
    """The Chinese catalogues of Django and of the installed libraries."""
    for depth in ("*", "django/conf", "django/contrib/*"):
        for path in PACKAGES.glob(f"{depth}/locale/zh_[HhC]*/LC_MESSAGES/django.mo"):
            with path.open("rb") as file:
                yield gettext.GNUTranslations(file)._catalog


# As re.escape leaves %(name)s, %d and {name}.
PLACEHOLDER = re.compile(r"%\\\(\w+\\\)\w|%\w|\\\{\w+\\\}")
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def is_of_the_framework():
    """Tells whether a sentence is from a catalogue of the framework, or in no catalogue and so in English."""
    sentences = {text for catalogue in framework_catalogues() for text in catalogue.values() if len(text) > 5}
    # Those that are filled in, except a few as short as "%(verb)s %(object)s", which would fit everything.
    escaped = [re.escape(text) for text in sentences if len(HAN.findall(text)) > 4]
    filled_in = [PLACEHOLDER.sub(".*", text) for text in escaped if PLACEHOLDER.search(text)]
    assert len(sentences) > 300 and len(filled_in) > 30
    pattern = re.compile("|".join(filled_in))
    return lambda text: text in sentences or bool(pattern.fullmatch(text)) or not HAN.search(text)


def import_everything() -> None:
    """So that every form exists. Programs that run when they are imported are left out."""
    get_resolver().url_patterns  # noqa: B018
    for layer in LAYERS:
        for module in pkgutil.walk_packages(importlib.import_module(layer).__path__, f"{layer}."):
            if not re.search(r"\.(tests|migrations|training|management|__main__)\b", module.name):
                importlib.import_module(module.name)


def subclasses(cls: type) -> Iterator[type]:
    for sub in cls.__subclasses__():
        yield sub
        yield from subclasses(sub)


def our_forms() -> list[type]:
    import_everything()
    ours = [form for form in subclasses(forms.BaseForm) if form.__module__.split(".")[0] in LAYERS]
    # The page on which officers change their password uses Django's form.
    return [form for form in [*ours, PasswordChangeForm] if "tests" not in form.__module__]


def sentences_of(field) -> Iterator[str]:
    """What a field of a form or a model can answer."""
    for sentence in field.error_messages.values():
        yield str(sentence)
    for validator in field.validators:
        message = getattr(validator, "message", None)
        if isinstance(validator, BaseValidator):
            yield str(message % EXAMPLE)
        elif message:
            yield str(message)


def form_sentences() -> Iterator[tuple[str, str]]:
    for form in our_forms():
        name = f"{form.__module__}.{form.__name__}"
        own = getattr(form, "error_messages", {})
        yield from ((name, str(sentence)) for sentence in own.values())
        for field_name, field in form.base_fields.items():
            yield from ((f"{name}.{field_name}", sentence) for sentence in sentences_of(field))


def model_sentences() -> Iterator[tuple[str, str]]:
    """Fields of the models, as such and as fields of a form made of them, and their constraints."""
    for config in apps.get_app_configs():
        if config.name.split(".")[0] in LAYERS:
            for model in config.get_models():
                for field in model._meta.concrete_fields:
                    form_field = field.formfield() if field.editable else None
                    for each in filter(None, [field, form_field]):
                        yield from ((f"{field}", sentence) for sentence in sentences_of(each))
                for constraint in model._meta.constraints:
                    yield constraint.name, str(constraint.violation_error_message)


def other_sentences() -> Iterator[tuple[str, str]]:
    """Of the rows of a form, and of the rules for passwords with their hints."""
    for code, message in BaseFormSet.default_error_messages.items():
        yield code, str(message % {"num": 12, "field_names": "row-0"})
    for validator in get_default_password_validators():
        yield type(validator).__name__, str(validator.get_error_message())
        yield type(validator).__name__, str(validator.get_help_text())


@pytest.mark.parametrize(
    "sentences", [form_sentences, model_sentences, other_sentences], ids=lambda find: find.__name__
)
def test_no_sentence_of_the_framework_reaches_a_page(sentences, is_of_the_framework):
    found = list(sentences())
    foreign = sorted({f"{where}: {sentence}" for where, sentence in found if is_of_the_framework(sentence)})
    assert len(found) > 5 and foreign == []


def test_forms_of_every_app_are_looked_at():
    names = {form.__module__.split(".")[0] for form in our_forms()}
    assert names >= set(LAYERS)


def test_catalogue_is_compiled_as_it_is_written():
    written = {
        f"{entry['context']}\x04{entry['id']}" if entry["context"] else entry["id"]: entry["text"]
        for entry in ENTRY.finditer((CATALOGUE / "django.po").read_text("utf-8").replace('\\"', '"'))
    }
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog
    served = {key if isinstance(key, str) else key[0]: text for key, text in compiled.items() if key}
    assert served == written, "run make messages"


def test_catalogue_says_what_to_do_in_chinese():
    for entry in ENTRY.finditer((CATALOGUE / "django.po").read_text("utf-8")):
        assert HAN.search(entry["text"]) and entry["text"].endswith("。"), entry["id"]
