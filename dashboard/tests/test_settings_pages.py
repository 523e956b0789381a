"""Settings of the organization itself."""

from dashboard.tests.pages import queries, sign_in
from organizations.models import AuditEntry, Organization
from tests.cast import Player


def test_an_owner_renames_the_organization(alice: Player) -> None:
    answer = sign_in(alice).post("/dashboard/settings/organization", {"name": "Alpha & Sons"}, follow=True)

    assert Organization.objects.get(pk=alice.organization.pk).name == "Alpha & Sons"
    assert "Alpha &amp; Sons" in answer.content.decode()
    assert AuditEntry.objects.filter(action="organization.renamed", actor_id=alice.user.public_id).exists()


def test_a_reader_sees_no_form_and_cannot_forge_it(bob: Player) -> None:
    client = sign_in(bob)

    assert "Save name" not in client.get("/dashboard/settings/organization").content.decode()
    assert client.post("/dashboard/settings/organization", {"name": "Mine"}).status_code == 403
    assert Organization.objects.get(pk=bob.organization.pk).name == "Alpha"


def test_the_plan_says_how_much_of_it_is_used(alice: Player, bob: Player) -> None:
    client = sign_in(alice)
    with queries():
        answer = client.get("/dashboard/settings/plan")

    assert answer.context["used"][0] == ("API keys", 2, alice.organization.plan.max_api_keys)
    assert answer.context["members"] == 2


def test_the_audit_trail_says_who_did_what_in_words(alice: Player, charlie: Player) -> None:
    client = sign_in(alice)
    client.post("/dashboard/settings/organization", {"name": "Alpha Two"})
    with queries():
        page = client.get("/dashboard/settings/audit").content.decode()

    assert "Organization: renamed" in page
    assert "Alice" in page
    assert "Beta" not in page


def test_test_mode_is_another_world_with_its_own_colour(alice: Player) -> None:
    client = sign_in(alice)
    client.post("/dashboard/switch", {"mode": "test"})
    page = client.get("/dashboard").content.decode()
    client.post("/dashboard/switch", {"mode": "live"})

    assert "Test mode: nothing here is real" in page
    assert "Test mode" not in client.get("/dashboard").content.decode()


def test_nobody_switches_to_an_organization_of_others(alice: Player, charlie: Player) -> None:
    client = sign_in(alice)

    assert client.post("/dashboard/switch", {"organization": charlie.organization.public_id}).status_code == 404
    assert client.get("/dashboard").context["organization"] == alice.organization
