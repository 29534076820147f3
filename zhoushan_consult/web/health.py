"""/healthz: the process lives. /readyz: it can do its work. For load balancers and alarms, without personal data."""

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
    """200 if this process answers. It makes no query, so a database that is away does not restart the process."""
    return JsonResponse({"alive": True})


@require_safe
def readyz(request):
    """200 if everything that the service needs works, else 503 with the parts that do not.

    Nothing is cached. If the database cannot even be read, it is not asked again: each question could wait for a timeout.
    """
    now = timezone.now()
    writes = _works(_write)
    # Of a full disk only writing fails: the other checks then still say what they find.
    reads = writes or _works(_read)
    checks = {
        "database": writes,
        "migrations": reads and _works(_migrated),
        "broker": broker.reachable(1.0),
        "vault": _works(self_test),
        "rounds": reads and _works(lambda: stalled_for(now) is None),
        "letters": reads and _works(lambda: not is_stalled(now)),
    }
    ready = all(checks.values())
    return JsonResponse({"ready": ready, **checks}, status=200 if ready else 503)


def _works(probe: Callable[[], object]) -> bool:
    """Whether the probe neither raises nor returns False. Its own log says why it failed."""
    try:
        return probe() is not False
    except Exception:
        return False


def _write() -> None:
    """Write a row and roll back. Reading succeeds on a full disk too, so it proves less."""
    with transaction.atomic():
        Hit.objects.create(bucket="health", window_start=timezone.now())
        transaction.set_rollback(True)


def _read() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrated() -> bool:
    """Whether the database has every migration of this code. A restored backup may lack some."""
    return _known() <= MigrationRecorder(connection).applied_migrations().keys()


# The migrations of the code cannot change while the process runs.
@cache
def _known() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.nodes)
