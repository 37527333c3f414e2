"""Accounts as a forest: aliases of merged ones followed, loops refused, and who stands below whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID  # noqa: N811
from sqlalchemy.types import Text

from app.db import db, take_turn

Key = tuple[str, str]

# From each key upwards: a merged account leads to its survivor, any other to its parent. Each is looked up by itself
# (`limit 1`): the planner takes a tenant whose rows are being imported for an empty one and would read all of them.
WALK = text(
    """
    with recursive start as (
      select * from unnest(:sources, :external_ids) as k(source, external_id)
    ), walk as (
      select a.id, a.source, a.external_id, a.parent_external_id, a.merged_into_id, a.source_updated_at
      from start s cross join lateral (
        select * from account k where k.source = s.source and k.external_id = s.external_id limit 1) a
      union
      select a.id, a.source, a.external_id, a.parent_external_id, a.merged_into_id, a.source_updated_at
      from walk w, lateral (
        (select * from account m where w.merged_into_id is not null and m.id = w.merged_into_id limit 1)
        union all
        (select * from account p where w.merged_into_id is null and w.parent_external_id is not null
          and p.source = w.source and p.external_id = w.parent_external_id limit 1)
      ) a
    )
    select * from walk
    """
).bindparams(bindparam("sources", type_=ARRAY(Text)), bindparam("external_ids", type_=ARRAY(Text)))

# A change of what an account is worth or who is above it also concerns those that stand under it.
TOUCH = text(
    """
    with recursive below as (
      select a.id, a.source, a.external_id, a.id as root_id
      from unnest(:ids) as u(id) cross join lateral (select * from account r where r.id = u.id limit 1) a
      union
      select c.id, c.source, c.external_id, b.root_id
      from below b cross join lateral (
        select id, source, external_id from account k where :deep and k.merged_into_id is null
          and k.source = b.source and k.parent_external_id = b.external_id offset 0) c
    ), touched as (
      update account a set version = a.version + 1, changed_at = :now
      where a.id = any(array(select id from below where :roots or id <> all(:ids)))
    )
    select id, root_id from below where id <> root_id
    """
).bindparams(bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True))))


@dataclass(frozen=True)
class Node:
    """What a walk needs of one account."""

    id: UUID
    key: Key
    parent: Key | None
    merged_into_id: UUID | None
    source_updated_at: datetime | None


class Forest:
    """The stored accounts above some keys; `set_parent` lays changes of this transaction over them."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        listed = list(nodes)
        self.by_key = {node.key: node for node in listed}
        self.by_id = {node.id: node for node in listed}
        self._laid: dict[Key, Key | None] = {}

    def find(self, key: Key) -> Node | None:
        """The account of this key, or the survivor it was merged into."""
        node = self.by_key.get(key)
        while node is not None and node.merged_into_id is not None:
            node = self.by_id.get(node.merged_into_id)
        return node

    def survivor(self, key: Key) -> Key:
        node = self.find(key)
        return node.key if node else key

    def parent_of(self, key: Key) -> Key | None:
        if key in self._laid:
            return self._laid[key]
        node = self.find(key)
        return node.parent if node else None

    def set_parent(self, key: Key, parent: Key | None) -> bool:
        """Whether `parent` may stand above `key`; False when the account would be its own ancestor."""
        above = parent
        seen = {key}
        while above is not None:
            above = self.survivor(above)
            if above in seen:
                return False
            seen.add(above)
            above = self.parent_of(above)
        self._laid[key] = parent
        return True


def load(keys: Iterable[Key]) -> Forest:
    """The accounts of these keys and everything above them, in one statement."""
    listed = sorted(set(keys))
    values = {"sources": [k[0] for k in listed], "external_ids": [k[1] for k in listed]}
    return Forest(_node(row) for row in db.session.execute(WALK, values))


def _node(row: Any) -> Node:
    parent = (row.source, row.parent_external_id) if row.parent_external_id else None
    return Node(row.id, (row.source, row.external_id), parent, row.merged_into_id, row.source_updated_at)


def lock() -> None:
    """One at a time: two changes of parents that are right alone may make a loop together."""
    take_turn("parents")


def touch(ids: Iterable[UUID], *, now: datetime, roots: bool, deep: bool) -> list[tuple[UUID, UUID]]:
    """Raise the version of these accounts (`roots`) and of all below them (`deep`); answers (below, root) pairs."""
    values = {"ids": sorted(set(ids)), "now": now, "roots": roots, "deep": deep}
    return [(row.id, row.root_id) for row in db.session.execute(TOUCH, values)]
