"""Whether the service lives and whether it can do its work: for load balancers and alarms, naming nobody."""

from collections.abc import Callable
from functools import cache

from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from zhoushan_consult import broker
from zhoushan_consult.duties.runner import stalled_for
from zhoushan_consult.outbox.delivery import is_stalled
from zhoushan_consult.vault.checks import self_test

from .models import Hit


@require_safe
def healthz(request):
    """This process answers."""
    return JsonResponse({"alive": True})


@require_safe
def readyz(request):
    """200 if everything the service needs works, else 503 with what does not. Asked anew each time: nothing is
    believed from before, and a database that is away is not asked further."""
    now = timezone.now()
    writes = _works(_write)
    reads = writes or _works(_read)
    found = {
        "database": writes,
        "migrations": reads and _works(_migrated),
        "broker": broker.reachable(1.0),
        "vault": _works(self_test),
        "rounds": reads and _works(lambda: stalled_for(now) is None),
        "letters": reads and _works(lambda: not is_stalled(now)),
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


def _read() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrated() -> bool:
    """Whether the database has every migration that this process knows: a backup of before may lack some."""
    return _known() <= MigrationRecorder(connection).applied_migrations().keys()


@cache
def _known() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.nodes)
