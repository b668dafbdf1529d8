"""One spelling of addresses and domains (INTAKE-1)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from leads.addresses import company_domain, is_free_mail, normalise_domain, normalise_email

LOCAL_PARTS = st.text(min_size=1, max_size=20)
LABELS = st.text(alphabet=st.characters(categories=["L", "N", "Pd", "M"]), min_size=1, max_size=12)
ADDRESSES = st.builds(
    "{}@{}.{}".format, LOCAL_PARTS, LABELS, st.sampled_from(["com", "example", "de", "рф", "Example"])
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("  ada@example.com\t", "ada@example.com"),
        ("eva@MÜLLER.example", "eva@xn--mller-kva.example"),
        ("eva@mu\u0308ller.example", "eva@xn--mller-kva.example"),
        ("eva@straße.example", "eva@xn--strae-oqa.example"),
        ("O'Neil+Tag@example.com", "o'neil+tag@example.com"),
        ("änne@example.com", "änne@example.com"),
    ],
)
def test_an_address_has_one_spelling(text, normal):
    assert normalise_email(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@127.0.0.1",
        "ada@exam ple.com",
        "ada@-example.com",
        "ada@example..com",
        "ada@example.com.",
        "a da@example.com",
        "Ada <ada@example.com>",
        "ada@example.com,bob@example.com",
        ".ada@example.com",
        "a..da@example.com",
        "ada\x00@example.com",
        "x" * 65 + "@example.com",
        "ada@" + "x" * 64 + ".com",
        "ada@" + "xy." * 90 + "com",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InvalidInput) as refusal:
        normalise_email(text)

    assert refusal.value.field == "email"


@given(ADDRESSES)
def test_normalising_twice_changes_nothing(text):
    try:
        normal = normalise_email(text)
    except InvalidInput:
        return

    assert normalise_email(normal) == normal
    assert normalise_email(f" {normal} ") == normal


@given(st.text())
def test_any_text_is_an_address_or_refused(text):
    with suppress(InvalidInput):
        assert "@" in normalise_email(text)


@given(st.text())
def test_any_text_is_a_domain_or_refused_and_stays_one(text):
    try:
        domain = normalise_domain(text)
    except InvalidInput:
        return

    assert normalise_domain(domain) == domain


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("", ""),
        ("Acme.example", "acme.example"),
        ("www.acme.example", "acme.example"),
        ("https://www.Acme.example:8080/about?a=1#b", "acme.example"),
        ("http://user@acme.example/", "acme.example"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("www.com", "www.com"),
        ("www.www.acme.example", "acme.example"),
    ],
)
def test_a_company_is_keyed_by_its_bare_domain(text, domain):
    assert normalise_domain(text) == domain


def test_free_mail_hosts_are_no_company():
    assert company_domain("ada@gmail.com") == ""
    assert company_domain("ada@www.acme.example") == "acme.example"
    assert is_free_mail("web.de")
    assert not is_free_mail("acme.example")
