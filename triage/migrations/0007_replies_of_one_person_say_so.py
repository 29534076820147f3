"""Replies that one person drafted and signed say so from now on, those of before too."""

from django.db import migrations, models

NOTE = "拟稿和审签为同一人；当时没有要求分开。"


def note(apps, schema_editor):
    of_one_person = apps.get_model("triage", "Reply").objects.filter(signed_by=models.F("drafted_by"))
    of_one_person.update(one_person_note=NOTE)


class Migration(migrations.Migration):
    dependencies = [("triage", "0006_corrections_and_supplements")]

    operations = [
        migrations.RunPython(note, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="reply",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("signed_by", None),
                    models.Q(("signed_by", models.F("drafted_by")), _negated=True),
                    models.Q(("one_person_note", ""), _negated=True),
                    _connector="OR",
                ),
                name="reply_of_one_person_says_so",
            ),
        ),
    ]
