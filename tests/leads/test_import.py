"""manage.py import_leads: any file, any number of times (INTAKE-5, INTAKE-6)."""

import io
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from leads.models import Activity, Company, Lead, LeadEvent, QuarantinedItem, WriteKey
from leads.write_keys import find_write_key
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db

HEADER = "E-mail,First,Company,Staff,Since\n"
MAP = [
    "email=E-mail",
    "first_name=First",
    "company.name=Company",
    "company.employee_count=Staff",
    "created_at=Since",
]


@pytest.fixture
def run(tmp_path):
    def run(content, *options, name="leads.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        out, err = io.StringIO(), io.StringIO()
        call_command("import_leads", str(path), *options, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    return run


def test_columns_are_mapped_to_fields(run):
    out, _ = run(HEADER + "ADA@acme.example,Ada,Acme,250,2025-02-01\n", "--map", *MAP, "--set", "source=fair")

    lead = Lead.objects.select_related("company").get()
    assert "1 rows: 1 created" in out
    assert (lead.email, lead.first_name, lead.source) == ("ada@acme.example", "Ada", "fair")
    assert lead.created_at == datetime(2025, 2, 1, tzinfo=UTC)
    assert (lead.company.name, lead.company.employee_count) == ("Acme", 250)
    assert lead.advance_at is not None
    assert lead.events.get().kind == LeadEvent.Kind.CREATED
    assert lead.revision == 1


def test_columns_named_like_fields_need_no_map(run):
    run("email,title,irrelevant\nada@acme.example,CTO,x\n")

    assert Lead.objects.get().title == "CTO"


def test_leads_without_addresses_are_keyed_by_their_id(run):
    content = "mql_id,origin\n" + "".join(f"{number:032x},social\n" for number in range(1200))
    options = ["--map", "external_id=mql_id", "source=origin", "--set", "source_system=olist"]

    first, _ = run(content, *options)
    before = list(Lead.objects.order_by("id").values())
    second, _ = run(content, *options)

    assert "1200 rows: 1200 created" in first
    assert "1200 rows: 0 created, 0 changed, 1200 known already, 0 in quarantine" in second
    assert list(Lead.objects.order_by("id").values()) == before


def test_the_second_run_changes_nothing_and_quarantines_nothing_new(run):
    content = HEADER + "ada@acme.example,Ada,Acme,250,\nnobody,Bob,,,\nada@acme.example,Augusta,Acme,,\n"
    first, err = run(content, "--map", *MAP)
    counts = [model.objects.count() for model in (Lead, Company, LeadEvent, QuarantinedItem)]

    second, _ = run(content, "--map", *MAP)

    assert "3 rows: 1 created, 1 changed, 0 known already, 1 in quarantine" in first
    assert "0 created, 0 changed, 2 known already, 1 in quarantine" in second
    assert "Line 3: email: An e-mail address needs an @" in err
    assert [model.objects.count() for model in (Lead, Company, LeadEvent, QuarantinedItem)] == counts


def test_a_known_lead_is_merged(run):
    lead = LeadFactory(email="ada@acme.example", first_name="", company=None)

    out, _ = run(HEADER + "ada@acme.example,Ada,,,\n", "--map", *MAP)

    lead.refresh_from_db()
    assert "0 created, 1 changed" in out
    assert lead.first_name == "Ada"


def test_broken_rows_are_told_and_kept_and_the_others_taken(run):
    content = HEADER + (
        "ada@acme.example,Ada,Acme,250,\n"
        "too,few\n"
        "bob@acme.example,Bob,Acme,many,\n"
        "\n"
        "eve@acme.example,Eve,Acme,3,yesterday\n"
        "dan@acme.example,D\0n,Acme,3,\n"
        "kim@acme.example,Kim,Acme,3,,\n"
        "zoe@acme.example,Zoe,Acme,4,\n"
    )

    out, err = run(content, "--map", *MAP)

    assert "7 rows: 2 created, 0 changed, 0 known already, 5 in quarantine" in out
    assert set(Lead.objects.values_list("first_name", flat=True)) == {"Ada", "Zoe"}
    assert list(QuarantinedItem.objects.order_by("position").values_list("position", "field")) == [
        (3, ""),
        (4, "company.employee_count"),
        (6, "created_at"),
        (7, "first_name"),
        (8, ""),
    ]
    assert "Line 3: The row has 2 cells, the header 5." in err


def test_a_lost_quotation_mark_is_one_row_that_says_so(run):
    content = HEADER + 'ada@acme.example,"Ada,Acme,250,\n' + "bob@acme.example,Bob,Acme,1,\n" * 1000

    out, err = run(content, "--map", *MAP)

    assert "1 in quarantine" in out
    assert "The row has 2 cells, the header 5." in err


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("latin-1", "Latin-1")]
)
def test_the_encoding_is_found_and_said(run, encoding, said):
    out, _ = run("email,first_name\nada@acme.example,Zoë\n".encode(encoding))

    assert f"as {said}." in out
    assert Lead.objects.get().first_name == "Zoë"


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_are_found(run, delimiter):
    run(f"email{delimiter}first_name\nada@acme.example{delimiter}Ada, Countess\n")

    assert Lead.objects.get().first_name == "Ada, Countess"


def test_a_dry_run_checks_and_writes_nothing(run):
    out, err = run(HEADER + "ada@acme.example,Ada,,,\nnobody,Bob,,,\n", "--map", *MAP, "--dry-run")

    assert "2 rows: 1 can be taken, 1 cannot." in out
    assert "Line 3" in err
    assert not Lead.objects.exists()
    assert not QuarantinedItem.objects.exists()


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("", ["--map", "email=E-mail"], "The file is empty"),
        ("a,b\n", ["--map", "email=E-mail"], "no column 'E-mail'"),
        ("a,b\n", [], "say which is which"),
        ("a,b\n", ["--map", "emial=a"], "'emial=a' is not FIELD="),
        ("a,b\n", ["--map", "email"], "is not FIELD="),
    ],
)
def test_a_file_or_a_map_that_cannot_be_is_told(run, content, options, said):
    with pytest.raises(CommandError, match=said):
        run(content, *options)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_leads", str(tmp_path / "none.csv"))


def test_hundreds_of_rows_take_few_statements(run, django_assert_max_num_queries):
    content = "email,first_name\n" + "".join(f"p{number}@gmail.com,P\n" for number in range(500))

    with django_assert_max_num_queries(15):
        run(content)

    assert Lead.objects.count() == 500
    assert not Activity.objects.exists()


def test_a_write_key_is_printed_once_and_works(now, monkeypatch):
    out = io.StringIO()
    call_command("create_write_key", "web site", stdout=out)
    monkeypatch.setenv("DEMO_WRITE_KEY", "demo-write-key")
    for _ in range(2):
        call_command("create_write_key", "demo", "--secret-from", "DEMO_WRITE_KEY", stdout=io.StringIO())

    assert find_write_key(out.getvalue().strip(), now=now).name == "web site"
    assert find_write_key("demo-write-key", now=now).name == "demo"
    assert WriteKey.objects.count() == 2
    with pytest.raises(CommandError, match="has no NOWHERE"):
        call_command("create_write_key", "x", "--secret-from", "NOWHERE")
