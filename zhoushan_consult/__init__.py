"""企业环保咨询日: the wiring of the project, and the kernel that any service of the bureau needs."""

from .celery import app as celery_app

__all__ = ["celery_app"]
