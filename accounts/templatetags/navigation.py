"""The side bar of base.html."""

from __future__ import annotations

from django import template
from django.http import HttpRequest
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.models import User
from accounts.navigation import current_path, sections_for
from accounts.roles import may_open_admin
from common.jinja import render_jinja

register = template.Library()


@register.simple_tag(takes_context=True)
def main_navigation(context: Context) -> SafeString:
    """Only what this person's role may open. Empty for strangers and for errors raised before sign-in."""
    request: HttpRequest | None = context.get("request")
    user = getattr(request, "user", None)
    if request is None or not isinstance(user, User):
        return render_jinja("_navigation.jinja", user=None)
    unread = {"unread_notifications": context.get("unread_notifications")}
    return render_jinja(
        "_navigation.jinja",
        path=request.path,
        full_path=request.get_full_path(),
        user=user,
        sections=sections_for(user),
        current=current_path(user, request.path),
        waiting={"/sla/tickets/": context.get("tickets_to_answer")},
        may_open_admin=may_open_admin(user),
        unread=render_to_string("notifications/_unread.html#polling", unread),
        themes=User.Theme.choices,
        csrf_token=context.get("csrf_token"),
    )
