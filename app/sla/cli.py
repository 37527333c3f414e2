"""What `firsthand clocks verify` does; operations registers the command."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import text

from app.db import finding, transaction
from app.sla.verifying import FIRST, Verified, verify_batch

__all__ = ["Verified", "list_tenants", "verify_tenants"]
LIST_TENANTS = text("select id from tenant order by id")


def list_tenants() -> list[UUID]:
    """Every tenant there is."""
    with finding() as session:
        return list(session.scalars(LIST_TENANTS))


def verify_tenants(tenant_ids: list[UUID]) -> Iterator[Verified]:
    """The batches of each tenant in turn, each read in a transaction of its own; none is kept."""
    for tenant_id in tenant_ids:
        after = FIRST
        while True:
            with transaction(tenant=tenant_id):
                batch = verify_batch(after)
            if not batch.count:
                break
            after = batch.last
            yield batch
