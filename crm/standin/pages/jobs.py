"""The ingest jobs of the bulk API: how far each is, and which rows it refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import values

if TYPE_CHECKING:
    from crm.standin.server import StandIn

FAILED_SHOWN = 100


def show_jobs(
    standin: StandIn, parts: Mapping[str, str], query: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    return "jobs", {
        "title": "Jobs",
        "jobs": [_summary(standin, info) for info in standin.ingest.shelf.all()],
        "are_held": standin.ingest.runner.is_held,
    }


def show_job(
    standin: StandIn, parts: Mapping[str, str], query: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    """Raises NOT_FOUND."""
    info = standin.ingest.shelf.info(parts["job"])
    failed = standin.ingest.shelf.rows(info["id"], "outcome = 'failed'")
    return "job", {
        "title": f"Job {info['id']}",
        "job": _summary(standin, info),
        "failed": [
            {"number": row["number"] + 1, "cells": row["cells"], "error": row["error"]}
            for row in failed[:FAILED_SHOWN]
        ],
        "more": max(0, len(failed) - FAILED_SHOWN),
    }


def hold_jobs(standin: StandIn, parts: Mapping[str, str], form: Mapping[str, str]) -> str:
    """Keep jobs waiting, as a busy org does."""
    standin.ingest.runner.hold()
    return "/jobs/?done=held"


def let_jobs_go_on(standin: StandIn, parts: Mapping[str, str], form: Mapping[str, str]) -> str:
    standin.ingest.runner.go_on()
    return "/jobs/?done=going_on"


def _summary(standin: StandIn, info: Mapping[str, Any]) -> dict[str, Any]:
    counted = {
        row["outcome"]: row["count"]
        for row in standin.store.rows(
            "SELECT coalesce(outcome, 'waiting') AS outcome, count(*) AS count FROM ingest_row "
            "WHERE job = ? GROUP BY 1",
            (info["id"],),
        )
    }
    return {
        **info,
        "key": info.get("externalIdFieldName", ""),
        "at": values.moment(info["createdDate"]),
        "done": counted.get("created", 0) + counted.get("updated", 0),
        "failed": counted.get("failed", 0),
        "waiting": counted.get("waiting", 0),
    }
