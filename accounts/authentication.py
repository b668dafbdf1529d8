"""`Authorization: Bearer TOKEN` for the API, and the scopes a token needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.roles import SCOPES_OF_ROLE
from accounts.tokens import find_token, mark_used

if TYPE_CHECKING:  # rest_framework.views imports this module by its settings
    from rest_framework.views import APIView


class BearerTokenAuthentication(BaseAuthentication):
    """A call acts as the person who holds the token."""

    keyword = b"bearer"

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != self.keyword:
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("Send the header as: Authorization: Bearer TOKEN")
        try:
            token = find_token(parts[1].decode("ascii"))
        except UnicodeDecodeError:
            token = None
        if token is None:
            raise AuthenticationFailed("This token is unknown or was revoked.")
        mark_used(token, now=timezone.now())
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class HasScope(BasePermission):
    """The base of one permission class per scope; the role must hold the scope, and the token too."""

    scope: ApiToken.Scope
    message = "Your role or this token may not do that."

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if not isinstance(user, User) or not user.is_authenticated:
            return False
        # A person at the browsable pages has no token and may do what the role allows.
        granted = request.auth.scopes if isinstance(request.auth, ApiToken) else SCOPES_OF_ROLE[user.role]
        return self.scope in granted and self.scope in SCOPES_OF_ROLE[user.role]


class MayRead(HasScope):
    scope = ApiToken.Scope.READ


class MaySendLeads(HasScope):
    scope = ApiToken.Scope.INTAKE


class MayWork(HasScope):
    scope = ApiToken.Scope.WORK


class BearerTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes the token."""

    target_class = "accounts.authentication.BearerTokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from your profile page."}
