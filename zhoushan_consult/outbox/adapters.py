"""The ways out of the house: an adapter is given one letter and says under which number it was taken."""

import json
import os
import re
import smtplib
import threading
from email.mime.text import MIMEText
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMessage

from .models import Notice

# What refuses this letter; any other refusal means us.
LETTER_REFUSED = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)


class Undelivered(Exception):
    """The gateway did not take the letter. `reason` is kept and shown: never the text, nor to whom."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class Temporary(Undelivered):
    """It may take it later."""


class Permanent(Undelivered):
    """It never will: a wrong number, a refused text."""


class Adapter:
    """Sends by one gateway, within ten seconds; every repeat names the letter by the same dedupe key."""

    reports = False  # whether it can tell later what became of a letter

    @classmethod
    def faults(cls) -> list[str]:
        """What is not set as the adapter needs it, in Chinese for whoever runs the site."""
        return []

    def send(self, notice: Notice) -> str:
        """The gateway's number for the letter. Raises Temporary or Permanent."""
        raise NotImplementedError

    def arrived(self, notice: Notice) -> bool | None:
        """Whether a letter that was taken reached its reader; None while nobody knows. Raises Temporary."""
        return None


class FileAdapter(Adapter):
    """Puts letters into a folder, readable by the owner only: the embedded run sends nothing for real."""

    def send(self, notice: Notice) -> str:
        folder = Path(settings.OUTBOX_FOLDER)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = folder / f"{notice.dedupe_key}.json"  # a repeat takes its own place
        _write_private(target, json.dumps(_contents(notice), ensure_ascii=False, indent=1))
        print(f"[{notice.get_channel_display()}] {notice.subject} → {notice.masked_to} {target}", flush=True)
        return target.name


class DjangoEmailAdapter(Adapter):
    """E-mail by Django's own backend (EMAIL_URL)."""

    def send(self, notice: Notice) -> str:
        message_id = f"<{notice.dedupe_key}@{urlsplit(settings.SITE_URL).hostname}>"
        letter = EmailMessage(
            notice.subject, notice.text, to=[notice.to.open()], headers={"Message-ID": message_id}
        )
        if notice.calendar:
            letter.attach(_calendar(notice.calendar.open()))
        try:
            letter.send()
        except (smtplib.SMTPException, OSError, BadHeaderError, ValueError) as error:
            raise _mail_fault(error) from None  # the cause quotes the address
        return message_id


class MemoryAdapter(Adapter):
    """Keeps letters in a list, for tests. `script` is what happens to the next: an exception, or None."""

    sent: list[tuple[str, str, str]] = []
    script: list[BaseException | None] = []
    _turn = threading.Lock()

    def send(self, notice: Notice) -> str:
        with self._turn:
            fault = self.script.pop(0) if self.script else None
            if fault:
                raise fault
            self.sent.append((notice.dedupe_key, notice.to.open(), notice.text))
            return f"memory-{len(self.sent)}"

    @classmethod
    def forget(cls) -> None:
        cls.sent.clear()
        cls.script.clear()


def _write_private(target: Path, text: str) -> None:
    part = target.with_suffix(f".{os.getpid()}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    os.replace(part, target)


def _contents(notice: Notice) -> dict[str, str]:
    return {
        "key": notice.dedupe_key,
        "channel": notice.channel,
        "kind": notice.kind,
        "to_name": notice.to_name,
        "to": notice.to.open(),
        "subject": notice.subject,
        "body": notice.text,
        "calendar": notice.calendar.open(),
    }


def _calendar(text: str) -> MIMEText:
    """Mail programs offer to enter it, or to take it out again, by the method that the part names."""
    method = re.search(r"^METHOD:([A-Z]+)\r$", text, re.MULTILINE)
    part = MIMEText(text, "calendar", "utf-8")
    part.set_param("method", method[1] if method else "PUBLISH")
    part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", "咨询日.ics"))
    return part


def _mail_fault(error: Exception) -> Undelivered:
    code = _smtp_code(error)
    if isinstance(error, ValueError):  # an address or a title that no mail can carry
        return Permanent(type(error).__name__)
    if code >= 500 and isinstance(error, LETTER_REFUSED):
        return Permanent(f"SMTP {code}")
    return Temporary(f"SMTP {code}" if code else type(error).__name__)


def _smtp_code(error: Exception) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min((code for code, _ in error.recipients.values()), default=0)
    return getattr(error, "smtp_code", 0)
