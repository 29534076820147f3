"""企业环保咨询日: the wiring of the project, and the kernel that any service of the bureau needs."""

import os

# One native thread in numpy: with its own threads, OpenBLAS took 16 times as long on two cores, and several workers share
# them anyway. It reads this when numpy is imported, so it stands before every import; every process imports this first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from .celery import app as celery_app

__all__ = ["celery_app"]
