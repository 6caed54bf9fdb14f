"""Can one user read what belongs to another (OWASP API1:2023)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

from buttress.evidence.findings import Finding
from buttress.files.visible import shortened
from buttress.probes.service.api import Collection, ServiceApi, ids, is_data
from buttress.probes.service.reports import finding
from buttress.protocols.live import LiveRequest, Session

_TRIED: Final = 2  # objects of a collection


def plan(api: ServiceApi) -> Iterator[LiveRequest]:
    """Each collection as both users, and objects of the first as both and as nobody."""
    if len(api.users) < 2:
        return
    for one in api.collections:
        for user in api.users:
            yield api.get(one.path, user)
            yield api.get(one.item, user)
        yield from (api.get(one.path), api.get(one.item))


async def findings(session: Session, api: ServiceApi) -> AsyncIterator[Finding]:
    """Objects that are in the first user's list and not in the second's, read by the second."""
    if len(api.users) < 2:
        api.not_judged.append("objects of other users: needs two keys (--as NAME=ENV, twice)")
        return
    tried, listed = 0, False
    for one in api.collections:
        async for found in _of_collection(session, api, one):
            tried += 1
            if found is not None:
                yield found
        listed = listed or all(api.get(one.path, user) in session.answers for user in api.users[:2])
    if not tried:
        why = f"no list has one of {api.users[0]} that {api.users[1]} lacks"
        api.not_judged.append(
            f"objects of other users: {why if listed else 'no list was answered to both users'}"
        )


async def _of_collection(
    session: Session, api: ServiceApi, one: Collection
) -> AsyncIterator[Finding | None]:
    owner, other = api.users
    listed = await api.ask(session, api.get(one.path, owner))
    if not is_data(listed):
        return
    public = is_data(await api.ask(session, api.get(one.path)))  # told as such already
    theirs = set(ids(await api.ask(session, api.get(one.path, other))))
    for identifier in [each for each in ids(listed) if each not in theirs][:_TRIED]:
        values = {**api.values, "id": identifier}
        own = await session.ask(api.get(one.item, owner), values)
        if not is_data(own) or own is None:
            continue
        url = session.at(one.item.replace("{id}", identifier))
        seen = await session.ask(api.get(one.item, other), values)
        open_ = None if public else await session.ask(api.get(one.item), values)
        for who, reply in ((f"with the key of {other}", seen), ("without a key", open_)):
            if reply is not None and reply.status == 200 and reply.body == own.body:
                yield finding(
                    "object-of-another-user" if reply is seen else "authentication-missing", url,
                    what=f"GET {one.item} {who} gives an object of {owner}",
                    proof=f"id {shortened(identifier)}: the same {len(own.body)} bytes {who}",
                )  # fmt: skip
        yield None
