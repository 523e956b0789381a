from django.apps import AppConfig
from django.db.backends.signals import connection_created

from common.timestamps import read_instants_quickly


class BookingflowConfig(AppConfig):
    name = "bookingflow"

    def ready(self) -> None:
        from bookingflow import checks  # noqa: F401 - registers them

        connection_created.connect(read_instants_quickly)
