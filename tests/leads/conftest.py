import pytest
from rest_framework.test import APIClient

from accounts.models import ApiToken
from accounts.tokens import issue_token
from leads.write_keys import create_write_key
from tests.factories import NOON


@pytest.fixture
def api(operator):
    """A client whose token may send leads and read."""
    scopes = [ApiToken.Scope.INTAKE, ApiToken.Scope.READ]
    token = issue_token(operator, name="site", scopes=scopes, now=NOON)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token.secret}")
    return client


@pytest.fixture
def write_key(db):
    return create_write_key("web site", now=NOON)[1]
