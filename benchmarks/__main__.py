"""`make bench`: what API, agents, dashboard, calendars and webhooks cost, each figure beside a floor of the same run.

`make bench ARGS=api` is one part alone, as are `agents`, `calendars`, `pages` and `webhooks`. `ARGS="api small"` shows that it
runs.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookingflow.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - after setup

from benchmarks import agents, api, calendars, dataset, pages, webhooks  # noqa: E402

PARTS = {"agents", "api", "calendars", "pages", "webhooks"}


def main(words: list[str]) -> None:
    parts = PARTS & set(words) or PARTS
    call_command("migrate", verbosity=0)
    if "api" in parts:
        api.main(small="small" in words)
    if "agents" in parts:
        agents.main()
    if "calendars" in parts:
        calendars.main()
    if "pages" in parts:
        print("Making data", flush=True)
        pages.main(dataset.make())
    if "webhooks" in parts:
        webhooks.main()


if __name__ == "__main__":
    main(sys.argv[1:])
