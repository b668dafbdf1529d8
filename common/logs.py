"""Structured logs: one line per event, with the request it belongs to, and never personal data."""

from __future__ import annotations

import logging.config
import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger("http")

# What a caller may hand us as its own request id; anything else is replaced, so that logs cannot be forged.
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def configure_logging(*, level: str, as_json: bool) -> None:
    """Send the standard library's and structlog's events through one formatter to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [structlog.stdlib.add_logger_name, *shared],
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        renderer,
                    ],
                }
            },
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "structured"},
                "nowhere": {"class": "logging.NullHandler"},
            },
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                # RequestLogMiddleware says the same with more facts.
                "django.server": {"level": "WARNING"},
                "django.request": {"level": "ERROR"},
                # One line for every task and its every step.
                "django-q": {"level": "WARNING"},
                # They name hosts and paths, which for webhooks are secrets.
                "apprise": {"handlers": ["nowhere"], "propagate": False},
                "urllib3": {"handlers": ["nowhere"], "propagate": False},
            },
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class RequestLogMiddleware:
    """Give each request an id (the caller's, if it sent a sane one), return it, and log one line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            # The route, not the path: a path may carry an id or a search for a person.
            route = request.resolver_match.route if request.resolver_match else "-"
            log.info(
                "request",
                method=request.method,
                route=route,
                status=response.status_code,
                milliseconds=round((time.perf_counter() - started) * 1000, 1),
            )
        response["X-Request-ID"] = request_id
        return response
