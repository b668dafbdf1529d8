"""Filters that a person keeps under a name, for the queue and for the list of leads (QUEUE-1)."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.db import transaction
from django.http import QueryDict

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from common.prepared import VIEWER, ask_prepared, composed
from handoffs.acting import require_text
from handoffs.models import SavedView
from handoffs.queue.filters import filter_form

NAME_LENGTH = 40
QUERY_LENGTH = 500
# As many as one can tell apart in a menu.
MOST_VIEWS = 20


class KeptView(NamedTuple):
    """What a menu of saved views shows of one."""

    pk: int
    name: str
    query: str


def views_of(user: User, page: SavedView.Page) -> list[KeptView]:
    """The person's own views of a page, by name."""
    return [KeptView._make(row) for row in ask_prepared(_views_of(page), {"viewer": user.pk})]


@cache
def _views_of(page: SavedView.Page) -> str:
    """Prepared, because each of these pages asks."""
    mine = SavedView.objects.filter(user=VIEWER, page=page)
    return composed(mine.values_list(*KeptView._fields))


@transaction.atomic
def save_view(user: User, *, page: str, name: str, query: str, now: datetime) -> SavedView:
    """Keep the filters of a query string under a name; the selected row and the place in a list are no part
    of it. The same name once more replaces what it stood for, so a double click makes one view.

    Raises InvalidInput(field="page", "name" or "query").
    """
    if page not in SavedView.Page.values:
        raise InvalidInput("Views are kept for the queue and for the list of leads.", field="page")
    name = require_text(name, field="name", ask="Give the view a name.", length=NAME_LENGTH)
    kept = filters_in(query, page=page, viewer=user)
    if not kept:
        raise InvalidInput("Filter or search first, then save the view.", field="query")
    if len(kept) > QUERY_LENGTH:
        raise InvalidInput("This search is too long to be kept: use fewer words.", field="query")
    others = SavedView.objects.filter(user=user, page=page).exclude(name=name)
    if others.count() >= MOST_VIEWS:
        raise InvalidInput(f"You have {MOST_VIEWS} views here: delete one first.", field="name")
    view, _ = SavedView.objects.update_or_create(
        user=user, page=page, name=name, defaults={"query": kept, "created_at": now}
    )
    return view


@transaction.atomic
def delete_view(view: SavedView, *, by: User) -> None:
    """Forget a view. Deleting it twice changes nothing the second time. Raises NotAllowed."""
    if view.user_id != by.pk:
        raise NotAllowed("This view is somebody else’s.")
    SavedView.objects.filter(pk=view.pk).delete()


def filters_in(query: str, *, page: str, viewer: User) -> str:
    """What a query string filters by, in the order of the form: the same filters give the same text. Values
    that make no sense are left out."""
    form = filter_form(page, QueryDict(query), viewer=viewer)
    form.is_valid()
    kept = QueryDict(mutable=True)
    for name in form.fields:
        if value := form.cleaned_data.get(name):
            kept[name] = value
    return kept.urlencode()
