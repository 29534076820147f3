from hashlib import sha256

from django.db import migrations, models
from django.db.models import Min, OuterRef, Subquery


def name_letters(apps, schema_editor):
    """The rows of one letter were written at one instant; the call made instead of an SMS has a key made from its key."""
    Notice = apps.get_model("outbox", "Notice")
    same = Notice.objects.filter(
        kind=OuterRef("kind"),
        about_kind=OuterRef("about_kind"),
        about_id=OuterRef("about_id"),
        created_at=OuterRef("created_at"),
        to_name=OuterRef("to_name"),
    )
    # order_by: without it, Django would group by the order of the model too.
    first = same.order_by().values("kind").annotate(first=Min("dedupe_key")).values("first")
    Notice.objects.update(letter=Subquery(first))
    for sms in Notice.objects.filter(channel="sms", state__in=["failed", "cancelled"]).iterator():
        call = sha256(f"{sms.dedupe_key}:call".encode()).hexdigest()[:32]
        Notice.objects.filter(dedupe_key=call).update(letter=sms.letter, created_at=sms.created_at)


class Migration(migrations.Migration):
    dependencies = [
        ("outbox", "0007_calls_of_letters"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="letter",
            field=models.CharField(
                blank=True, default="", editable=False, max_length=32, verbose_name="同一封信"
            ),
        ),
        migrations.RunPython(name_letters, migrations.RunPython.noop, elidable=True),
    ]
