"""Saved views: a person's own filters under a name, for the queue and the list of leads (QUEUE-1)."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from handoffs.models import SavedView
from handoffs.queue.saved_views import MOST_VIEWS, delete_view, save_view


def save(user: User, now: datetime, *, name: str = "Hot", query: str = "category=A") -> SavedView:
    return save_view(user, page="queue", name=name, query=query, now=now)


def test_only_what_filters_is_kept_in_one_order(bdr: User, now: datetime) -> None:
    view = save(bdr, now, query="selected=7&status=&warmth=cold&q=holm+gmbh&nonsense=1&category=A&tab=team")

    assert view.query == "q=holm+gmbh&category=A&warmth=cold&tab=team"


def test_the_same_name_again_replaces(bdr: User, now: datetime) -> None:
    save(bdr, now)
    save(bdr, now, query="category=B")

    assert [view.query for view in SavedView.objects.all()] == ["category=B"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"query": ""}, "query"),
        ({"query": "category=Z&after=1"}, "query"),
        ({"query": "q=" + "%F0%9F%98%80" * 100}, "query"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(
    bdr: User, now: datetime, given: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        save(bdr, now, **given)

    assert refusal.value.field == field


def test_there_are_only_as_many_as_one_can_tell_apart(bdr: User, now: datetime) -> None:
    for number in range(MOST_VIEWS):
        save(bdr, now, name=f"View {number}")

    with pytest.raises(InvalidInput, match="delete one first"):
        save(bdr, now, name="One more")


def test_nobody_deletes_somebody_elses(bdr: User, other_bdr: User, now: datetime) -> None:
    view = save(bdr, now)

    with pytest.raises(NotAllowed):
        delete_view(view, by=other_bdr)


def test_a_view_is_saved_on_the_page_and_found_in_its_menu(client: Client, bdr: User) -> None:
    client.force_login(bdr)
    given = {"page": "queue", "name": "Hot & new", "query": "?category=A&selected=3&q="}

    response = client.post("/views/save/", given)

    assert response.url == "/queue/?category=A"
    menu = client.get(response.url).content.decode()
    assert 'href="?category=A" aria-current="page">Hot &amp; new</a>' in menu


def test_a_refusal_is_said_and_the_filters_stay(client: Client, bdr: User) -> None:
    client.force_login(bdr)

    response = client.post("/views/save/", {"page": "leads", "name": "", "query": "stage=mql"})

    assert response.url == "/leads/?stage=mql"
    assert "Give the view a name" in str(next(iter(get_messages(response.wsgi_request))))


def test_a_page_without_views_is_refused(client: Client, bdr: User) -> None:
    client.force_login(bdr)

    assert client.post("/views/save/", {"page": "sla", "name": "x", "query": "q=1"}).status_code == 422


def test_deleting_is_for_the_owner_alone(client: Client, bdr: User, other_bdr: User, now: datetime) -> None:
    view = save(bdr, now)
    client.force_login(other_bdr)
    assert client.post(f"/views/{view.pk}/delete/").status_code == 404

    client.force_login(bdr)

    assert client.post(f"/views/{view.pk}/delete/").url == "/queue/"
    assert not SavedView.objects.exists()
