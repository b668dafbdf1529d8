"""Addresses in one spelling: e-mail addresses and domains. Pure: text in, text out."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import idna

from common.errors import InvalidInput

MAX_EMAIL = 254  # RFC 5321
MAX_LOCAL_PART = 64
MAX_DOMAIN = 253

# Quoted local parts are legal and never real; whitespace and brackets mean that two things were pasted.
_LOCAL_PART = re.compile(r'[^\s@"<>()\[\],;:\\\x00-\x20\x7f]+')
_TOP_LEVEL = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def normalise_email(text: str) -> str:
    """The one spelling of an address: lower case, no surrounding space, IDNA domain (INTAKE-1).

    Repeating it changes nothing. Raises InvalidInput(field="email") with what to put right.
    """
    address = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).strip().lower())
    local, at, domain = address.rpartition("@")
    if not at:
        raise InvalidInput("An e-mail address needs an @, as in name@company.com.", field="email")
    if not _LOCAL_PART.fullmatch(local) or local[0] == "." or local[-1] == "." or ".." in local:
        raise InvalidInput("The part before the @ is not that of an e-mail address.", field="email")
    try:
        normal = f"{local}@{_encode_domain(domain)}"
    except ValueError as error:
        raise InvalidInput(
            "The part after the @ is not a domain, such as company.com.", field="email"
        ) from error
    if len(local) > MAX_LOCAL_PART or len(normal) > MAX_EMAIL:
        raise InvalidInput("The e-mail address is too long.", field="email")
    return normal


def normalise_domain(text: str) -> str:
    """The key of a company: the host alone, in lower case, IDNA, without www. Takes a web address too.

    Blank stays blank. Raises InvalidInput(field="domain").
    """
    host = _SCHEME.sub("", text.strip()).split("/")[0].split("?")[0].split("#")[0]
    host = host.rpartition("@")[2].split(":")[0].strip(". ")
    if not host:
        return ""
    try:
        return _without_www(_encode_domain(host))
    except ValueError as error:
        raise InvalidInput("This is not a domain, such as company.com.", field="domain") from error


def company_domain(email: str) -> str:
    """The domain of the company behind a normalised address; blank for free-mail and for no address."""
    domain = _without_www(email.rpartition("@")[2])
    return "" if is_free_mail(domain) else domain


def is_free_mail(domain: str) -> bool:
    """Whether anybody can get an address there: such a domain never makes a company (INTAKE-1)."""
    return domain in _free_mail_domains()


def _without_www(domain: str) -> str:
    while domain.startswith("www.") and domain.count(".") > 1:
        domain = domain.removeprefix("www.")
    return domain


@lru_cache(maxsize=4096)
def _encode_domain(domain: str) -> str:
    """IDNA 2008 with the mapping browsers use. Raises ValueError."""
    encoded = idna.encode(domain.strip(), uts46=True, std3_rules=True).decode("ascii").lower()
    if len(encoded) > MAX_DOMAIN or "." not in encoded:
        raise ValueError("not a domain of the internet")
    if not _TOP_LEVEL.fullmatch(encoded.rpartition(".")[2]):
        raise ValueError("no such top-level domain")
    return encoded


@cache
def _free_mail_domains() -> frozenset[str]:
    lines = (Path(__file__).parent / "free_mail_domains.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
