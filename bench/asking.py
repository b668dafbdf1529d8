"""Asking a web server for pages over one connection, in turn and again."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import User
from bench.sessions import session_cookie

WARMING_UP = 2


@dataclass(frozen=True)
class Ask:
    """One request: who asks for what."""

    path: str
    cookie: str
    etag: str = ""


def ask_in_turn(
    connection: http.client.HTTPConnection, asks: Iterable[Ask], rounds: int, expected: int
) -> dict[str, list[float]]:
    """Ask for each in turn, so many times after some for warming up; the seconds of each by its path."""
    asks = list(asks)
    timings: dict[str, list[float]] = {f"{number}: {ask.path}": [] for number, ask in enumerate(asks)}
    for round_number in range(-WARMING_UP, rounds):
        for name, ask in zip(timings, asks, strict=True):
            seconds, status, _ = request_page(connection, ask)
            if status != expected:
                raise RuntimeError(f"Expected {expected} for {ask.path}, got {status}.")
            if round_number >= 0:
                timings[name].append(seconds)
    return timings


def as_poll(connection: http.client.HTTPConnection, user: User, path: str) -> Ask:
    """The request that the page makes every few seconds: the token of its rows and no wish for a page."""
    cookie = session_cookie(user)
    _, _, etag = request_page(connection, Ask(path, cookie, etag="none"))
    return Ask(path, cookie, etag)


def request_page(connection: http.client.HTTPConnection, ask: Ask) -> tuple[float, int, str]:
    """Seconds until the last byte was read, the status and the token of what came."""
    headers = {"Cookie": ask.cookie}
    if ask.etag:
        headers |= {"HX-Request": "true", "If-None-Match": ask.etag}
    started = time.perf_counter()
    connection.request("GET", ask.path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    seconds = time.perf_counter() - started
    if response.status == 304 and body:
        raise RuntimeError("A poll without news had a body.")
    return seconds, response.status, response.headers.get("ETag", "")
