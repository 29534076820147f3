"""The demonstration month can be seeded on any day of the year, through the same acts that people use."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from appointments.lifecycle import Stage
from appointments.models import Appointment
from triage.models import Assignment, AssignmentState, FollowUp

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(time_machine, settings, tmp_path):
    settings.VAR_DIR = tmp_path / "new" / "var"

    def tell(now: str) -> set[str]:
        time_machine.move_to(f"{now}+08:00", tick=False)
        call_command("seed_demo")
        return set(Appointment.objects.values_list("stage", flat=True))

    return tell


def test_demo_shows_every_stage_in_mid_month(told):
    stages = told("2026-11-22T23:00:00")
    assert stages == set(Stage) - {Stage.ANSWERED, Stage.HEARD}
    assert {
        AssignmentState.OPEN,
        AssignmentState.DRAFTED,
        AssignmentState.RELEASED,
        AssignmentState.RETURNED,
    } <= set(Assignment.objects.values_list("state", flat=True))
    assert FollowUp.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize(
    "now",
    [
        "2026-12-01T00:00:01",
        "2026-12-10T09:00:00",
        "2026-12-05T09:00:00",
        "2027-01-31T23:59:00",
        "2028-02-29T12:00:00",
    ],
)
def test_demo_can_be_seeded_on_any_day(told, now):
    # There is work to begin, and a finished month to look at.
    assert {Stage.SUBMITTED, Stage.CLOSED, Stage.FOLLOWING} <= told(now)


def test_demo_is_refused_in_a_database_that_has_officers(told):
    told("2026-11-22T23:00:00")
    with pytest.raises(CommandError, match="已有人员"):
        call_command("seed_demo")


def test_demo_logins_file_is_readable_by_its_owner_only(told, tmp_path):
    told("2026-11-22T23:00:00")
    assert (tmp_path / "new" / "var" / "logins.txt").stat().st_mode & 0o777 == 0o600


@pytest.mark.embedded
def test_demo_is_seeded_into_a_folder_that_does_not_exist_yet(tmp_path):
    folder = tmp_path / "new" / "var"
    subprocess.run(
        [sys.executable, "manage.py", "seed_demo"],
        cwd=Path(__file__).resolve().parents[2],
        env={"PATH": "/usr/bin:/bin", "VAR_DIR": str(folder)},
        check=True,
        capture_output=True,
    )
    assert (folder / "consult.sqlite3").exists() and "\t" in (folder / "logins.txt").read_text()
