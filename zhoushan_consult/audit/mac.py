"""The keyed codes of the trail: HMAC-SM3 under AUDIT_KEY, which is kept outside the database."""

import json
import secrets
from base64 import urlsafe_b64decode
from datetime import UTC

from cryptography.hazmat.primitives import hashes, hmac
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import constant_time_compare

from .former_verbs import FORMER_LABELS
from .models import Entry

SHORTEST = 32  # bytes of AUDIT_KEY
# First sign of a salt whose code covers the verb's code. Older salts are hexadecimal: theirs covers the label.
CODED = "v"


def code(*parts: str) -> str:
    """The code of `parts` in their order: 64 hexadecimal digits."""
    sealing = hmac.HMAC(key(), hashes.SM3())
    for part in parts:
        data = part.encode()
        sealing.update(len(data).to_bytes(8, "big") + data)
    return sealing.finalize().hex()


def stamp(entry: Entry) -> str:
    """A fresh stamp for an entry. Its salt makes it unique, so that the database refuses a copied row."""
    return _stamped(entry, CODED + secrets.token_hex(8)[1:])


def is_true(entry: Entry) -> bool:
    """Whether the entry still says what it said when it was stamped."""
    return constant_time_compare(entry.stamp, _stamped(entry, entry.stamp[:16]))


def _stamped(entry: Entry, salt: str) -> str:
    return salt + code(salt, _canonical(entry, salt))


def _canonical(entry: Entry, salt: str) -> str:
    coded = salt.startswith(CODED)
    values = [
        entry.verb if coded else FORMER_LABELS.get(entry.verb, entry.verb),
        entry.about_kind,
        entry.about_id,
        entry.actor_id,
        entry.actor_name,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.origin,
        entry.facts,
    ]
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def key() -> bytes:
    """AUDIT_KEY as bytes. Raises ImproperlyConfigured for one that is no key."""
    try:
        found = urlsafe_b64decode(settings.AUDIT_KEY)
    except ValueError:
        found = b""
    if len(found) < SHORTEST:
        raise ImproperlyConfigured(
            f"AUDIT_KEY 应是至少 {SHORTEST} 字节随机数的 base64。请按 .env.example 生成，妥善保存后再启动。"
        )
    return found
