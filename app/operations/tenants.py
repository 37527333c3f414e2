"""Setting up a tenant: everything a first raise needs."""

from uuid import UUID

from app import clock
from app.auth import service as auth
from app.db import new_id, transaction
from app.escalations import service as escalations
from app.routing import service as routing
from app.rows import insert_all
from app.sla import service as sla


def set_up(name: str, *, sandbox: bool = False) -> UUID:
    """A new tenant with its defaults; a door of its own, since no tenant is in scope before it."""
    tenant_id = new_id()
    with transaction(tenant=tenant_id):
        now = clock.real_now()
        auth.create_tenant(name, sandbox=sandbox, now=now)
        defaults = [*sla.install_defaults(now), *routing.install_defaults(now)]
        insert_all(defaults)
        escalations.start_numbers()
    return tenant_id
