"""The SFDX project has the form that Salesforce takes, by its own schemas (see extract_schemas.py)."""

import json
import re
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.salesforce import metadata
from tests.salesforce.metadata import PROJECT, elements, files, kind_of, problems, read, text

# Longest text of an element, by type and name: the Metadata API Developer Guide.
LONGEST = {
    ("CustomField", "label"): 40,
    ("CustomField", "description"): 1000,
    ("CustomField", "inlineHelpText"): 510,
    ("ListView", "label"): 40,
    ("PermissionSet", "label"): 80,
    ("PermissionSet", "description"): 255,
    ("Queue", "name"): 40,
    ("ReportType", "label"): 50,
    ("ReportType", "description"): 255,
}
# What a field of each type must and may say of its size.
SIZES = {
    "Text": {"length": (1, 255)},
    "LongTextArea": {"length": (256, 131_072), "visibleLines": (2, 50)},
    "Number": {"precision": (1, 18), "scale": (0, 17)},
}


def test_every_file_fits_its_type():
    found = [
        f"{path.name}: {problem}"
        for path in files()
        for problem in problems(read(path), kind_of(read(path)), at=kind_of(read(path)))
    ]

    assert len(files()) > 30
    assert found == []


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        ("<label>a</label><wrong>b</wrong>", "Queue knows no wrong"),
        ("<name>a</name><name>b</name>", "Queue.name stands 2 times"),
        ("<queueSobject/><name>a</name><queueSobject/>", "Queue.queueSobject is scattered"),
        ("<description>a</description>", "Queue lacks name"),
        (
            "<name>a</name><doesIncludeBosses>yes</doesIncludeBosses>",
            "Queue.doesIncludeBosses is no boolean: 'yes'",
        ),
        ("<name/>", "Queue.name is no string: None"),
        ("<name>a</name><queueSobject/>", "Queue.queueSobject lacks sobjectType"),
    ],
    ids=["unknown", "twice", "scattered", "missing", "plain", "empty", "nested"],
)
def test_a_file_that_does_not_fit_is_found(inside, problem):
    root = ElementTree.fromstring(f'<Queue xmlns="http://soap.sforce.com/2006/04/metadata">{inside}</Queue>')

    assert problem in list(problems(root, "Queue", at="Queue"))


def test_a_value_outside_its_list_is_found():
    root = ElementTree.fromstring(
        '<ListView xmlns="http://soap.sforce.com/2006/04/metadata">'
        "<filterScope>Ours</filterScope><label>a</label></ListView>"
    )

    assert list(problems(root, "ListView", at="View")) == ["View.filterScope is none of FilterScope: 'Ours'"]


def test_each_file_lies_where_its_type_belongs_and_is_named_as_it_says():
    folders = metadata.schema("folders")["folders"]
    for path in files():
        root, name = read(path), path.name.partition(".")[0]
        place = folders[kind_of(root)]

        assert path.parent.name == place["folder"], path
        assert path.name == f"{name}.{place['suffix']}-meta.xml"
        assert text(root, "fullName") in (name, None), path


def test_names_are_names_that_salesforce_takes():
    for path in files():
        name = path.name.partition(".")[0]
        is_field = kind_of(read(path)) == "CustomField"

        assert name.endswith("__c") == is_field
        # A letter first, no two underscores together, none at the end.
        assert re.fullmatch(r"[A-Za-z](_?[A-Za-z0-9])*", name.removesuffix("__c")), name
        assert len(name.removesuffix("__c")) <= 40, name


def test_words_are_not_longer_than_salesforce_keeps_them():
    for path in files():
        root = read(path)
        for child in root:
            limit = LONGEST.get((kind_of(root), kind_of(child)))
            assert limit is None or len(child.text or "") <= limit, f"{path.name}: {kind_of(child)}"


def test_fields_give_the_sizes_that_their_type_asks_for():
    for folder in ("Lead", "Activity"):
        for name, field in metadata.fields_of(folder).items():
            kind = text(field, "type")
            sizes = SIZES.get(kind, {})
            for size in ("length", "precision", "scale", "visibleLines"):
                given = text(field, size)
                assert (given is not None) == (size in sizes), f"{name}: {size}"
                if given is not None:
                    least, most = sizes[size]
                    assert least <= int(given) <= most, f"{name}: {size}"
            assert (text(field, "defaultValue") is not None) == (kind == "Checkbox"), name
            assert bool(elements(field, "valueSet")) == (kind == "Picklist"), name


def test_the_project_file_fits_its_schema():
    project = json.loads((PROJECT / "sfdx-project.json").read_text())

    jsonschema.validate(project, metadata.schema("sfdx_project")["schema"])
    assert all((PROJECT / package["path"]).is_dir() for package in project["packageDirectories"])


def test_what_an_admin_fills_in_at_deployment_is_there_to_be_replaced():
    project = json.loads((PROJECT / "sfdx-project.json").read_text())
    guide = (PROJECT / "README.md").read_text()

    for replacement in project["replacements"]:
        assert replacement["stringToReplace"] in (PROJECT / replacement["filename"]).read_text()
        assert replacement["replaceWithEnv"] in guide


def test_no_secret_is_kept_with_the_client_app():
    for path in files():
        told = {kind_of(element) for element in read(path).iter()}
        assert not told & {"consumerKey", "consumerSecret", "certificate"}, path
