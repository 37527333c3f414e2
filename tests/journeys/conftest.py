"""A company in a sandbox tenant, so that a month passes in seconds."""

from collections.abc import Callable, Iterator

import pytest

from app.db import tenant_scope
from tests.conftest import TestTenant
from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]


@pytest.fixture
def tenant(new_tenant: Callable[..., TestTenant]) -> Iterator[TestTenant]:
    made = new_tenant("Sandbox", sandbox=True)
    with tenant_scope(made.id):
        yield made
