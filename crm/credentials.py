"""How to sign in to an org, as somebody enters it: checked, and told what is wrong with it (CRM-6)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings

from common.errors import InvalidInput

# Where orgs are: the world, the government cloud, China.
ORG_DOMAINS = (".my.salesforce.com", ".my.salesforce.mil", ".my.sfcrmproducts.cn")
LOGIN_DOMAINS = (".salesforce.com", ".salesforce.mil", ".sfcrmproducts.cn")
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
# Salesforce takes no certificate with a shorter key.
SHORTEST_KEY = 2048


def clean_org_address(text: str) -> str:
    """The org's My Domain address, without a path. Raises InvalidInput.

    Secrets are sent to it, so it must be Salesforce's own and encrypted. A development or demo portal also
    takes a stand-in on this machine.
    """
    scheme, host, port = _parts(text, field="url")
    is_standin = scheme == "http" and host in THIS_MACHINE and (settings.DEBUG or settings.DEMO)
    if is_standin:
        return f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}"
    if scheme != "https" or not host.endswith(ORG_DOMAINS) or port not in (None, 443):
        raise InvalidInput(
            "Enter the org's My Domain address, such as https://acme.my.salesforce.com. "
            "It is in Salesforce under Setup, My Domain.",
            field="url",
        )
    return f"https://{host}"


def clean_audience(text: str) -> str:
    """Who is to accept a signed token. Raises InvalidInput."""
    scheme, host, port = _parts(text, field="audience")
    if scheme != "https" or not host.endswith(LOGIN_DOMAINS) or port is not None:
        raise InvalidInput(
            "Enter https://login.salesforce.com, or https://test.salesforce.com for a sandbox.",
            field="audience",
        )
    return f"https://{host}"


def clean_private_key(text: str) -> str:
    """The private key in PEM, one that can sign. Raises InvalidInput, which quotes nothing of it."""
    pem = text.strip().replace("\r\n", "\n") + "\n"
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        # From None: the cause could quote the key.
        raise InvalidInput(
            "This is no private key that can be read. Paste the whole PEM file, from BEGIN to END; it must "
            "have no password.",
            field="secret",
        ) from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < SHORTEST_KEY:
        raise InvalidInput(f"Use an RSA key of {SHORTEST_KEY} bits or more.", field="secret")
    return pem


def clean_line(text: str, *, field: str, label: str, longest: int) -> str:
    """One line of text that must be there. Raises InvalidInput."""
    line = text.strip()
    if not line or len(line) > longest or not line.isprintable():
        raise InvalidInput(f"Enter the {label}, {longest} characters at most.", field=field)
    return line


def _parts(text: str, *, field: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address that has nothing else, in small letters."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    is_host = re.fullmatch(r"[a-z0-9.:-]+", parts.hostname or "")
    if not is_host or parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidInput("Enter an address with nothing after the name of the host.", field=field)
    return parts.scheme, parts.hostname or "", port
