"""The ASGI entry point. The deployment uses wsgi.py, whose request class also survives a broken Content-Type."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhoushan_consult.settings")

application = get_asgi_application()
