from django.apps import AppConfig


class BookingflowConfig(AppConfig):
    name = "bookingflow"

    def ready(self) -> None:
        from bookingflow import checks  # noqa: F401 - registers them
