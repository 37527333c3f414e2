"""What the message drafts of a playbook say on a case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, text

from app.auth.actor import Actor
from app.db import db
from app.errors import NotFound, invalid
from app.escalations.cadence import Cadence
from app.escalations.following import answers_of
from app.escalations.models import Escalation
from app.escalations.silence import CLOCKS_OF
from app.escalations.words import AUDIENCES, numbered
from app.playbooks import drafts
from app.playbooks import service as playbooks
from app.playbooks.definition import Draft, Playbook
from app.playbooks.draft_fields import CLOCKS, MOST_LISTED, Group
from app.playbooks.draft_filters import Money
from app.sla import service as sla

READ = text(
    """
    select a.name as account_name, a.region, a.segment, a.health,
           o.name as account_owner_name, o.email as account_owner_email, c.name as csm_name, c.email as csm_email,
           u.name as owner_name, u.email as owner_email, m.name as manager_name, m.email as manager_email,
           p.name as contact_name, coalesce(p.email, case when e.raised_by_kind = 'customer' then e.raised_by_email end)
               as contact_email,
           (select t.name from tenant t where t.id = e.tenant_id) as us,
           worth.arr, worth.renewal_on, worth.renewal_value, worth.value_currency,
           (select json_agg(json_build_object('kind', k.kind, 'cycle', k.cycle, 'state', k.state, 'due_at', k.due_at,
                                              'open', k.ended_at is null) order by k.cycle)
            from clock k where k.tenant_id = e.tenant_id and k.escalation_id = e.id and k.kind <> 'task') as clocks,
           (select json_object_agg(sent.key, sent.at) from (
                select v.facts ->> 'draft' as key, max(v.at) as at from event v
                where v.tenant_id = e.tenant_id and v.escalation_id = e.id and v.kind = 'update' and v.facts ? 'draft'
                group by 1) sent) as sent,
           (select json_agg(json_build_object('kind', s.kind, 'at', s.at, 'texts', (
                select json_object_agg(t.field, t.text) from event_text t
                where t.tenant_id = e.tenant_id and t.event_id = s.id)) order by s.at, s.seq)
            from (select v.id, v.kind, v.at, v.seq,
                         row_number() over (partition by v.kind order by v.at desc, v.seq desc) as nth
                  from event v where v.tenant_id = e.tenant_id and v.escalation_id = e.id
                  and (v.kind in ('attempt', 'message', 'resolve', 'escalate')
                       or v.kind = 'edit' and v.text_hashes ? 'handover_brief'
                       or v.kind = 'update' and v.facts -> 'audiences' ? 'customer')) s
            where s.nth <= :most) as said,
           (select json_build_object('title', o.title, 'statement', o.statement, 'opened_at', o.opened_at, 'at', v.at,
                   'audiences', v.facts -> 'audiences', 'channel', v.facts -> 'channel',
                   'preventable', v.facts -> 'preventable', 'texts', (
                select json_object_agg(t.field, t.text) from outage_text t
                where t.tenant_id = v.tenant_id and t.event_id = v.id))
            from outage o left join lateral (
                select n.* from outage_event n where n.tenant_id = o.tenant_id and n.outage_id = o.id
                and n.kind in ('update', 'resolve') and (cast(:said_in as uuid) is null or n.id = :said_in)
                order by n.seq desc limit 1) v on true
            where o.tenant_id = e.tenant_id and o.id = e.outage_id) as outage
    from escalation e
    join account a on a.tenant_id = e.tenant_id and a.id = e.account_id
    left join "user" u on u.tenant_id = e.tenant_id and u.id = e.owner_id
    left join "user" m on m.tenant_id = u.tenant_id and m.id = u.manager_id
    left join "user" o on o.tenant_id = a.tenant_id and o.email = lower(a.owner_email)
    left join "user" c on c.tenant_id = a.tenant_id and c.email = lower(a.csm_email)
    left join contact p on p.tenant_id = e.tenant_id and p.id = e.contact_id
    left join lateral (select s.arr, s.renewal_on, s.renewal_value, s.value_currency from snapshot s
                       where s.tenant_id = e.tenant_id and s.escalation_id = e.id order by s.at desc, s.id desc limit 1
    ) worth on true
    where e.id = :id
    """
)


@dataclass
class CaseOfDrafts:
    """A case the caller may see, with everything its drafts may name: one statement beside the record's.

    `said_in` is the event of its outage whose words count, the newest unless said.
    """

    record: Escalation
    sender: Actor
    now: datetime
    said_in: UUID | None = None

    @cached_property
    def row(self) -> RowMapping:
        asked = {"id": self.record.id, "most": MOST_LISTED, "said_in": self.said_in}
        return db.session.execute(READ, asked).one()._mapping

    @cached_property
    def playbook(self) -> Playbook | None:
        return playbooks.find_playbook(self.record.playbook_version_id)

    @cached_property
    def zone(self) -> ZoneInfo:
        return sla.zone_of(self.record.zone)

    @cached_property
    def clocks(self) -> dict[str, dict[str, Any]]:
        """The newest cycle of each kind."""
        return {one["kind"]: {**one, "due_at": self.local(one["due_at"])} for one in self.row["clocks"] or []}

    @property
    def cadence(self) -> Cadence:
        return Cadence(self.record, self.playbook, self.clocks, self.now)

    @property
    def fields(self) -> Group:
        return drafts.fields_of(self.playbook)

    def local(self, moment: datetime | str | None) -> datetime | None:
        """In the customer's zone."""
        if moment is None:
            return None
        return (datetime.fromisoformat(moment) if isinstance(moment, str) else moment).astimezone(self.zone)

    def get_draft(self, key: str) -> Draft:
        found = self.playbook.draft(key) if self.playbook else None
        if found is None:
            raise NotFound(f"There is no draft {key} in the playbook of this case")
        return found

    def found(self) -> dict[str, Any]:
        """A value or None for every documented field."""
        row, said = self.row, self._said()
        return {
            "escalation": self._escalation(),
            "account": {
                "name": row["account_name"],
                **{name: row[name] for name in ("region", "segment", "health")},
                "owner": self._person("account_owner"),
                "csm": self._person("csm"),
            },
            "value": self._value(),
            "owner": self._person("owner"),
            "manager": self._person("manager"),
            "customer": {
                **self._person("contact"),
                "last_told_at": said["update"][-1]["at"] if said["update"] else None,
                "last_wrote_at": said["message"][-1]["at"] if said["message"] else None,
            },
            "clocks": {kind: self._clock(kind) for kind in CLOCKS},
            "next_update": {name: self.local(self.cadence.next_due(kinds[-1])) for name, kinds in CLOCKS_OF.items()},
            "resolution": _of_last(said["resolve"], "summary", "root_cause", "prevention"),
            "handover": {"brief": _last_text([*said["escalate"], *said["edit"]], "brief", "handover_brief")},
            "attempts": [{"at": one["at"], **_texts(one, "what", "result")} for one in said["attempt"]],
            "updates": [
                {"at": one["at"], "text": _last_text([one], "text_customer", "text")} for one in said["update"]
            ],
            "messages": [{"at": one["at"], **_texts(one, "text")} for one in said["message"]],
            "outage": self._outage(),
            "sender": {"name": self.sender.name, "email": self.sender.email},
            "us": {"name": row["us"]},
            "answers": self._answers(),
        }

    def _escalation(self) -> dict[str, Any]:
        record = self.record
        moments = ("raised_at", "due_at", "resolve_by_at", "resolved_at", "closed_at")
        plain = (
            "title", "customer_statement", "desired_outcome", "impact", "severity", "status", "tier", "reason",
            "forecast_close_on", "waiting_reason", "resume_on", "reopens",
        )  # fmt: skip
        return {
            "number": numbered(record.number),
            "waiting_for": record.waiting_party,
            **{name: getattr(record, name) for name in plain},
            **{name: self.local(getattr(record, name)) for name in moments},
        }

    def _value(self) -> dict[str, Any]:
        record, row = self.record, self.row
        stake = record.value_amount
        known: date | None = row["renewal_on"]
        return {
            "at_stake": None if stake is None else Money(stake, record.value_currency, record.value_incomplete),
            "arr": _money(row["arr"], row["value_currency"]),
            "renewal_on": known,
            "renewal_value": _money(row["renewal_value"], row["value_currency"]),
        }

    def _outage(self) -> dict[str, Any]:
        """What its outage says to each audience: wording of its own, else the common one, of the end the summary."""
        row = self.row["outage"] or {}
        texts = row.get("texts") or {}
        common = texts.get("text") or texts.get("summary")
        said = {f"update_{name}": texts.get(f"text_{name}") or common for name in AUDIENCES}
        return {
            "title": row.get("title"),
            "statement": row.get("statement"),
            "opened_at": self.local(row.get("opened_at")),
            "updated_at": self.local(row.get("at")),
            "update": said.pop("update_customer"),
            **said,
            "resolution": texts.get("summary"),
            "root_cause": texts.get("root_cause"),
        }

    def _person(self, who: str) -> dict[str, Any]:
        return {"name": self.row[f"{who}_name"], "email": self.row[f"{who}_email"]}

    def _clock(self, kind: str) -> dict[str, Any]:
        clock = self.clocks.get(kind, {})
        return {"due_at": clock.get("due_at"), "state": clock.get("state")}

    def _said(self) -> dict[str, list[dict[str, Any]]]:
        """The last of what was said and done, oldest first, by kind."""
        kinds = ("attempt", "message", "update", "resolve", "escalate", "edit")
        found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
        for one in self.row["said"] or []:
            found[one["kind"]].append({"at": self.local(one["at"]), "texts": one["texts"] or {}})
        return found

    def _answers(self) -> dict[str, Any]:
        said, asked = answers_of(self.record), self.fields["answers"]
        return {key: said.get(key) for key in asked} if isinstance(asked, Mapping) else {}


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount, currency)


def _texts(said: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: said["texts"].get(name) for name in names}


def _of_last(said: Sequence[Mapping[str, Any]], *names: str) -> dict[str, Any]:
    return _texts(said[-1] if said else {"texts": {}}, *names)


def _last_text(said: Sequence[Mapping[str, Any]], *names: str) -> str | None:
    """The newest text under one of these names, the first name first."""
    for one in sorted(said, key=lambda event: event["at"], reverse=True):
        for name in names:
            if one["texts"].get(name):
                return str(one["texts"][name])
    return None


def list_drafts(case: CaseOfDrafts) -> list[dict[str, Any]]:
    """The drafts of the case's playbook, those that suit its status first, each with when it was last sent."""
    written = case.playbook.drafts if case.playbook else ()
    sent = case.row["sent"] or {} if written else {}
    found = [
        {
            "key": one.key,
            "title": one.title,
            "audience": one.audience,
            "suggested": case.record.status in one.suits,
            "last_sent_at": case.local(sent.get(one.key)),
        }
        for one in written
    ]
    return sorted(found, key=lambda one: not one["suggested"])


def preview(case: CaseOfDrafts, draft: Draft, audience: Sequence[str] | None = None) -> dict[str, Any]:
    """Subject and texts as they would be now, what is still to be filled, and which promises sending it keeps."""
    chosen = list(dict.fromkeys(audience or draft.audience))
    check_audience(draft, chosen)
    rendered = drafts.render(draft, case.fields, case.found())
    return {
        "key": draft.key or None,
        "title": draft.title or None,
        "audience": chosen,
        "subject": rendered.subject,
        "text": rendered.text,
        "texts": {name: said for name, said in rendered.texts.items() if name in chosen},
        "gaps": [{"kind": kind, "what": what} for kind, what in rendered.gaps],
        "meets": case.cadence.met_by(chosen),
        "begins": case.cadence.begun_by(chosen),
    }


def check_audience(draft: Draft, audience: Sequence[str]) -> None:
    """A draft is written for its readers: one for colleagues may name what the customer must not read."""
    if others := [one for one in audience if one not in draft.audience]:
        raise invalid("audience", f"this draft is not for {others[0]}, expected some of {', '.join(draft.audience)}")
