"""How often something was done of late, in buckets without names."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Hit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("bucket", models.CharField(max_length=64, verbose_name="对象")),
                ("window_start", models.DateTimeField(verbose_name="起始时间")),
                ("count", models.PositiveIntegerField(default=0, verbose_name="次数")),
            ],
            options={
                "verbose_name": "访问计数",
                "verbose_name_plural": "访问计数",
                "indexes": [models.Index(fields=["window_start"], name="purge_finds_the_old")],
                "constraints": [
                    models.UniqueConstraint(fields=("bucket", "window_start"), name="one_count_a_window")
                ],
            },
        ),
    ]
