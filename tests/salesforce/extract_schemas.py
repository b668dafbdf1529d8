"""Renew `schemas/`: what Salesforce says that a file of our SFDX project may hold, cut to what it does hold.

    npm pack @salesforce/types @salesforce/schemas @salesforce/source-deploy-retrieve
    python tests/salesforce/extract_schemas.py *.tgz

The first package gives the metadata types as TypeScript (from the Metadata API's WSDL), the second the schema
of `sfdx-project.json`, the third the folder and the ending of each type's files.
"""

import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "schemas"
ROOTS = (
    "CustomField",
    "ExternalClientApplication",
    "ExtlClntAppGlobalOauthSettings",
    "ExtlClntAppOauthConfigurablePolicies",
    "ExtlClntAppOauthSettings",
    "ListView",
    "PermissionSet",
    "Queue",
    "ReportType",
)
# Types that no file of ours needs, and that would bring many others along.
LEFT_OUT = {"Language", "MetadataEnrichments", "MktDataLakeFieldAttributes", "MktDataModelFieldAttributes"}
PLAIN = {"string", "number", "boolean"}


def main(archives: list[str]) -> None:
    types, version = find(archives, "@salesforce/types", "lib/metadata.d.ts")
    write(
        "metadata_types.json",
        source=f"@salesforce/types {version}, lib/metadata.d.ts (BSD-3-Clause, Salesforce, Inc.)",
        types=dict(sorted(reachable(types))),
    )
    schema, version = find(archives, "@salesforce/schemas", "sfdx-project.schema.json")
    write(
        "sfdx_project.json",
        source=f"@salesforce/schemas {version}, sfdx-project.schema.json (ISC), without its descriptions",
        schema=without_words(json.loads(schema)),
    )
    registry, version = find(
        archives, "@salesforce/source-deploy-retrieve", "lib/src/registry/metadataRegistry.json"
    )
    write(
        "folders.json",
        source=f"@salesforce/source-deploy-retrieve {version}, metadataRegistry.json (Apache-2.0)",
        folders=dict(sorted(folders(json.loads(registry)))),
    )


def find(archives: list[str], package: str, path: str) -> tuple[str, str]:
    """The text of a file of a package, and the package's version."""
    for archive in archives:
        with tarfile.open(archive) as packed:
            about = json.loads(read(packed, "package.json"))
            if about["name"] == package:
                return read(packed, path), about["version"]
    raise SystemExit(f"Give the archive of {package}, too.")


def read(packed: tarfile.TarFile, path: str) -> str:
    member = packed.extractfile(f"package/{path}")
    assert member is not None
    return member.read().decode()


def reachable(text: str) -> Iterator[tuple[str, Any]]:
    """Our types and whatever they are made of: a type's values, or its elements in their order.

    An element is `string` where it must be there, `string?` where it may, `string*` where it may be repeated.
    """
    waiting, seen = list(ROOTS), set(LEFT_OUT)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        fields = re.search(rf"export type {name} = (Metadata & )?\{{\n(.*?)\n\}};", text, re.S)
        if fields is None:
            yield name, re.findall(r"'([^']+)'", re.search(rf"export type {name} = (.*);", text)[1])
            continue
        elements = [
            (element, kind, "*" if many else optional)
            for element, optional, kind, many in re.findall(r"(\w+)(\??): (\w+)(\[\])?;", fields[2])
            if kind not in LEFT_OUT
        ]
        base = {"fullName": "string?"} if fields[1] else {}
        yield name, base | {element: kind + often for element, kind, often in elements}
        waiting += [kind for _, kind, _ in elements if kind not in PLAIN]


def without_words(schema: Any) -> Any:
    """A JSON schema without what it tells people."""
    if isinstance(schema, list):
        return [without_words(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_words(value)
        for key, value in schema.items()
        if not (key in {"description", "title", "$comment"} and isinstance(value, str))
    }


def folders(registry: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    children = registry["types"]["customobject"]["children"]["types"]
    for kind in (*registry["types"].values(), *children.values()):
        if kind["name"] in ROOTS:
            yield kind["name"], {"folder": kind["directoryName"], "suffix": kind["suffix"]}


def write(name: str, **content: Any) -> None:
    HERE.mkdir(exist_ok=True)
    (HERE / name).write_text(json.dumps(content, indent=1, sort_keys=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
