"""The product's settings for the views of `benchmarks.floors`: the same database and server, no apps and no middleware."""

from bookingflow.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.floors"
INSTALLED_APPS, MIDDLEWARE = [], []
