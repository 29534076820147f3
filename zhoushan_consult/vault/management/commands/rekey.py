"""manage.py rekey: seals everything again with the key that is now first in VAULT_KEYS."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from zhoushan_consult.vault.rekeying import rekey_column

from ...columns import sealed_columns


class Command(BaseCommand):
    """Prints counts only. Ends with an error if a row could not be opened: its old key must be kept."""

    help = "把封存的个人资料改用当前密钥（VAULT_KEYS 中的第一把）封存。可以随时中断，再次运行会接着做。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=500, help="每个事务处理的行数，默认500")

    def handle(self, *args, batch: int, **options) -> None:
        unreadable = 0
        for model, field in sealed_columns():
            result = rekey_column(model, field, batch)
            unreadable += result.unreadable
            self.stdout.write(
                f"{field.column_name}：改封 {result.rekeyed}，期间已被他人更新 {result.changed}，无法解开 {result.unreadable}"
            )
        if unreadable:
            raise CommandError(f"有 {unreadable} 项无法解开，旧密钥请先不要删除，并核对 VAULT_KEYS。")
        self.stdout.write("完成：所有封存的资料都已使用当前密钥。")
