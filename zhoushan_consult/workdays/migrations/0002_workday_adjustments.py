from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("workdays", "0001_workday_overrides")]

    operations = [
        migrations.AlterModelOptions(
            name="workdayoverride",
            options={
                "ordering": ["date"],
                "verbose_name": "工作日调整",
                "verbose_name_plural": "工作日调整",
            },
        ),
    ]
