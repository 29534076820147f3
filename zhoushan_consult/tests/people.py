"""The officers and firms of the tests, and made-up numbers with correct check digits.

Each `tests/conftest.py` imports all of it before Django is set up, so models are imported inside the fixtures.
"""

import os
from datetime import date, timedelta

import hypothesis
import pytest

# No deadline: on a busy machine it fails without a fault of the code.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

USCC_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
# Each mark with the variable that names the server which it needs.
SERVERS = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}


def pytest_collection_modifyitems(config, items):
    """Leave out the tests whose server this run lacks, and with a database server the embedded ones.

    `make test` makes both runs, so each test runs at least once.
    """
    absent = {mark for mark, variable in SERVERS.items() if not os.environ.get(variable)}
    absent |= {"embedded"} if os.environ.get("DATABASE_URL") else set()
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in absent)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def rows_of_migrations(django_db_serialized_rollback):
    """A test that really commits leaves empty tables. This restores divisions and roles, which migrations wrote."""


@pytest.fixture(autouse=True)
def fresh_indexes():
    """The cached indexes live for some seconds: without this, a test would find the answers of the test before it."""
    from appointments import answers
    from triage import earlier_answers

    answers.published_index.invalidate()
    earlier_answers.released_index.invalidate()


@pytest.fixture
def officer(db):
    """Creates an officer: `officer(Role.HANDLER, "水处")`. Several roles are a list."""

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
            # Tests move the clock by months. Those about the term of a password set it.
            password_set_at=fields.pop("password_set_at", None),
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
    """大气处's handler: must never see the work of 水处."""
    return officer("处室经办", "大气处", name="云天")


@pytest.fixture
def watcher(officer):
    """办公室督办: watches all open follow-ups."""
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
    """Returns a client in which the given officer is logged in."""

    def enter(who):
        from django.test import Client

        browser = Client()
        browser.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
        # The first request stores the time of login, which `session_limits` needs. It must not count as a query of the test.
        browser.get("/healthz")
        return browser

    return enter


def resident_id(number: int, area: str = "330902") -> str:
    """A made-up resident ID, different for each `number`, with a birth date from 1980 on."""
    born = date(1980, 1, 1) + timedelta(days=number % 9000)
    body = f"{area}{born:%Y%m%d}{number % 1000:03d}"
    remainder = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(body)) % 11
    return body + "10X98765432"[remainder]


def uscc(number: int, kind: str = "91", area: str = "330902") -> str:
    """A made-up 统一社会信用代码, different for each `number`."""
    organisation = f"{number % 10**7:07d}".rjust(8, "M")
    body = kind + area + organisation + _organisation_check(organisation)
    total = sum(USCC_SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(body))
    return body + USCC_SIGNS[-total % 31]


def _organisation_check(organisation: str) -> str:
    """The check character of eight characters (GB 11714)."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    rest = sum(int(sign, 36) * weight for sign, weight in zip(organisation, weights, strict=True)) % 11
    return {1: "X", 0: "0"}.get(rest, str(11 - rest))


def mobile(number: int) -> str:
    """A made-up mobile number, different for each `number`."""
    return f"138{number % 10**8:08d}"


@pytest.fixture
def firm():
    """Returns what a firm types into the form of 附件2: `firm(3)`, `firm(3, summary="…")`."""

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
