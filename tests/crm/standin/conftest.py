"""The stand-in against the facts of SALESFORCE.md, driven by simple-salesforce as it comes from PyPI.

Nothing here knows the portal's own client: whatever these tests show, any other client would see.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from crm.standin.org import Caller
from crm.standin.server import StandIn
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET

KEEP_OWNER = {"Sforce-Auto-Assign": "FALSE"}
ADA = {"LastName": "Byron", "FirstName": "Ada", "Company": "Engines", "Email": "ada@engines.example"}

Row = dict[str, Any]


class Detour(HTTPAdapter):
    """Leads the library's fixed https://*.salesforce.com addresses to a port of this machine (§10)."""

    def __init__(self, base_url: str, *, seconds: float = 5.0) -> None:
        super().__init__()
        self._there = urlsplit(base_url)[:2]
        self._seconds = seconds

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = urlunsplit((*self._there, *urlsplit(request.url)[2:]))
        return super().send(request, *args, **{**kwargs, "timeout": self._seconds, "proxies": {}})


def log_in(standin: StandIn, version: str = "68.0", secret: str = CLIENT_SECRET) -> Salesforce:
    session = requests.Session()
    session.mount("https://", Detour(standin.base_url))
    return Salesforce(
        consumer_key=CLIENT_ID,
        consumer_secret=secret,
        domain="handoff-standin.my",
        version=version,
        session=session,
    )


@pytest.fixture
def salesforce(standin: StandIn) -> Salesforce:
    return log_in(standin)


@pytest.fixture
def sam(standin: StandIn) -> Caller:
    """A person who works in Salesforce."""
    return Caller(standin.org.sales_user_id, auto_assign=False)


@pytest.fixture
def by_hand(standin: StandIn) -> Callable[..., requests.Response]:
    """Calls what people do in Salesforce, and what makes it misbehave."""

    def call(method: str, path: str, json: Any = None, **more: Any) -> requests.Response:
        return requests.request(
            method, f"{standin.base_url}/__standin__/{path}", json=json, timeout=5, **more
        )

    return call


def lead_rows(count: int, **more: Any) -> list[Row]:
    return [
        {
            "attributes": {"type": "Lead"},
            "Portal_Lead_Id__c": f"p{number}",
            "LastName": f"Lead {number}",
            "Company": "Engines",
            **more,
        }
        for number in range(count)
    ]


def upsert_all(salesforce: Salesforce, rows: list[Row], **more: Any) -> list[Row]:
    return salesforce.restful(
        "composite/sobjects/Lead/Portal_Lead_Id__c",
        method="PATCH",
        json={"records": rows, **more},
        headers=KEEP_OWNER,
    )


def code_of(row: Row) -> str:
    """The code of a collections row that failed: under `statusCode`, not `errorCode` (§2)."""
    return row["errors"][0]["statusCode"]
