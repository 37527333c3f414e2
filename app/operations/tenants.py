"""Setting up a tenant: everything a first raise needs."""

from uuid import UUID

from app import clock
from app.auth import service as auth
from app.db import insert_all, new_id, transaction
from app.escalations.models import NumberCounter
<<<<<<< HEAD
from app.sla import service as sla
=======
from app.routing import service as routing
>>>>>>> f82b69d (Routing: rules, decisions that can be run again, places claimed under a lock, teams)


def set_up(name: str, *, sandbox: bool = False) -> UUID:
    """A new tenant with its defaults; a door of its own, since no tenant is in scope before it."""
    tenant_id = new_id()
    with transaction(tenant=tenant_id):
<<<<<<< HEAD
        now = clock.real_now()
        auth.create_tenant(name, sandbox=sandbox, now=now)
        insert_all([NumberCounter(name="escalation", last=0), *sla.install_defaults(now)])
=======
        auth.create_tenant(name, sandbox=sandbox, now=clock.real_now())
        policy, versions = routing.install_defaults(clock.real_now())
        insert_all([NumberCounter(name="escalation", last=0), *policy])
        auth.set_current(**versions)
>>>>>>> f82b69d (Routing: rules, decisions that can be run again, places claimed under a lock, teams)
    return tenant_id
