"""The people and firms of the tests: officers by role, and made-up numbers with right check digits.

Every `tests/conftest.py` imports all of it, before Django is set up: models are imported where they are used.
"""

import os
from datetime import date, timedelta

import hypothesis
import pytest

hypothesis.settings.register_profile("house", deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.load_profile("house")

USCC_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
SERVERS = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}  # a mark, and the variable that names its server


def pytest_collection_modifyitems(config, items):
    """Leave out what this run has no server for, and what needs none if it has one; `make test` makes both runs."""
    absent = {mark for mark, variable in SERVERS.items() if not os.environ.get(variable)}
    absent |= {"embedded"} if os.environ.get("DATABASE_URL") else set()
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in absent)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def rows_of_migrations(django_db_serialized_rollback):
    """A test that really commits leaves empty tables; the next one finds divisions and roles there again."""


@pytest.fixture(autouse=True)
def empty_shelves():
    """A process remembers answered questions for some seconds: no test finds those of another."""
    from appointments import answers
    from triage import earlier_answers

    answers.published_index.invalidate()
    earlier_answers.released_index.invalidate()


@pytest.fixture
def officer(db):
    """Makes an officer: `officer(Role.HANDLER, "水处")`; several roles are given as a list."""

    def make(roles, division: str | None = None, area: str | None = None, name: str = "", **fields):
        from django.contrib.auth.models import Group

        from zhoushan_consult.bureau.models import Area, Division, Officer

        names = [roles] if isinstance(roles, str) else list(roles)
        number = Officer.objects.count() + 1
        made = Officer.objects.create_user(
            username=fields.pop("username", f"officer{number}"),
            password=fields.pop("password", "Correct-horse-7"),
            name=name or f"测试员{number}",
            division=Division.objects.get(name=division) if division else None,
            area=Area.objects.get(name=area) if area else None,
            is_staff=fields.pop("is_staff", True),
            **fields,
        )
        made.groups.set([Group.objects.get(name=str(name)) for name in names])
        return made

    return make


@pytest.fixture
def coordinator(officer):
    """综合处经办: reviews, assigns, settles."""
    return officer("综合处经办", "综合处", name="钟和")


@pytest.fixture
def handler(officer):
    """水处's handler: drafts."""
    return officer("处室经办", "水处", name="水清")


@pytest.fixture
def head(officer):
    """水处's head: signs off."""
    return officer("处室负责人", "水处", name="水长")


@pytest.fixture
def other_handler(officer):
    """大气处's handler: must never see what is 水处's."""
    return officer("处室经办", "大气处", name="云天")


@pytest.fixture
def watcher(officer):
    """办公室督办: watches every open follow-up."""
    return officer("办公室督办", "办公室", name="文博")


@pytest.fixture
def leader(officer):
    """局领导: approves the plan."""
    return officer("局领导", name="方局")


@pytest.fixture
def keeper(officer):
    """系统管理, in 科监处: accounts and health."""
    return officer("系统管理", "科监处", name="柯建")


@pytest.fixture
def county_reader(officer):
    """分局功能区查阅, of 定海区: reads its own area only."""
    return officer("分局功能区查阅", area="定海区", name="丁海")


@pytest.fixture
def signed_in():
    """A browser in which the given officer has signed in."""

    def enter(who):
        from django.test import Client

        browser = Client()
        browser.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
        browser.get("/healthz")  # the first click writes down since when the officer is here
        return browser

    return enter


def resident_id(number: int, area: str = "330902") -> str:
    """The `number`-th made-up resident ID of the tests, born in or after 1980."""
    born = date(1980, 1, 1) + timedelta(days=number % 9000)
    body = f"{area}{born:%Y%m%d}{number % 1000:03d}"
    remainder = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(body)) % 11
    return body + "10X98765432"[remainder]


def uscc(number: int, kind: str = "91", area: str = "330902") -> str:
    """The `number`-th made-up 统一社会信用代码 of the tests."""
    organisation = f"{number % 10**7:07d}".rjust(8, "M")
    body = kind + area + organisation + _organisation_check(organisation)
    total = sum(USCC_SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(body))
    return body + USCC_SIGNS[-total % 31]


def _organisation_check(organisation: str) -> str:
    """GB 11714: the check sign of the eight before it."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    rest = sum(int(sign, 36) * weight for sign, weight in zip(organisation, weights, strict=True)) % 11
    return {1: "X", 0: "0"}.get(rest, str(11 - rest))


def mobile(number: int) -> str:
    """The `number`-th made-up mobile of the tests."""
    return f"138{number % 10**8:08d}"


@pytest.fixture
def firm():
    """What a firm types into the form of 附件2: `firm(3)`, `firm(3, summary="…")`."""

    def make(number: int = 1, **changes) -> dict[str, str]:
        return {
            "enterprise_name": f"舟山测试{number}号水产有限公司",
            "uscc": uscc(number),
            "address": f"舟山市定海区测试路{number}号",
            "postcode": "316000",
            "contact_name": "测试人",
            "id_type": "resident",
            "id_number": resident_id(number),
            "phone": mobile(number),
            "email": f"firm{number}@example.com",
            "summary": "我公司水产加工废水拟接入市政污水管网，请问需要办理哪些手续？",
            "wants_onsite": "on",
            "agree_notice": "on",
            "agree_id_use": "on",
            **changes,
        }

    return make
