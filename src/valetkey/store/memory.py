"""The store in this process's memory, for tests and trials: plain dicts, gone when the process ends."""

from collections.abc import Sequence

from msgspec.structs import replace

from valetkey.protocol.changes import Changes
from valetkey.protocol.facts import AuthorizeFacts, BearerFacts, ConnectedApp, ExchangeFacts
from valetkey.protocol.model import (
    NOBODY,
    Account,
    Client,
    Consent,
    DeviceRequest,
    Notice,
    PushedRequest,
    Session,
    Ticket,
)
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.protocol.rules.lifetime import still_held
from valetkey.protocol.sealed_key import SealedKey
from valetkey.store.memory_tables import Tables
from valetkey.store.steps import check, steps_of


class MemoryStore:
    """One dict a kind of record. No write awaits anything, so nobody comes in between."""

    def __init__(self) -> None:
        self._tables = Tables()

    async def open(self) -> None:
        """There is nothing to connect to."""

    async def close(self) -> None:
        """There is nothing to disconnect from."""

    async def ready(self) -> bool:
        return True

    # Look-ups.

    def _developer(self, client: Client) -> str:
        owner = self._tables.accounts.get(client.owner_id)
        return (owner.full_name or owner.username) if owner else ""

    async def authorize_facts(self, client_id: str, session_digest: bytes | None) -> AuthorizeFacts:
        client = self._tables.clients.get(client_id)
        session = self._tables.sessions.get(session_digest or b"")
        account = self._tables.accounts.get(session.account_id) if session else None
        consent = self._tables.consents.get((account.id, client.id)) if account and client else None
        return AuthorizeFacts(client, self._developer(client) if client else "", session, account, consent)

    async def exchange_facts(self, client_id: str, code_digest: bytes) -> ExchangeFacts:
        client, code = self._tables.clients.get(client_id), self._tables.codes.get(code_digest)
        if code is None:
            return ExchangeFacts(client)
        code = replace(code, authorization=self._tables.roots[code.authorization.id])
        return ExchangeFacts(client, code, self._tables.accounts.get(code.authorization.account_id))

    async def own_facts(self, client_id: str) -> ExchangeFacts:
        return ExchangeFacts(self._tables.clients.get(client_id), own=self._tables.own(client_id))

    def own_at_hand(self, client_id: str) -> ExchangeFacts | None:
        return None  # a look-up costs nothing here

    async def bearer_facts(self, token_digest: bytes) -> BearerFacts | None:
        token = self._tables.tokens.get(token_digest)
        if token is None or token.authorization.id not in self._tables.roots:
            return None
        token = replace(token, authorization=self._tables.roots[token.authorization.id])
        root = token.authorization
        account = self._tables.accounts.get(root.account_id)
        client = self._tables.clients.get(root.client_id)
        if client is None or (account is None and not root.own):
            return None
        holder = self._tables.clients.get(token.terms.client or client.id)
        if holder is not client and not still_held(token, holder):
            return None
        return BearerFacts(token, account, client, self._tables.used.get(root.id))

    async def introspect_facts(self, client_id: str, token_digest: bytes) -> ExchangeFacts:
        subject = await self.bearer_facts(token_digest)
        return ExchangeFacts(self._tables.clients.get(client_id), subject=subject)

    async def refresh_facts(self, client_id: str, digest: bytes) -> ExchangeFacts:
        client, refresh = self._tables.clients.get(client_id), self._tables.refreshes.get(digest)
        if refresh is None:
            return ExchangeFacts(client)
        refresh = replace(refresh, authorization=self._tables.roots[refresh.authorization.id])
        account = self._tables.accounts.get(refresh.authorization.account_id)
        successor = self._tables.successors.get(digest)
        if successor is not None:
            next_one = self._tables.refreshes.get(successor.successor)
            successor = replace(successor, used_at=next_one.spent_at if next_one else None)
        return ExchangeFacts(client, None, account, refresh, successor)

    async def remembered(self, keys: Sequence[bytes]) -> frozenset[bytes]:
        return frozenset(key for key in keys if key in self._tables.once)

    async def pushed_request(self, digest: bytes) -> PushedRequest | None:
        return self._tables.pushed.get(digest)

    async def device_facts(self, client_id: str, digest: bytes) -> ExchangeFacts:
        client, device = self._tables.clients.get(client_id), self._tables.device(digest)
        root = device.authorization if device else None
        account = self._tables.accounts.get(root.account_id) if root else None
        return ExchangeFacts(client, None, account, device=device)

    async def device_request_shown(self, user_code: str) -> DeviceRequest | None:
        found = (each.digest for each in self._tables.devices.values() if each.user_code == user_code)
        return self._tables.device(next(found, b""))

    async def consent(self, account_id: int, client_id: str) -> Consent | None:
        return self._tables.consents.get((account_id, client_id))

    async def ticket(self, digest: bytes) -> Ticket | None:
        return self._tables.tickets.get(digest)

    async def client(self, client_id: str) -> Client | None:
        return self._tables.clients.get(client_id)

    async def account(self, account_id: int) -> Account | None:
        return self._tables.accounts.get(account_id)

    async def account_named(self, canonical: str) -> Account | None:
        return next((each for each in self._tables.accounts.values() if each.canonical == canonical), None)

    async def signed_in(self, session_digest: bytes) -> tuple[Session, Account] | None:
        session = self._tables.sessions.get(session_digest)
        account = self._tables.accounts.get(session.account_id) if session else None
        return (session, account) if session and account else None

    async def sessions_of(self, account_id: int) -> list[Session]:
        found = [each for each in self._tables.sessions.values() if each.account_id == account_id]
        return sorted(found, key=lambda each: (-each.last_seen_at, each.digest))

    async def connected_apps(self, account_id: int) -> list[ConnectedApp]:
        found = [
            (said, client)
            for said in self._tables.consents.values()
            if said.account_id == account_id and (client := self._tables.clients.get(said.client_id))
        ]
        found.sort(key=lambda pair: (-pair[0].granted_at, pair[1].id.encode()))
        return [
            ConnectedApp(
                *(client, self._developer(client), said.scope, said.granted_at),
                self._last_used(said),
                self._ended(said),
                tuple(uri for uri, _ in said.resource),
            )
            for said, client in found
        ]

    def _last_used(self, said: Consent) -> int | None:
        pair = (said.account_id, said.client_id)
        times = [at for key, at in self._tables.used.items() if self._pair(key) == pair]
        return max(times, default=None)

    def _ended(self, said: Consent) -> int | None:
        pair = (said.account_id, said.client_id)
        times = [
            each.at for each in self._tables.notices.values() if (each.account_id, each.client_id) == pair
        ]
        return max(times, default=None)

    def _pair(self, key: int) -> tuple[int, str] | None:
        root = self._tables.roots.get(key)
        return (root.account_id, root.client_id) if root else None

    async def notices(self, client_id: str, limit: int) -> list[Notice]:
        found = [each for each in self._tables.notices.values() if each.client_id == client_id]
        return sorted(found, key=lambda each: (-each.at, -each.authorization_id))[:limit]

    async def clients_of(self, owner_id: int) -> list[Client]:
        found = [each for each in self._tables.clients.values() if each.owner_id == owner_id]
        return sorted(found, key=lambda each: (each.created_at, each.id.encode()))

    async def clients(self, after: str, limit: int) -> list[Client]:
        names = sorted(name.encode() for name in self._tables.clients)
        return [self._tables.clients[name.decode()] for name in names if name > after.encode()][:limit]

    async def self_made(self) -> tuple[int, int]:
        nobodys = [key for key, each in self._tables.clients.items() if each.owner_id == NOBODY]
        described = sum(key.startswith("https://") for key in nobodys)
        return len(nobodys) - described, described

    async def registration_token(self, digest: bytes) -> RegistrationToken | None:
        return self._tables.registration_tokens.get(digest)

    async def registration_tokens(self) -> list[RegistrationToken]:
        found = self._tables.registration_tokens.values()
        return sorted(found, key=lambda each: (each.created_at, each.digest))

    async def accounts(self, after: int, limit: int) -> list[Account]:
        return [self._tables.accounts[key] for key in sorted(self._tables.accounts) if key > after][:limit]

    async def keys(self) -> list[SealedKey]:
        return sorted(self._tables.keys.values(), key=lambda each: (each.created_at, each.id.encode()))

    async def picture(self, name: str) -> bytes | None:
        return next((each.content for each in self._tables.pictures.values() if each.name == name), None)

    # Writes.

    async def apply(self, changes: Changes) -> None:
        steps_of(changes)  # refuses what the databases refuse
        self._tables.apply(changes)

    async def attempt(self, keys: Sequence[str], now: int, window: int) -> list[int]:
        check(keys)
        counters = self._tables.counters
        for key in dict.fromkeys(keys):
            count, until = counters.get(key, (0, 0))
            counters[key] = (1, now + window) if until <= now else (count + 1, min(until, now + window))
        return [counters[key][0] for key in keys]

    async def forget_attempts(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._tables.counters.pop(key, None)

    async def add_usage(
        self, calls: dict[tuple[str, int], int], used: dict[int, int]
    ) -> dict[tuple[str, int], int]:
        usage, last = self._tables.usage, self._tables.used
        for slot, count in calls.items():
            usage[slot] = usage.get(slot, 0) + count
        for key, at in used.items():
            last[key] = max(at, last.get(key, at))
        return {slot: usage[slot] for slot in calls}

    async def lease(self, name: str, holder: str, now: int, seconds: int) -> bool:
        keeper, until = self._tables.leases.get(name, (holder, 0))
        if keeper != holder and now < until <= now + seconds + 3600:
            return False
        self._tables.leases[name] = (holder, now + seconds)
        return True

    async def clean(self, now: int, limit: int) -> int:
        return self._tables.clean(now, limit)

    async def empty(self, client_id: str, limit: int) -> int:
        return 0  # nobody waits for long

    async def shrink(self, limit: int) -> int:
        return 0
