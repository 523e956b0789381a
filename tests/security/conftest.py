"""For tests of the operators' admin."""

from typing import Any

import pytest
from django.test import Client

from organizations.models import User


@pytest.fixture(autouse=True)
def uncollected_static_files(settings: Any) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def operator(plans: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "a long password"))
    return client
