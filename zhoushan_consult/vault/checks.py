"""System checks: the keys exist, are usable, and are those with which the rows were sealed."""

from collections.abc import Iterable

from cryptography.exceptions import UnsupportedAlgorithm
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from . import cipher, keyring
from .blind_index import blind_index
from .columns import envelopes, sealed_columns, sealed_with
from .fields import SealedField

_SELF_TEST = "vault.self_test.text"


def self_test() -> None:
    """Seal, open and index one text. Raises InvalidKeys, also if the OpenSSL of the machine has no SM4 or SM3."""
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
    """The keys can seal and open."""
    try:
        self_test()
    except keyring.InvalidKeys as error:
        return [Error(error.message, hint=error.hint, id=error.code)]
    return []


@register(Tags.database)
def check_rows(app_configs=None, databases: Iterable[str] | None = None, **kwargs) -> list[CheckMessage]:
    """There is a working key for every row (run by migrate and by check --database default)."""
    errors: list[CheckMessage] = []
    for alias in databases or []:
        # migrate runs this check before it has made the tables.
        tables = connections[alias].introspection.table_names()
        for model, field in sealed_columns():
            if model._meta.db_table in tables:
                errors += _check_column(alias, model, field)
    return errors


def _check_column(alias: str, model, field: SealedField) -> list[CheckMessage]:
    ring = keyring.load_keyring()
    rows = envelopes(model, field).using(alias)
    if rows.exclude(sealed_with(*ring.keys)).exists():
        message = f"{field.column_name} 中有资料是用 VAULT_KEYS 里没有的密钥封存的，将无法打开。"
        return [
            Error(message, hint="请把旧密钥加回 VAULT_KEYS 的末尾，再运行 manage.py rekey。", id="vault.E005")
        ]
    return [
        Error(
            f"编号为 {key_id} 的密钥打不开 {field.column_name} 中用它封存的资料。",
            hint="这把密钥与封存时的不同，请换回原来的密钥，或改用新的编号。",
            id="vault.E006",
        )
        for key_id in ring.keys
        # One row for each key is enough: a key with the right id but other bytes opens none.
        if not _opens(rows.filter(sealed_with(key_id)).values_list("envelope", flat=True).last(), field)
    ]


def _opens(envelope: str | None, field: SealedField) -> bool:
    try:
        return envelope is None or bool(cipher.unseal(envelope, field.column_name))
    except cipher.DecryptionError:
        return False
