"""Entries were stored under the Chinese label of their verb; from here on under its code.

Only the column `verb` changes, and one to one: the MAC of an old entry still covers the label (`former_verbs`), so every entry
and every seal stays true, and rewording a label loses no history.
"""

from django.db import migrations, models

from zhoushan_consult.audit.former_verbs import FORMER_LABELS
from zhoushan_consult.audit.verbs import Verb


def to_codes(apps, schema_editor):
    entries = apps.get_model("audit", "Entry").objects.using(schema_editor.connection.alias)
    for code, label in FORMER_LABELS.items():
        entries.filter(verb=label).update(verb=code)


def to_labels(apps, schema_editor):
    """Back again. An entry that was written under its code since then keeps the code: its MAC covers that."""
    entries = apps.get_model("audit", "Entry").objects.using(schema_editor.connection.alias)
    for code, label in FORMER_LABELS.items():
        entries.filter(verb=code).exclude(stamp__startswith="v").update(verb=label)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_entries")]

    operations = [
        migrations.AlterField("entry", "verb", models.CharField("事项", choices=Verb.choices, max_length=40)),
        migrations.RunPython(to_codes, to_labels),
    ]
