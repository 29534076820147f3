"""System checks: keys that are there, sound, and the ones that the rows were sealed with."""

from collections.abc import Iterable

from cryptography.exceptions import UnsupportedAlgorithm
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from . import cipher, keyring
from .blind_index import blind_index
from .columns import envelopes, sealed_columns, under
from .fields import SealedField

_SELF_TEST = "vault.self_test.text"


def self_test() -> None:
    """Seal and open once, and index once. Raises InvalidKeys, also when the system's OpenSSL knows no SM4 or SM3."""
    try:
        opened = cipher.unseal(cipher.seal("舟山", _SELF_TEST), _SELF_TEST)
        blind_index(_SELF_TEST, opened)
    except UnsupportedAlgorithm:
        raise keyring.InvalidKeys(
            "vault.E004",
            "这台机器的加密库不支持国密算法 SM4 或 SM3。",
            "请用 requirements.txt 重新安装 cryptography。",
        ) from None


@register(Tags.security)
def check_keys(app_configs=None, **kwargs) -> list[CheckMessage]:
    """Nothing starts without keys that seal and open."""
    try:
        self_test()
    except keyring.InvalidKeys as bad:
        return [Error(bad.message, hint=bad.hint, id=bad.code)]
    return []


@register(Tags.database)
def check_rows(app_configs=None, databases: Iterable[str] | None = None, **kwargs) -> list[CheckMessage]:
    """Every row can be opened as far as keys go (run by migrate and by check --database default)."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        tables = connections[alias].introspection.table_names()
        for model, field in sealed_columns():
            if model._meta.db_table in tables:
                found += _check_column(alias, model, field)
    return found


def _check_column(alias: str, model, field: SealedField) -> list[CheckMessage]:
    ring = keyring.ring()
    rows = envelopes(model, field).using(alias)
    if rows.exclude(under(*ring.keys)).exists():
        message = f"{field.place} 中有资料是用 VAULT_KEYS 里没有的密钥封存的，将无法打开。"
        return [
            Error(message, hint="请把旧密钥加回 VAULT_KEYS 的末尾，再运行 manage.py rekey。", id="vault.E005")
        ]
    return [
        Error(
            f"编号为 {key_id} 的密钥打不开 {field.place} 中用它封存的资料。",
            hint="这把密钥与封存时的不同，请换回原来的密钥，或改用新的编号。",
            id="vault.E006",
        )
        for key_id in ring.keys
        if not _opens(rows.filter(under(key_id)).values_list("envelope", flat=True).last(), field)
    ]


def _opens(envelope: str | None, field: SealedField) -> bool:
    try:
        return envelope is None or bool(cipher.unseal(envelope, field.place))
    except cipher.DecryptionError:
        return False
