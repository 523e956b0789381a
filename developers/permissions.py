"""Each view states the scope of each of its actions; what states none is refused."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from organizations.permissions import Scope

if TYPE_CHECKING:  # rest_framework.views loads the default permissions, and so this module, itself
    from rest_framework.views import APIView


class ScopePermission(BasePermission):
    """`view.scopes` maps action → Scope, or to None for "any valid key". Raises NotAllowed, NotFound for no entry."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        action = getattr(view, "action", None)
        if action is None:  # the method is not routed: 405 follows
            return True
        scope: Scope | None = view.scopes[action]  # type: ignore[attr-defined]
        if scope is not None:
            request.user.require(scope)  # type: ignore[union-attr]
        return True
