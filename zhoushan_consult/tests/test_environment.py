"""What can be set from the environment, and that an unsafe setting is reported before anything starts."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
READ = re.compile(r"""\benv\.(?!ENVIRON)\w+\(\s*"([A-Z_]+)"|os\.environ\.get\("([A-Z_]+)"\)""")
LISTED = re.compile(r"^(?:# )?([A-Z_]+)=", re.MULTILINE)


def read_by_the_code() -> set[str]:
    files = [*ROOT.glob("zhoushan_consult/*.py"), *ROOT.glob("zhoushan_consult/embedded/*.py")]
    texts = [path.read_text() for path in [*files, ROOT / "sessions_app" / "policy.py"]]
    return {name or other for text in texts for name, other in READ.findall(text)}


def test_env_example_lists_exactly_the_variables_that_are_read():
    assert set(LISTED.findall((ROOT / ".env.example").read_text())) == read_by_the_code()


def check(tmp_path, **environment) -> subprocess.CompletedProcess:
    """`manage.py check --deploy` with nothing set but this."""
    bare = {name: os.environ[name] for name in ["PATH", "HOME"] if name in os.environ}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "ERROR"]
    return subprocess.run(
        command,
        env=bare | {"VAR_DIR": str(tmp_path)} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def production(tmp_path):
    """A sound production environment."""
    from zhoushan_consult.embedded import keys_file

    lines = keys_file(tmp_path / "keys").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines) | {
        "DATABASE_URL": "postgres://127.0.0.1/none",
        "REDIS_URL": "redis://127.0.0.1/0",
        "SITE_URL": "https://zixun.example.cn",
        "ALLOWED_HOSTS": "zixun.example.cn",
    }


def test_deploy_check_accepts_a_sound_production_environment(tmp_path, production):
    found = check(tmp_path, **production)
    assert found.returncode == 0, found.stderr


def test_deploy_check_needs_no_variables_on_one_machine(tmp_path):
    found = check(tmp_path)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("key", ["SECRET_KEY", "VAULT_KEYS", "VAULT_INDEX_KEY", "AUDIT_KEY"])
def test_deploy_check_fails_in_production_without_a_key(tmp_path, production, key):
    del production[key]
    assert check(tmp_path, **production).returncode != 0


def test_secret_can_be_read_from_a_file(tmp_path, production):
    (tmp_path / "secret").write_text(production.pop("SECRET_KEY"))
    assert check(tmp_path, SECRET_KEY_FILE=str(tmp_path / "secret"), **production).returncode == 0
