"""Whether the service lives and whether it can do its work: for load balancers and alarms, naming nobody."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from zhoushan_consult import broker
from zhoushan_consult.duties.rounds import last_rounds
from zhoushan_consult.vault.checks import self_test

from .models import Hit

ROUNDS_WITHIN = timedelta(minutes=3)  # they are made every minute


@require_safe
def healthz(request):
    """This process answers."""
    return JsonResponse({"alive": True})


@require_safe
def readyz(request):
    """200 if everything the service needs works, else 503 with what does not."""
    found = {
        "database": _works(_write),
        "migrations": _works(_migrated),
        "broker": broker.reachable(1.0),
        "vault": _works(self_test),
        "rounds": _works(lambda: timezone.now() - last_rounds() < ROUNDS_WITHIN),
    }
    well = all(found.values())
    return JsonResponse({"ready": well, **found}, status=200 if well else 503)


def _works(probe: Callable[[], object]) -> bool:
    """Whether the probe neither fails nor says False. Why it failed is for the logs of what was probed."""
    try:
        return probe() is not False
    except Exception:
        return False


def _write() -> None:
    """Write a row and take it back: reading alone succeeds on a full disk."""
    with transaction.atomic():
        Hit.objects.create(bucket="health", window_start=timezone.now())
        transaction.set_rollback(True)


@cache
def _migrated() -> bool:
    """Every migration is applied, and stays so while this process lives; raises LookupError while one is missing."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise LookupError("a migration is missing")
    return True
