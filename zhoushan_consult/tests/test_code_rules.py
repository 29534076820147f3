"""The whole code base: addresses are guarded, letters have templates, layers point downward, nothing is left over."""

import ast
import re
from functools import cache
from pathlib import Path

import django
import pytest
from django.apps import apps
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, get_resolver

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
LAYERS = ["zhoushan_consult", "sessions_app", "appointments", "triage"]  # from the ground up
OURS = [config for config in apps.get_app_configs() if config.name.split(".")[0] in LAYERS]

PUBLIC = {
    "", "days/", "days/<str:slug>/", "help/", "privacy/", "sitemap/", "elder/", "drafts/", "drafts/<str:key>/", "healthz", "readyz",
    "answers/", "answers/<int:number>/", "register/", "register/check/", "receipt/<str:token>/", "receipt/<str:token>/form/", "receipt/<str:token>/form.pdf",
    "receipt/<str:token>/calendar.ics",
    "status/", "status/reference/", "desk/login/", "admin/login/",
    "admin/sign-on/", "admin/sign-on/back/", "register/sign-on/", "register/sign-on/back/", "register/sign-on/end/", "sign-on/trial/",
}  # fmt: skip
"""Addresses that anyone may open. Every other one must send a stranger away."""

SIGNED_OUT = {"/admin/", "/desk/login/"}
"""Where signing out leads. Both addresses are guarded themselves."""

OPENED_FIRST = re.compile(r"status/.+|\^?status/.+")
"""The firm's acts: they answer a stranger with the two boxes of /status/."""


def sources(*folders: str):
    for folder in folders or LAYERS:
        for path in (ROOT / folder).rglob("*.py"):
            if "migrations" not in path.parts and "tests" not in path.parts:
                yield path


# --- Doors ---------------------------------------------------------------------------------------------------------
def addresses(patterns=None, prefix=""):
    """Every address pattern of the service, with a path that fits it."""
    for entry in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + str(entry.pattern).replace("\\", "")
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from addresses(entry.url_patterns, route)


def path_for(route: str) -> str:
    filled = re.sub(r"<(?:int|path):[^>]+>", "1", route)
    filled = re.sub(r"<reply_action:[^>]+>", "save", re.sub(r"<follow_up_action:[^>]+>", "close", filled))
    filled = re.sub(
        r"\(\?P<\w+>([\w-]+)[^)]*\)",
        r"\1",
        re.sub(r"<[^>]*>", "x", filled) if "(?P" not in filled else filled,
    )
    return "/" + re.sub(r"[\^$]", "", filled).replace(".*", "x")


ROUTES = sorted(set(addresses()))


@pytest.mark.django_db
@pytest.mark.parametrize("route", [route for route in ROUTES if route not in PUBLIC])
def test_address_that_is_not_public_turns_a_stranger_away(route):
    for method in ("get", "post"):
        answer = getattr(Client(), method)(path_for(route))
        if OPENED_FIRST.match(route) and answer.status_code == 302:
            assert answer["Location"] == "/status/"
        elif answer.status_code == 302:
            led_out = "logout" in route and answer["Location"] in SIGNED_OUT
            assert led_out or "login" in answer["Location"], (method, answer["Location"])
        else:  # the desk takes nothing from a stranger; any other address of one method has no answer to the other
            takes_nothing = method == "post" and route.startswith("desk/")
            assert answer.status_code == (403 if takes_nothing else 405), method


def test_list_of_public_addresses_has_only_existing_ones():
    assert set(ROUTES) >= PUBLIC


# --- Letters -------------------------------------------------------------------------------------------------------
POSTING = {"post", "write", "to_role", "to_division", "to_officers", "to_bureau"}
POSTING |= {"to_handlers", "to_one", "_tell", "_tell_drafter", "_notify"}


@cache
def kinds_posted() -> set[str]:
    """The kinds of letters that the code writes: the first text of a call to a function that posts."""
    found = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) in POSTING:
                texts = [text for arg in node.args for text in _alternatives(arg)]
                found |= {_pattern(arg) for arg in texts if isinstance(arg, ast.Constant | ast.JoinedStr)}
    return {kind for kind in found if kind}


def _name(function) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def _alternatives(arg) -> list:
    return [arg.body, arg.orelse] if isinstance(arg, ast.IfExp) else [arg]


def _pattern(arg) -> str:
    if isinstance(arg, ast.Constant):
        text = arg.value if isinstance(arg.value, str) else ""
        return re.escape(text) if text.isascii() and text.isidentifier() else ""
    words = "".join(part.value if isinstance(part, ast.Constant) else "0" for part in arg.values)
    plain = words.isascii() and f"_{words}".isidentifier()
    return words.replace("0", r"\w+") if plain else ""


FOLDERS = sorted(path.name for path in (TEMPLATES / "notices").iterdir())


@pytest.mark.parametrize("kind", sorted(kinds_posted()))
def test_notice_that_is_posted_has_its_templates(kind):
    assert [folder for folder in FOLDERS if re.fullmatch(kind, folder)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_notice_templates_belong_to_a_notice_that_is_posted(folder):
    assert any(re.fullmatch(kind, folder) for kind in kinds_posted())
    texts = {path.name for path in (TEMPLATES / "notices" / folder).iterdir()}
    assert texts <= {"sms.txt", "email.txt", "page.txt"}
    assert texts & {"sms.txt", "page.txt"}


@pytest.mark.parametrize(
    "path", sorted((TEMPLATES / "notices").rglob("sms.txt")), ids=lambda path: path.parent.name
)
def test_sms_template_has_no_text_that_people_typed(path):
    text = path.read_text()
    for typed in (
        "enterprise_name",
        "contact_name",
        "summary",
        r"reply\.",
        "gist",
        "explanation",
        "promise",
        "question",
    ):
        assert not re.search(rf"\b{typed}", text)


# --- Templates -----------------------------------------------------------------------------------------------------
CONTRIB = Path(django.__file__).parent / "contrib"


def is_used(name: str, words: str) -> bool:
    """Named in full; put together from its folders and its stem; in Django's place; or crispy-forms' own choice."""
    *folders, stem = name.removesuffix(".html").split("/")
    tails = ["/".join([*folders[i:], stem]) for i in range(len(folders) + 1)]
    by_parts = any(f"{folder}/{{" in words for folder in folders) and any(
        f'"{tail}"' in words for tail in tails[1:]
    )
    homes = (CONTRIB / "admin", CONTRIB / "auth", CONTRIB.parent / "forms")
    overrides = any((home / "templates" / name).exists() for home in homes)
    # crispy_forms asks for those of the pack, and for the template that is named after a part of a layout.
    parts = re.findall(r"\w+", " ".join(re.findall(r"^from crispy_forms\.\w+ import (.+)$", words, re.M)))
    by_layout = folders == ["gov", "layout"] and any(part.lower().endswith(stem) for part in parts)
    return name in words or by_parts or overrides or by_layout or folders == ["gov"]


def test_every_page_template_is_used():
    words = "\n".join(path.read_text() for path in [*sources(), *TEMPLATES.rglob("*.html")])
    names = [str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html")]
    assert [name for name in names if not is_used(name, words)] == []


# --- Directions ----------------------------------------------------------------------------------------------------
def test_foreign_keys_point_to_the_same_or_a_lower_layer():
    for config in OURS:
        for model in config.get_models():
            for field in model._meta.get_fields():
                if field.is_relation and field.concrete and field.related_model:
                    target = field.related_model._meta.app_config.name.split(".")[0]
                    if target in LAYERS:
                        assert LAYERS.index(target) <= LAYERS.index(config.name.split(".")[0]), field


def test_no_foreign_key_cascades_on_delete():
    from django.db.models import CASCADE

    for config in OURS:
        for model in config.get_models():
            for field in model._meta.concrete_fields:
                if field.is_relation:
                    assert field.remote_field.on_delete is not CASCADE, field


# --- Migrations ----------------------------------------------------------------------------------------------------
def test_migrations_are_named_after_what_they_do():
    for config in OURS:
        for path in Path(config.path, "migrations").glob("0*.py"):
            assert not re.search(r"_(initial|auto_|alter_field|squashed)", path.name), path


@pytest.mark.django_db
def test_models_have_no_missing_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


# --- Documents -----------------------------------------------------------------------------------------------------
def test_decisions_are_numbered_once_and_listed_at_the_top():
    text = (ROOT / "docs" / "decisions.md").read_text()
    titles = re.findall(r"^## (D-.+)$", text, re.M)
    assert [title.split()[0] for title in titles] == [f"D-{number + 1}" for number in range(len(titles))]
    listed = re.findall(r"^- \[(D-.+)\]\(#(.+)\)$", text, re.M)
    addresses = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
    assert listed == list(zip(titles, addresses, strict=True))


# --- Words ---------------------------------------------------------------------------------------------------------
def test_models_and_fields_have_chinese_names():
    for config in OURS:
        for model in config.get_models():
            assert re.search("[\u4e00-\u9fff]", str(model._meta.verbose_name)), model
            for field in model._meta.concrete_fields:
                if not field.primary_key and not field.auto_created:
                    inherited = field.model.__name__ == "Officer"  # Django's own, translated by Django
                    assert inherited or re.search("[\u4e00-\u9fff]", str(field.verbose_name)), field
