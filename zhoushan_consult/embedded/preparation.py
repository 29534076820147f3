"""What must be done before the site can answer. Each step may be repeated: a second start changes nothing."""

import os
from contextlib import redirect_stdout
from io import StringIO

import django
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from zhoushan_consult.broker import embedded_folder, wipe


def prepare() -> None:
    """Prepare the database, the static files and an empty broker; and the demonstration month if there is no officer."""
    print("正在准备数据库……", flush=True)
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if not settings.REDIS_URL:
        wipe(embedded_folder())
    if os.environ.get("DEMO") != "0" and _has_no_officer():
        print("第一次启动，正在装入演示数据（虚构的企业和人员）……", flush=True)
        with redirect_stdout(StringIO()):  # else a hundred letters would push the accounts off the screen
            call_command("seed_demo")
            _run_due_duties()
            _send_due_letters()
    else:
        _run_due_duties()


def _run_due_duties() -> None:
    """Do the duties of the time in which the service was stopped, before the first page is opened."""
    # Imported here, like the others below: models can be imported only after django.setup().
    from zhoushan_consult.duties.runner import run_due

    run_due(timezone.now())


def _send_due_letters() -> None:
    from zhoushan_consult.outbox.delivery import deliver_due

    while deliver_due(timezone.now()):
        pass


def _has_no_officer() -> bool:
    from zhoushan_consult.bureau.models import Officer

    return not Officer.objects.exists()


if __name__ == "__main__":
    django.setup()
    prepare()
