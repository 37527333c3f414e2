"""Doors to customers' records."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema

from app import clock
from app.accounts import queries, service, views
from app.accounts.schemas import (
    AccountBody,
    AccountList,
    AccountPage,
    AccountRecordSchema,
    AccountUpsertSchema,
    AccountValueSchema,
    ContactBody,
    ContactUpsertSchema,
    ContractBody,
    ContractUpsertSchema,
    OpportunityBody,
    OpportunityUpsertSchema,
    RateBody,
    RateUpsertSchema,
    ValueQuery,
)
from app.accounts.service import Upsert
from app.auth.guards import requires
from app.http import ApiBlueprint, answer, page, transaction

accounts = ApiBlueprint("accounts", __name__, url_prefix="/api/v1/accounts")
rates = ApiBlueprint("rates", __name__, url_prefix="/api/v1/rates")
blueprints: list[ApiBlueprint] = [accounts, rates]


@accounts.put("/<source>/<external_id>")
@accounts.arguments(AccountBody)
@accounts.response(200, AccountUpsertSchema)
@accounts.alt_response(201, schema=AccountUpsertSchema)
@requires("accounts:write")
def upsert_account(body: dict[str, Any], source: str, external_id: str) -> Response:
    """Create or change an account; what is left out stays, null clears, an older source version changes nothing."""
    with transaction():
        return _upserted(AccountUpsertSchema, service.upsert_account(source, external_id, body, now=clock.now()))


@accounts.put("/<source>/<account_external_id>/contracts/<external_id>")
@accounts.arguments(ContractBody)
@accounts.response(200, ContractUpsertSchema)
@accounts.alt_response(201, schema=ContractUpsertSchema)
@requires("accounts:write")
def upsert_contract(body: dict[str, Any], source: str, account_external_id: str, external_id: str) -> Response:
    """Create or change a contract of an account."""
    with transaction():
        done = service.upsert_contract(source, account_external_id, external_id, body, now=clock.now())
        return _upserted(ContractUpsertSchema, done)


@accounts.put("/<source>/<account_external_id>/contacts/<external_id>")
@accounts.arguments(ContactBody)
@accounts.response(200, ContactUpsertSchema)
@accounts.alt_response(201, schema=ContactUpsertSchema)
@requires("accounts:write")
def upsert_contact(body: dict[str, Any], source: str, account_external_id: str, external_id: str) -> Response:
    """Create or change a contact of an account."""
    with transaction():
        done = service.upsert_contact(source, account_external_id, external_id, body, now=clock.now())
        return _upserted(ContactUpsertSchema, done)


@accounts.put("/<source>/<account_external_id>/opportunities/<external_id>")
@accounts.arguments(OpportunityBody)
@accounts.response(200, OpportunityUpsertSchema)
@accounts.alt_response(201, schema=OpportunityUpsertSchema)
@requires("accounts:write")
def upsert_opportunity(body: dict[str, Any], source: str, account_external_id: str, external_id: str) -> Response:
    """Create or change a deal in an account's pipeline."""
    with transaction():
        done = service.upsert_opportunity(source, account_external_id, external_id, body, now=clock.now())
        return _upserted(OpportunityUpsertSchema, done)


@rates.put("/<currency>/<on_date>")
@rates.arguments(RateBody)
@rates.response(200, RateUpsertSchema)
@rates.alt_response(201, schema=RateUpsertSchema)
@requires("accounts:write")
def upsert_rate(body: dict[str, Any], currency: str, on_date: str) -> Response:
    """Set the rate of a day: units of the reporting currency for one."""
    with transaction():
        return _upserted(RateUpsertSchema, service.upsert_rate(currency, on_date, body["rate"], now=clock.now()))


@accounts.get("")
@accounts.arguments(AccountList, location="query")
@accounts.response(200, AccountPage)
@requires("accounts:read")
def list_accounts(query: dict[str, Any]) -> Response:
    """Accounts by name."""
    with transaction():
        return page(
            AccountPage,
            query,
            lambda after, limit: queries.list_accounts(query, after=after, limit=limit),
            lambda account: [account.name, str(account.id)],
        )


@accounts.get("/<uuid:account_id>")
@accounts.response(200, AccountRecordSchema)
@requires("accounts:read")
def get_account(account_id: UUID) -> Response:
    """One account, who stands for it and who is above it; a merged one answers with its survivor."""
    with transaction():
        return answer(AccountRecordSchema, views.record(queries.account_facts(account_id, now=clock.now(), rank=False)))


@accounts.get("/<uuid:account_id>/value")
@accounts.arguments(ValueQuery, location="query")
@accounts.response(200, AccountValueSchema)
@requires("accounts:read")
def get_value(query: dict[str, Any], account_id: UUID) -> Response:
    """What the account is worth on a day, line by line: today's contracts and deals at that day's dates and rates."""
    with transaction():
        as_of = query.get("as_of")
        day = queries.tenant_today(as_of) if isinstance(as_of, datetime) else as_of
        facts = queries.account_facts(account_id, now=clock.now(), as_of=day, rank=False)
        return answer(AccountValueSchema, views.value(facts))


def _upserted(schema: type[Schema], done: Upsert[Any]) -> Response:
    return answer(schema, views.upserted(done), 201 if done.outcome == "created" else 200)
