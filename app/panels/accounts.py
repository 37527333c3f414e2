"""The panel's home: one account, what it is worth and what is open on it, and the way there."""

from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request

from app import clock
from app.accounts import queries as accounts
from app.accounts import search
from app.accounts.errors import AccountNotFound
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction
from app.escalations import beside_account, of_account
from app.escalations.of_account import Lines, Part
from app.http.paging import decode_cursor, encode_cursor
from app.http.panels import PanelBlueprint, page
from app.panels import account_view, wording

bp = PanelBlueprint("panel_accounts", __name__)

MORE_SHOWN = 20


@bp.get("/accounts")
@requires("accounts:read")
def find() -> Response:
    """Accounts by a part of their name or domain or by the CRM's id; the caller's own first."""
    words = request.args.get("q", "").strip()[:200]
    with transaction():
        cursor = decode_cursor(request.args.get("cursor"))
        actor = current_actor()
        found = search.find_accounts(words, email=actor.email, after=cursor)
        counts = of_account.count_open([one.id for one in found.items], actor=actor, now=clock.now())
        is_part = cursor is not None or request.headers.get("HX-Target") == "found"
        return page(
            "panels/accounts_rows.html" if is_part else "panels/accounts.html",
            words=wording,
            typed=words,
            found=found,
            counts=counts,
            first=cursor is None,
            path=_same_question(),
            cursor=encode_cursor(found.after) if found.after else None,
        )


def _same_question() -> str:
    """This list's address without the place in it."""
    named = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    return f"/accounts?{urlencode(named)}" if named else "/accounts"


@bp.get("/accounts/<uuid:account_id>")
@requires("accounts:read")
def show(account_id: UUID) -> Response:
    """Value, renewal, health, people and the account's escalations."""
    with transaction():
        return account_page(account_id)


@bp.get("/accounts/by/<source>/<path:external_id>")
@requires("accounts:read")
def open_record(source: str, external_id: str) -> Response:
    """What a record of the CRM opens: its account, or how an account of that record gets here."""
    with transaction():
        try:
            return account_page((source, external_id))
        except AccountNotFound:
            return page("panels/account_unknown.html", 404, source=source, external_id=external_id)


def account_page(key: UUID | tuple[str, str]) -> Response:
    """The page, inside the open transaction: four statements whatever the account has."""
    actor, now = current_actor(), clock.now()
    facts = accounts.account_facts(key, now=now, rank=False)
    id_ = facts.account.id
    asked = key if isinstance(key, UUID) and key != id_ else None
    beside = beside_account.get_beside(facts, asked=asked, actor=actor, now=now)
    standing, ended = of_account.list_both(id_, restricted=beside.restricted, actor=actor, now=now)
    return page(
        "panels/account.html",
        **account_view.values_of(facts, beside, now=now),
        standing=standing,
        ended=ended,
        words=wording,
        may_raise=actor.may("escalations:raise"),
        may_report=actor.may("reports:read"),
        more={"open": _cursor(id_, "open", standing), "ended": _cursor(id_, "ended", ended)},
    )


@bp.get("/accounts/<uuid:account_id>/open")
@requires("escalations:read")
def more_open(account_id: UUID) -> Response:
    """A further page of the open escalations."""
    return _further("open", account_id)


@bp.get("/accounts/<uuid:account_id>/ended")
@requires("escalations:read")
def more_ended(account_id: UUID) -> Response:
    """A further page of what has ended."""
    return _further("ended", account_id)


def _further(part: Part, account_id: UUID) -> Response:
    actor, now = current_actor(), clock.now()
    with transaction():
        accounts.check_account(account_id)
        after = decode_cursor(request.args.get("cursor"))
        lines = of_account.list_part(part, account_id, actor=actor, now=now, limit=MORE_SHOWN, after=after)
        return page(
            "panels/account_rows.html",
            lines=lines,
            part=part,
            path=f"/accounts/{account_id}/{part}",
            cursor=_cursor(account_id, part, lines),
            now=now,
            words=wording,
            state_of=account_view.states(now),
        )


def _cursor(account_id: UUID, part: str, lines: Lines) -> str | None:
    path = f"/panel/accounts/{account_id}/{part}"
    return encode_cursor(lines.after, path=path) if lines.after else None
