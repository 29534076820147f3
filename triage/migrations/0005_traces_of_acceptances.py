"""Until December 2026 the acceptance stored its trace in the same act, with the same time: link the two.

Apart from 0004, because PostgreSQL changes no table whose new foreign keys it has not checked yet.
"""

from django.db import migrations
from django.db.models import OuterRef, Subquery


def link(apps, schema_editor):
    Review, RoutingTrace = apps.get_model("triage", "Review"), apps.get_model("triage", "RoutingTrace")
    same_act = RoutingTrace.objects.filter(appointment=OuterRef("appointment"), at=OuterRef("at"))
    Review.objects.filter(accepted=True, trace=None).update(trace=Subquery(same_act.values("pk")[:1]))


class Migration(migrations.Migration):
    dependencies = [("triage", "0004_routing_traces_named")]

    operations = [migrations.RunPython(link, migrations.RunPython.noop)]
