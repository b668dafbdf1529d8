"""Who may do what: the role predicates, the guards of pages, and what a token may be allowed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import ApiToken, User
from common.htmx import wants_fragment

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

Role = User.Role
Scope = ApiToken.Scope

# What a person of this role may do through the API at all; a token narrows it further (OPS-1).
SCOPES_OF_ROLE: dict[str, frozenset[str]] = {
    Role.BDR: frozenset({Scope.READ, Scope.WORK}),
    Role.MARKETING: frozenset({Scope.READ, Scope.INTAKE}),
    Role.MANAGER: frozenset({Scope.READ, Scope.INTAKE, Scope.WORK}),
    Role.OPERATOR: frozenset({Scope.READ, Scope.INTAKE}),
    Role.READ_ONLY: frozenset({Scope.READ}),
}


def may_work_handoffs(user: User) -> bool:
    """Accept, reject, call: BDRs on what is theirs, managers on everything."""
    return user.role in (Role.BDR, Role.MANAGER)


def may_hand_off(user: User) -> bool:
    """Pass a lead to sales by hand, and take one back."""
    return user.role in (Role.MARKETING, Role.MANAGER)


def may_open_admin(user: User) -> bool:
    """Everybody but BDRs has something to read or edit in the admin."""
    return user.is_superuser or user.role != Role.BDR


def signed_in_user(request: HttpRequest) -> User:
    """The person behind a request that a guard has let through."""
    if isinstance(request.user, AnonymousUser):
        raise PermissionDenied("Sign in first.")
    return request.user


def login_required(view: View[P]) -> View[P]:
    """Send strangers to the login page and back to where they were.

    Unlike Django's, it tells HTMX to move the whole page: otherwise the login form would land in a fragment.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        return _send_to_login(request)

    return guarded


def role_required(*roles: User.Role) -> Callable[[View[P]], View[P]]:
    """Let only these roles (and superusers) in; others get 403, strangers the login page."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return _send_to_login(request)
            if request.user.role not in roles and not request.user.is_superuser:
                raise PermissionDenied(f"{request.user.get_role_display()} may not open this page.")
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def _send_to_login(request: HttpRequest) -> HttpResponse:
    if not wants_fragment(request):
        return redirect_to_login(request.get_full_path())
    # The address the person sees, not the fragment's; its host is what the browser claims, so drop it.
    back = _without_host(request.headers.get("HX-Current-URL", ""))
    return HttpResponseClientRedirect(f"{resolve_url('accounts:login')}?{urlencode({'next': back})}")


def _without_host(address: str) -> str:
    try:
        seen = urlsplit(address)
    except ValueError:  # no browser says such a thing
        return "/"
    return seen.path + (f"?{seen.query}" if seen.query else "")
