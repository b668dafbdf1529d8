"""Who sends a request: their session, and the person it names.

Every page and every poll begins with these two, and composing them took Django longer than anything else of a
poll. So both are statements that PostgreSQL has prepared; all else about sessions is Django's.
"""

from __future__ import annotations

from functools import cache

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from accounts.models import Team, User
from common.prepared import columns_of, execute_prepared, made_of


class SessionStore(db.SessionStore):
    """Django's sessions in the database, read by a prepared statement. Named as Django's, whose name is part
    of the signature: sessions made by either are good for both."""

    def _get_session_from_db(self) -> Session | None:
        """The live session with this key. Forgets a key that has none, as Django's does."""
        row = None
        # A key of ours is of letters and digits; what else a cookie may hold is not asked for.
        if (self.session_key or "").isalnum():
            with connection.cursor() as cursor:
                execute_prepared(cursor, _session(), {"key": self.session_key, "now": timezone.now()})
                row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return None
        return made_of(Session, row)


def find_person(pk: int) -> User | None:
    """The person with their team loaded; None if unknown or if the account is closed."""
    with connection.cursor() as cursor:
        execute_prepared(cursor, _person(), {"id": pk})
        row = cursor.fetchone()
    if row is None:
        return None
    end = len(User._meta.concrete_fields)
    user = made_of(User, row[:end])
    user.team = made_of(Team, row[end:]) if user.team_id else None
    return user


@cache
def _session() -> str:
    return f"""
        SELECT {columns_of(Session, "session")} FROM django_session session
        WHERE session_key = %(key)s::text AND expire_date > %(now)s::timestamptz
    """


@cache
def _person() -> str:
    return f"""
        SELECT {columns_of(User, "person")}, {columns_of(Team, "team")}
        FROM accounts_user person LEFT JOIN accounts_team team ON team.id = person.team_id
        WHERE person.id = %(id)s::bigint AND person.is_active
    """
