"""The MACs of the trail: HMAC-SM3 with AUDIT_KEY, which is kept outside the database."""

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

MIN_KEY_BYTES = 32
SALT_BYTES = 8
# First sign of a salt whose MAC covers the code of the verb. Older salts are hexadecimal: their MAC covers its label.
CODED = "v"


def compute_mac(*parts: str) -> str:
    """The MAC of `parts` in their order, as 64 hexadecimal digits."""
    mac = hmac.HMAC(load_key(), hashes.SM3())
    for part in parts:
        data = part.encode()
        # The length in front: otherwise ("ab", "c") and ("a", "bc") would have the same MAC.
        mac.update(len(data).to_bytes(8, "big") + data)
    return mac.finalize().hex()


def sign(entry: Entry) -> str:
    """A new stamp for an entry: a salt and the MAC. The salt makes it unique, so the database refuses a copied row."""
    return _signature(entry, CODED + secrets.token_hex(SALT_BYTES)[1:])


def verify(entry: Entry) -> bool:
    """Whether the entry is as it was when it was signed."""
    salt = entry.stamp[: 2 * SALT_BYTES]
    return constant_time_compare(entry.stamp, _signature(entry, salt))


def _signature(entry: Entry, salt: str) -> str:
    return salt + compute_mac(salt, _serialize(entry, is_coded=salt.startswith(CODED)))


def _serialize(entry: Entry, *, is_coded: bool) -> str:
    # This text is what old entries were signed with: any change to it makes all of them invalid.
    values = [
        entry.verb if is_coded else FORMER_LABELS.get(entry.verb, entry.verb),
        entry.about_kind,
        entry.about_id,
        entry.actor_id,
        entry.actor_name,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.origin,
        entry.facts,
    ]
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def load_key() -> bytes:
    """AUDIT_KEY as bytes. Raises ImproperlyConfigured if it is no key."""
    try:
        key = urlsafe_b64decode(settings.AUDIT_KEY)
    except ValueError:
        key = b""
    if len(key) < MIN_KEY_BYTES:
        raise ImproperlyConfigured(
            f"AUDIT_KEY 应是至少 {MIN_KEY_BYTES} 字节随机数的 base64。请按 .env.example 生成，妥善保存后再启动。"
        )
    return key
