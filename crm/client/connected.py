"""This process's session with the org that the environment names, or else the connection page."""

from __future__ import annotations

import threading

from django.conf import settings

from crm.models import Connection
from notifications.sealing import unseal

from .bulk import BulkSession
from .login import Credentials
from .organization import admit_organization
from .reading import ReadingSession
from .rows import WritingSession


class SalesforceClient(WritingSession, ReadingSession, BulkSession):
    """A session with one org: all that the portal asks of Salesforce."""


class _InUse:
    """The client of the credentials used last. One is enough: they change when somebody enters others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made_of: tuple[object, ...] = ()
        self._client: SalesforceClient | None = None

    def client(self, credentials: Credentials) -> SalesforceClient:
        version, seconds = settings.SALESFORCE_API_VERSION, settings.SALESFORCE_TIMEOUT_SECONDS
        with self._lock:
            if self._client is None or self._made_of != (credentials, version, seconds):
                self._made_of = (credentials, version, seconds)
                self._client = SalesforceClient(
                    credentials, version=version, timeout_seconds=seconds, admit=admit_organization
                )
            return self._client


_in_use = _InUse()


def connected_client() -> SalesforceClient | None:
    """The client to use now; None when no org is named. A connection that somebody saves is in use from the
    next call on, in every process. Raises CannotUnseal when the key of its secret was lost."""
    credentials = _from_environment() or _from_page()
    return _in_use.client(credentials) if credentials else None


def org_url() -> str:
    """The address of the org, without a slash at its end; blank when none is named."""
    url = settings.SALESFORCE_URL or Connection.objects.values_list("url", flat=True).first() or ""
    return url.rstrip("/")


def is_set_by_environment() -> bool:
    """Whether SALESFORCE_* says how to sign in. Then all of it does: a secret meant for one org is never
    sent to another."""
    return bool(settings.SALESFORCE_URL)


def record_url(salesforce_id: str) -> str:
    """Where a person opens the record."""
    return f"{org_url()}/{salesforce_id}"


def _from_environment() -> Credentials | None:
    if not settings.SALESFORCE_URL:
        return None
    return Credentials(
        url=settings.SALESFORCE_URL,
        client_id=settings.SALESFORCE_CLIENT_ID,
        secret=settings.SALESFORCE_PRIVATE_KEY or settings.SALESFORCE_CLIENT_SECRET,
        username=settings.SALESFORCE_USERNAME,
        audience=settings.SALESFORCE_AUDIENCE,
    )


def _from_page() -> Credentials | None:
    row = Connection.objects.filter(sealed_secret__isnull=False).exclude(url="").first()
    if row is None or row.sealed_secret is None:
        return None
    return Credentials(
        url=row.url,
        client_id=row.client_id,
        secret=unseal(row.sealed_secret),
        username=row.username if row.login == Connection.Login.JWT_BEARER else "",
        audience=row.audience,
    )
