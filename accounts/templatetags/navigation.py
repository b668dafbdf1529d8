"""The side bar of base.html."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import HttpRequest
from django.template.context import Context

from accounts.models import User
from accounts.navigation import current_path, sections_for
from accounts.roles import may_open_admin

register = template.Library()


@register.inclusion_tag("_navigation.html", takes_context=True)
def main_navigation(context: Context) -> dict[str, Any]:
    """Only what this person's role may open. Empty for strangers and for errors raised before sign-in."""
    request: HttpRequest | None = context.get("request")
    user = getattr(request, "user", None)
    if request is None or not isinstance(user, User):
        return {}
    return {
        "request": request,
        "user": user,
        "sections": sections_for(user),
        "current": current_path(user, request.path),
        "may_open_admin": may_open_admin(user),
        "unread_notifications": context.get("unread_notifications"),
        "themes": User.Theme.choices,
    }
