"""Adapters send one letter through a gateway and return the number that the gateway gave it."""

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

# These refuse this one letter. Other SMTP errors concern our account or the server, so the letter is tried again.
LETTER_REFUSED = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)


class DeliveryError(Exception):
    """The gateway did not take the letter. `reason` is stored and shown, so it holds neither the text nor the address."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class TemporaryFailure(DeliveryError):
    """A later attempt may succeed."""


class PermanentFailure(DeliveryError):
    """No later attempt can succeed: a wrong number, a refused text."""


class Adapter:
    """Sends through one gateway, within ten seconds. Each attempt passes the same dedupe key."""

    # Whether the gateway can report later that a letter was delivered.
    supports_reports = False

    @classmethod
    def configuration_errors(cls) -> list[str]:
        """What is missing or wrong in the settings of the adapter, in Chinese, for the system check."""
        return []

    def send(self, notice: Notice) -> str:
        """Returns the gateway's number for the letter. Raises TemporaryFailure or PermanentFailure."""
        raise NotImplementedError

    def was_delivered(self, notice: Notice) -> bool | None:
        """Whether a letter that the gateway took has reached its reader; None if that is not known yet.

        Raises TemporaryFailure, or PermanentFailure if the gateway has no record of the letter.
        """
        return None


class FileAdapter(Adapter):
    """Writes letters into a folder that only its owner can read. The embedded run really sends nothing."""

    def send(self, notice: Notice) -> str:
        folder = Path(settings.OUTBOX_FOLDER)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = folder / f"{notice.dedupe_key}.json"  # a repeat overwrites its own file
        _write_private(target, json.dumps(_contents(notice), ensure_ascii=False, indent=1))
        print(f"[{notice.get_channel_display()}] {notice.subject} → {notice.masked_to} {target}", flush=True)
        return target.name


class DjangoEmailAdapter(Adapter):
    """E-mail by Django's own backend (EMAIL_URL)."""

    def send(self, notice: Notice) -> str:
        # The same Message-ID at each attempt: a mail program shows a letter that was sent twice only once.
        message_id = f"<{notice.dedupe_key}@{urlsplit(settings.SITE_URL).hostname}>"
        letter = EmailMessage(
            notice.subject, notice.text, to=[notice.to.open()], headers={"Message-ID": message_id}
        )
        if notice.calendar:
            letter.attach(_calendar(notice.calendar.open()))
        try:
            letter.send()
        except (smtplib.SMTPException, OSError, BadHeaderError, ValueError) as error:
            raise _mail_failure(error) from None  # the original exception quotes the address
        return message_id


class MemoryAdapter(Adapter):
    """Keeps letters in a list, for tests. `script` holds what happens to the next letters: an exception, or None."""

    sent: list[tuple[str, str, str]] = []
    script: list[BaseException | None] = []
    _lock = threading.Lock()

    def send(self, notice: Notice) -> str:
        with self._lock:
            error = self.script.pop(0) if self.script else None
            if error:
                raise error
            self.sent.append((notice.dedupe_key, notice.to.open(), notice.text))
            return f"memory-{len(self.sent)}"

    @classmethod
    def forget(cls) -> None:
        cls.sent.clear()
        cls.script.clear()


def _write_private(target: Path, text: str) -> None:
    # Written to a file of its own and renamed: a reader never sees half a letter.
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
    """The part must name the method: by it a mail program offers to add the event, or to remove it."""
    method = re.search(r"^METHOD:([A-Z]+)\r$", text, re.MULTILINE)
    part = MIMEText(text, "calendar", "utf-8")
    part.set_param("method", method[1] if method else "PUBLISH")
    part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", "咨询日.ics"))
    return part


def _mail_failure(error: Exception) -> DeliveryError:
    code = _smtp_code(error)
    if isinstance(error, ValueError):  # an address or a subject that is impossible in a mail
        return PermanentFailure(type(error).__name__)
    # 5xx is permanent in SMTP, but only for these errors it concerns the letter: 535, for example, is our password.
    if code >= 500 and isinstance(error, LETTER_REFUSED):
        return PermanentFailure(f"SMTP {code}")
    return TemporaryFailure(f"SMTP {code}" if code else type(error).__name__)


def _smtp_code(error: Exception) -> int:
    # With several recipients the mildest code decides. A letter has one recipient.
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min((code for code, _ in error.recipients.values()), default=0)
    return getattr(error, "smtp_code", 0)
