"""The web server's entry."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from bookingflow.checks import refuse_to_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookingflow.settings")

application = get_wsgi_application()
refuse_to_start()

# What is loaded now lives as long as the process: full collections over it would be pauses for nothing.
gc.collect()
gc.freeze()
