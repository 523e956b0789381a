"""The web server's entry: loaded by each of its workers, in production and by `make run` alike."""

import gc
import os
from importlib import import_module

import django
from django.conf import settings
from django.urls import get_resolver

from bookingflow.checks import refuse_to_start
from bookingflow.door import Door

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookingflow.settings")

django.setup(set_prefix=False)
application = Door()
refuse_to_start()

# What is loaded now, views and serializers with it, lives as long as the process. The collector would walk over all of it again
# and again, to find nothing: with hundreds of thousands of objects that is a pause of tenths of a second in somebody's request.
# Frozen, it is left alone; what requests leave behind is collected as ever.
assert get_resolver().url_patterns
if not settings.DEVELOPMENT:  # there a start should be quick, here the first agent's call
    import_module("agents.transport")
gc.collect()
gc.freeze()
