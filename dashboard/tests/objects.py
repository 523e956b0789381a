"""What stands in the paths of pages."""

from organizations.invitations import invite_member
from organizations.permissions import Role
from rooms.models import Room
from tests.cast import Player
from tests.security.routes import furnish
from tests.stage import make_room


def one_of_each(owner: Player, member: Player, room: Room) -> dict[str, str]:
    """One object of each kind, the owner's, by the names that the tables of pages use."""
    spare = make_room(owner.actor, room.venue, name="Spare")
    return furnish(owner, room, spare) | {
        "organization": owner.organization.public_id,
        "member": member.user.public_id,
        "invitation": invite_member(email="new@example.com", role=Role.STAFF, by=owner.actor)[0].public_id,
    }
