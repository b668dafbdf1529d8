"""Reads the SFDX project in `salesforce/`, and says what Salesforce would refuse in it."""

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

PROJECT = Path(__file__).parents[2] / "salesforce"
NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
PLAIN = {"string": r"(?s).+", "number": r"-?\d+", "boolean": r"true|false"}


@cache
def schema(name: str) -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "schemas" / f"{name}.json").read_text())


def types() -> dict[str, Any]:
    return schema("metadata_types")["types"]


def files() -> list[Path]:
    """The metadata of the project, in a fixed order."""
    return sorted(PROJECT.rglob("*-meta.xml"))


def read(path: Path) -> Element:
    return ElementTree.parse(path).getroot()


def kind_of(root: Element) -> str:
    return root.tag.removeprefix(NAMESPACE)


def text(element: Element, *names: str) -> str | None:
    """What stands in an element below, None without one."""
    found = element.find("/".join(NAMESPACE + name for name in names))
    return None if found is None else found.text


def texts(element: Element, *names: str) -> list[str]:
    return [found.text or "" for found in element.findall("/".join(NAMESPACE + name for name in names))]


def elements(element: Element, name: str) -> list[Element]:
    return element.findall(NAMESPACE + name)


def fields_of(folder: str) -> dict[str, Element]:
    """The custom fields that the project gives an object, by name."""
    found = (PROJECT / "force-app/main/default/objects" / folder / "fields").glob("*.field-meta.xml")
    return {path.name.partition(".")[0]: read(path) for path in sorted(found)}


def the(pattern: str) -> Element:
    """The only file of that name."""
    (path,) = PROJECT.rglob(pattern)
    return read(path)


def problems(element: Element, kind: str, *, at: str) -> Iterator[str]:
    """What is wrong with an element that shall be of that type."""
    if not element.tag.startswith(NAMESPACE):
        yield f"{at} is not in the metadata namespace"
    if kind in PLAIN:
        if len(element) or not re.fullmatch(PLAIN[kind], element.text or ""):
            yield f"{at} is no {kind}: {element.text!r}"
        return
    expected = types()[kind]
    if isinstance(expected, list):
        if element.text not in expected:
            yield f"{at} is none of {kind}: {element.text!r}"
        return
    yield from _problems_of_children(element, expected, at=at)


def _problems_of_children(element: Element, expected: dict[str, str], *, at: str) -> Iterator[str]:
    # Salesforce takes the elements in any order, but those of one name must stand together.
    runs = [(name, len(list(run))) for name, run in groupby(kind_of(child) for child in element)]
    names = [name for name, _ in runs]
    yield from (f"{at}.{name} is scattered" for name in sorted(set(names)) if names.count(name) > 1)
    for name, count in runs:
        if count > 1 and not expected.get(name, "*").endswith("*"):
            yield f"{at}.{name} stands {count} times"
    for name, kind in expected.items():
        if kind[-1] not in "?*" and name not in names:
            yield f"{at} lacks {name}"
    for child in element:
        name = kind_of(child)
        if name not in expected:
            yield f"{at} knows no {name}"
        else:
            yield from problems(child, expected[name].rstrip("?*"), at=f"{at}.{name}")
