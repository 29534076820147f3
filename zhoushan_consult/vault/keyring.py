"""The keys of the vault, read from two settings.

VAULT_KEYS       "k2:<base64>,k1:<base64>"  16 bytes each; the first seals, all of them open
VAULT_INDEX_KEY  "<base64>"                 16 bytes or more; to change it, every index must be computed again

`python -m zhoushan_consult.vault.keyring` prints new keys. To rotate, put a new key in front of the old ones, restart,
and run `manage.py rekey`. Remove an old key when rekey finds no row for it, and no backup needs it any more.
"""

import re
import secrets
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 16  # SM4
MIN_INDEX_KEY_BYTES = 16

_KEY_ID = re.compile(r"[a-z0-9-]{1,20}")
# A random key of 16 bytes has fewer different bytes with a probability below 1 in 10**9. Keys typed by hand often do.
_MIN_DISTINCT_BYTES = 8
_HOW_TO_GENERATE = "运行 python -m zhoushan_consult.vault.keyring 可以生成新密钥。"


class InvalidKeys(ImproperlyConfigured):
    """The settings hold no usable keys. `code` is the id of the system check, `hint` says how to correct it."""

    def __init__(self, code: str, message: str, hint: str = _HOW_TO_GENERATE):
        super().__init__(f"{message}{hint}")
        self.code, self.message, self.hint = code, message, hint


@dataclass(frozen=True, repr=False)
class KeyRing:
    """`keys` by id, the current one first, and the key of the blind indexes."""

    keys: Mapping[str, bytes]
    index_key: bytes

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        return next(iter(self.keys))


def load_keyring() -> KeyRing:
    """The key ring of the settings. Raises InvalidKeys."""
    return parse(getattr(settings, "VAULT_KEYS", ""), getattr(settings, "VAULT_INDEX_KEY", ""))


# Read at every seal and open, so the texts are parsed once. A test that changes the settings gets another entry.
@lru_cache(maxsize=4)
def parse(keys_text: str, index_text: str) -> KeyRing:
    """A key ring from the texts of the two settings. Raises InvalidKeys."""
    keys = _keys(keys_text)
    index_key = _index_key(index_text)
    if index_key in keys.values():
        raise InvalidKeys("vault.E003", "VAULT_INDEX_KEY 不能与 VAULT_KEYS 中的密钥相同。")
    return KeyRing(keys, index_key)


def generate_keys() -> tuple[str, str]:
    """New values for the settings VAULT_KEYS and VAULT_INDEX_KEY."""
    key = urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return f"k{secrets.token_hex(3)}:{key}", urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _keys(text: str) -> dict[str, bytes]:
    if not text.strip():
        raise InvalidKeys("vault.E001", "没有设置 VAULT_KEYS（封存个人资料的密钥）。")
    keys: dict[str, bytes] = {}
    for entry in text.split(","):
        key_id, _, encoded = entry.strip().partition(":")
        if not _KEY_ID.fullmatch(key_id) or key_id in keys:
            raise InvalidKeys(
                "vault.E002", "VAULT_KEYS 应写作“编号:密钥,编号:密钥”，编号用小写字母和数字，不得重复。"
            )
        keys[key_id] = _key(encoded, f"VAULT_KEYS 中编号为 {key_id} 的密钥")
        if len(keys[key_id]) != KEY_BYTES:
            raise InvalidKeys("vault.E002", f"VAULT_KEYS 中编号为 {key_id} 的密钥应为{KEY_BYTES}字节。")
    return keys


def _index_key(text: str) -> bytes:
    if not text.strip():
        raise InvalidKeys("vault.E001", "没有设置 VAULT_INDEX_KEY（查找个人资料的密钥）。")
    key = _key(text, "VAULT_INDEX_KEY")
    if len(key) < MIN_INDEX_KEY_BYTES:
        raise InvalidKeys("vault.E003", f"VAULT_INDEX_KEY 太短，至少应有{MIN_INDEX_KEY_BYTES}字节。")
    return key


def _key(encoded: str, name: str) -> bytes:
    """The bytes of a key in either base64 alphabet, padded or not."""
    encoded = encoded.strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        key = b64decode(encoded + "=" * (-len(encoded) % 4), altchars="-_", validate=True)
    except (NotBase64, ValueError):
        raise InvalidKeys("vault.E002", f"{name}不是 base64 文本。") from None
    if len(set(key)) < min(_MIN_DISTINCT_BYTES, len(key)):
        raise InvalidKeys("vault.E002", f"{name}过于简单，不是随机生成的。")
    return key


if __name__ == "__main__":
    print("VAULT_KEYS={}\nVAULT_INDEX_KEY={}".format(*generate_keys()))
