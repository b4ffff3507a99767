"""The look-ups that both databases share: which statement, and which records its row becomes."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Sequence
from typing import Any

from valetkey.protocol.facts import AuthorizeFacts, BearerFacts, ConnectedApp, ExchangeFacts
from valetkey.protocol.model import (
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
from valetkey.store import rows, sql
from valetkey.store.kept import Kept
from valetkey.store.rows import Row
from valetkey.store.steps import storable

# Where the columns of one record end and those of the next begin.
_ACCOUNT, _SESSION, _CODE = map(len, (rows.ACCOUNT, rows.SESSION, rows.CODE))
_SUCCESSOR, _REFRESH, _DEVICE = map(len, (rows.SUCCESSOR, rows.REFRESH, rows.DEVICE))


class Lookups(ABC):
    """Everything a store looks up, given one row by keys and many by a statement."""

    def __init__(self) -> None:
        self._clients: Kept[str, Client] = Kept()
        self._accounts: Kept[int, Account] = Kept()
        self._own: Kept[str, ExchangeFacts] = Kept()

    @abstractmethod
    def _one(self, point: sql.Point, *keys: Any) -> Awaitable[Row | None]: ...

    @abstractmethod
    async def _all(self, statement: str, *values: Any) -> list[Row]: ...

    def _facts(self, point: sql.Point, *keys: Any) -> Awaitable[Row | None]:
        return self._with_account(point, *keys) if self._accounts.full else self._one(point, *keys)

    async def _with_account(self, point: sql.Point, *keys: Any) -> Row | None:
        """Where more accounts are in use than can be kept, each comes along and is asked for by no second look-up."""
        row = await self._one(sql.WHOLE[point], *keys)
        if row is None:
            return None
        account_id, version = row[-_ACCOUNT], row[-1]
        if account_id is not None and self._accounts.find(account_id, version) is None:
            self._accounts.keep(account_id, rows.account(row[-_ACCOUNT:]), version)
        return row[:-_ACCOUNT]

    async def authorize_facts(self, client_id: str, session_digest: bytes | None) -> AuthorizeFacts:
        row = await self._facts(sql.AUTHORIZE, _text(client_id), session_digest)
        if row is None:
            return AuthorizeFacts()
        edition, owner_id, owner_version, account_version, *rest = row
        client = self._clients.find(client_id, edition) or await self.client(client_id)
        owner = session = account = consent = None
        if owner_version is not None:
            owner = self._accounts.find(owner_id, owner_version) or await self.account(owner_id)
        if account_version is not None:
            session = rows.session(rest[:_SESSION])
            account = self._accounts.find(session.account_id, account_version) or await self.account(
                session.account_id
            )
        if rest[_SESSION] is not None:
            consent = rows.consent(rest[_SESSION:])
        developer = (owner.full_name or owner.username) if owner else ""
        return AuthorizeFacts(client, developer, session, account, consent)

    async def exchange_facts(self, client_id: str, code_digest: bytes) -> ExchangeFacts:
        row = await self._facts(sql.EXCHANGE, code_digest)
        if row is None:
            return ExchangeFacts(await self.client(client_id))
        client = self._clients.find(client_id, row[0]) or await self.client(client_id)
        root, account = rows.authorization(row[_CODE + 2 :]), None
        if row[1] is not None:
            account = self._accounts.find(root.account_id, row[1]) or await self.account(root.account_id)
        return ExchangeFacts(client, rows.code(code_digest, row[2 : _CODE + 2], root), account)

    async def own_facts(self, client_id: str) -> ExchangeFacts:
        row = await self._one(sql.OWN, _text(client_id))
        if row is None:
            return ExchangeFacts(await self.client(client_id))
        client = self._clients.find(client_id, row[0]) or await self.client(client_id)
        own = rows.authorization(row[1:])
        self._own.keep(client_id, ExchangeFacts(client, own=own, edition=row[0] or 0), None)
        return ExchangeFacts(client, own=own)

    def own_at_hand(self, client_id: str) -> ExchangeFacts | None:
        found = self._own.find(client_id, None)
        if found is None or self._clients.find(client_id, found.edition or None) is not found.client:
            return None  # what it was decided on is no longer kept, lest the one minute become two
        return found

    async def bearer_facts(self, token_digest: bytes) -> BearerFacts | None:
        whole = self._accounts.full
        row = await self._one(sql.WHOLE[sql.BEARER] if whole else sql.BEARER, token_digest)
        if row is None:
            return None
        if not whole:
            return await self._bearer(token_digest, row)
        account = None if row[-1] is None else rows.account(row[-_ACCOUNT:])
        return await self._bearer(token_digest, row[:-_ACCOUNT], account)

    async def introspect_facts(self, client_id: str, token_digest: bytes) -> ExchangeFacts:
        row = await self._facts(sql.BEARER, token_digest)
        if row is None:
            return ExchangeFacts(await self.client(client_id))
        caller = self._clients.find(client_id, row[0]) or await self.client(client_id)
        return ExchangeFacts(caller, subject=await self._bearer(token_digest, row))

    async def _bearer(
        self, token_digest: bytes, row: Row, account: Account | None = None
    ) -> BearerFacts | None:
        edition, account_version, used_at, *rest = row
        token = rows.token(token_digest, rest)
        root = token.authorization
        client_id, account_id = root.client_id, root.account_id
        client = self._clients.find(client_id, edition) or await self.client(client_id)
        if token.terms.client:
            holder = self._clients.find(token.terms.client, edition) or await self.client(token.terms.client)
            if not still_held(token, holder):
                return None
        if account is None and not root.own:
            account = self._accounts.find(account_id, account_version) or await self.account(account_id)
            if account is None:
                return None
        return BearerFacts(token, account, client, used_at) if client else None

    async def refresh_facts(self, client_id: str, digest: bytes) -> ExchangeFacts:
        row = await self._facts(sql.REFRESHED, digest)
        if row is None:
            return ExchangeFacts(await self.client(client_id))
        edition, account_version, used_at, *rest = row
        sealed, kept, root = (
            rest[:_SUCCESSOR],
            rest[_SUCCESSOR : _SUCCESSOR + _REFRESH],
            rest[_SUCCESSOR + _REFRESH :],
        )
        client = self._clients.find(client_id, edition) or await self.client(client_id)
        refresh, account, successor = rows.refresh(digest, kept, rows.authorization(root)), None, None
        if account_version is not None:
            account_id = refresh.authorization.account_id
            account = self._accounts.find(account_id, account_version) or await self.account(account_id)
        if sealed[0] is not None:
            successor = rows.successor(digest, sealed, used_at)
        return ExchangeFacts(client, None, account, refresh, successor)

    async def device_facts(self, client_id: str, digest: bytes) -> ExchangeFacts:
        row = await self._one(sql.DEVICE_ASKS, digest)
        if row is None:
            return ExchangeFacts(await self.client(client_id))
        edition, account_version, *rest = row
        client = self._clients.find(client_id, edition) or await self.client(client_id)
        device, account = _device(rest), None
        if device.authorization is not None and account_version is not None:
            account_id = device.authorization.account_id
            account = self._accounts.find(account_id, account_version) or await self.account(account_id)
        return ExchangeFacts(client, None, account, device=device)

    async def remembered(self, keys: Sequence[bytes]) -> frozenset[bytes]:
        return frozenset([key for key in keys if await self._one(sql.ONCE_BY_KEY, key) is not None])

    async def pushed_request(self, digest: bytes) -> PushedRequest | None:
        row = await self._one(sql.PUSHED_BY_DIGEST, digest)
        return None if row is None else rows.pushed(row)

    async def device_request_shown(self, user_code: str) -> DeviceRequest | None:
        row = await self._one(sql.DEVICE_SHOWN, _text(user_code))
        return None if row is None else _device(row)

    async def consent(self, account_id: int, client_id: str) -> Consent | None:
        row = await self._one(sql.CONSENT_OF, account_id, _text(client_id))
        return None if row is None else rows.consent(row)

    async def ticket(self, digest: bytes) -> Ticket | None:
        row = await self._one(sql.TICKET_BY_DIGEST, digest)
        return None if row is None else rows.ticket(row)

    async def client(self, client_id: str) -> Client | None:
        row = await self._one(sql.CLIENT_BY_ID, _text(client_id))
        if row is None:
            return None
        found = rows.client(row[1:])
        self._clients.keep(client_id, found, row[0])
        return found

    async def account(self, account_id: int) -> Account | None:
        row = await self._one(sql.ACCOUNT_BY_ID, account_id) if storable(account_id) else None
        if row is None:
            return None
        found = rows.account(row)
        self._accounts.keep(account_id, found, found.version)
        return found

    async def account_named(self, canonical: str) -> Account | None:
        row = await self._one(sql.ACCOUNT_BY_NAME, _text(canonical))
        return None if row is None else rows.account(row)

    async def signed_in(self, session_digest: bytes) -> tuple[Session, Account] | None:
        row = await self._one(sql.SIGNED_IN, session_digest)
        return None if row is None else (rows.session(row[:_SESSION]), rows.account(row[_SESSION:]))

    async def sessions_of(self, account_id: int) -> list[Session]:
        return [rows.session(row) for row in await self._listed(sql.SESSIONS_OF, account_id)]

    async def connected_apps(self, account_id: int) -> list[ConnectedApp]:
        found = await self._listed(sql.CONNECTED_APPS, account_id)
        return [
            ConnectedApp(
                rows.client(row[:-6]),
                row[-6] or "",
                rows.names(row[-5]),
                row[-4],
                row[-3],
                row[-2],
                tuple(uri for uri, _ in rows.places(row[-1])),
            )
            for row in found
        ]

    async def notices(self, client_id: str, limit: int) -> list[Notice]:
        return [rows.notice(row) for row in await self._listed(sql.NOTICES, client_id, limit)]

    async def clients_of(self, owner_id: int) -> list[Client]:
        return [rows.client(row) for row in await self._listed(sql.CLIENTS_OF, owner_id)]

    async def clients(self, after: str, limit: int) -> list[Client]:
        return [rows.client(row) for row in await self._listed(sql.CLIENTS, after, limit)]

    async def self_made(self) -> tuple[int, int]:
        [(all_of_them, described)] = await self._listed(sql.SELF_MADE)
        return int(all_of_them) - int(described), int(described)

    async def registration_token(self, digest: bytes) -> RegistrationToken | None:
        row = await self._one(sql.REGISTRATION_TOKEN_BY_DIGEST, digest)
        return None if row is None else rows.registration_token(row)

    async def registration_tokens(self) -> list[RegistrationToken]:
        return [rows.registration_token(row) for row in await self._listed(sql.REGISTRATION_TOKENS)]

    async def accounts(self, after: int, limit: int) -> list[Account]:
        return [rows.account(row) for row in await self._listed(sql.ACCOUNTS, after, limit)]

    async def keys(self) -> list[SealedKey]:
        return [rows.key(row) for row in await self._listed(sql.KEYS)]

    async def picture(self, name: str) -> bytes | None:
        found = await self._listed(sql.PICTURE, name)
        return found[0][0] if found else None

    async def _listed(self, statement: str, *values: Any) -> list[Row]:
        return await self._all(statement, *values) if all(map(storable, values)) else []


def _device(row: Row) -> DeviceRequest:
    """A device and, once it was allowed, its authorization."""
    root = row[_DEVICE:]
    return rows.device(row[:_DEVICE], None if root[0] is None else rows.authorization(root))


def _text(key: str) -> str:
    """A key that no database can hold names nothing, as the empty one does."""
    return key if storable(key) else ""
