"""docs/salesforce-stand-in.md tells all that can be ordered, switched and called, by its right name."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from crm.standin.administration import ROUTES
from crm.standin.api import ROUTER
from crm.standin.faults import KINDS, OPERATIONS, PRESETS, Fault
from crm.standin.schema import OBJECTS
from crm.standin.setup import Setup

GUIDE = (Path(__file__).parents[3] / "docs" / "salesforce-stand-in.md").read_text()
IN_CODE = set(re.findall(r"`([^`\n]+)`", GUIDE))


@pytest.mark.parametrize(
    "names",
    [
        set(KINDS),
        OPERATIONS,
        set(PRESETS),
        {field.name for field in fields(Fault)},
        {field.name for field in fields(Setup)},
    ],
    ids=["kinds", "operations", "presets", "parts", "switches"],
)
def test_every_name_is_explained(names: set[str]) -> None:
    assert sorted(names - IN_CODE) == []


def test_every_call_of_a_person_is_listed() -> None:
    listed = {one.replace("Lead", "OBJECT") for one in IN_CODE}
    for method, pattern, _ in ROUTES:
        path = pattern.replace(r"(?P<object>\w+)", "OBJECT").replace(r"(?P<id>\w+)", "ID")
        assert f"{method} {path}" in listed


def test_every_object_is_listed() -> None:
    assert [one.name for one in OBJECTS.values() if one.name not in GUIDE] == []


def test_a_fault_can_be_ordered_for_every_call() -> None:
    assert {route.operation for route in ROUTER.routes} <= OPERATIONS
