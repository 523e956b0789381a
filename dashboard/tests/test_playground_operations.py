"""The playground's page of each operation that the API has."""

import re

import pytest
from django.urls import reverse

from dashboard.tests.pages import queries, sign_in, text_of
from developers.operations import operations
from tests import standing
from tests.cast import Player

stage, alice, ids = standing.stage, standing.alice, standing.ids

PAGE = reverse("dashboard:developers_playground")


@pytest.mark.parametrize("operation", operations())
def test_every_operation_has_a_form_and_its_command(alice: Player, ids: dict[str, str], operation: str) -> None:
    client = sign_in(alice)

    with queries():
        page = client.get(PAGE, {"operation": operation, "mode": "live"})

    assert page.status_code == 200
    one, form = operations()[operation], page.context["form"]
    assert set(form.fields) - {"confirm"} == {f"{parameter.place}_{parameter.name}" for parameter in one.parameters}
    if all(
        form.initial.get(f"path_{name}") for name in re.findall(r"\{(\w+)\}", one.path)
    ):  # there is one that it can be tried on
        assert "$BOOKINGFLOW_KEY" in page.context["call"].curl
        assert page.context["call"].path.startswith(one.path.partition("{")[0])
    assert "bkf_" not in text_of(page).replace("bkf_play_", "")
