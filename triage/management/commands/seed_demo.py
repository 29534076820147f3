"""`manage.py seed_demo`: the demonstration month, for an empty database. All people and firms are made up."""

import os
import random
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone

from sessions_app import calendar
from triage.demo import firms, people, published_answers, rulebook
from triage.demo.month import Month, play
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.clock import local_date


class Command(BaseCommand):
    help = "装入演示数据：各岗位账号和一个月的虚构登记（仅限空数据库）。"

    def handle(self, *args, **options):
        # In a folder that is new, the database has no table yet.
        if Officer._meta.db_table not in connection.introspection.table_names():
            call_command("migrate", interactive=False, verbosity=0)
        self._seed()

    @transaction.atomic
    def _seed(self) -> None:
        if Officer.objects.exists():
            raise CommandError("数据库里已有人员，演示数据只装入空数据库。")
        password, logins = people.create_officers()
        now = timezone.now()
        # A fixed seed gives the same firms every time, so screenshots and guides stay true.
        rng = random.Random(20191010)
        upcoming = calendar.booking_day(now)
        running = calendar.consult_date(local_date(now).year, local_date(now).month)
        played = [(running, firms.PAST), (upcoming, firms.PRESENT)]
        if now < calendar.ends_at(running):
            # Otherwise there would be no finished month to look at.
            month_before = running.replace(day=1) - timedelta(days=1)
            finished = calendar.consult_date(month_before.year, month_before.month)
            played.insert(0, (finished, firms.EARLIER))
        months = [Month(day, lines, rng, now) for day, lines in played]
        # The letters of the past are written to files as they leave; only the names of the files would be printed.
        with redirect_stdout(None):
            play([story for month in months for story in month.stories()], now)
        published_answers.create_answers(now)
        rulebook.add_version(now)
        self._write(password, logins)

    def _write(self, password: str, logins: list[people.Login]) -> None:
        """Write the logins to a file that only its owner can read. `make run` shows it."""
        lines = [f"{login.username}\t{login.place}\t{login.role}\t{password}" for login in logins]
        target = Path(settings.VAR_DIR) / "logins.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
        self.stdout.write(f"演示数据已装入，账号在 {target}")
