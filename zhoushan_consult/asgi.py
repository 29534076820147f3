"""The ASGI entry point. Production uses wsgi.py; this one is for servers that speak ASGI only."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhoushan_consult.settings")

application = get_asgi_application()
