"""The look-ups that both databases share: which statement, and which records its row becomes."""

from abc import ABC, abstractmethod
from typing import Any

from valetkey.protocol.model import (
    Account,
    AuthorizeFacts,
    BearerFacts,
    Client,
    ConnectedApp,
    ExchangeFacts,
    Session,
    Ticket,
)
from valetkey.store import rows, sql
from valetkey.store.rows import Row
from valetkey.store.steps import storable

# Where the columns of one record end and those of the next begin.
_CLIENT, _SESSION, _ACCOUNT, _CODE, _TOKEN, _ROOT = map(
    len, (rows.CLIENT, rows.SESSION, rows.ACCOUNT, rows.CODE, rows.TOKEN, rows.AUTHORIZATION)
)


class Lookups(ABC):
    """Everything a store looks up, given one row by keys and many by a statement."""

    @abstractmethod
    async def _one(self, point: sql.Point, *keys: Any) -> Row | None: ...

    @abstractmethod
    async def _all(self, statement: str, *values: Any) -> list[Row]: ...

    async def authorize_facts(self, client_id: str, session_digest: bytes | None) -> AuthorizeFacts:
        row = await self._one(sql.AUTHORIZE, _text(client_id), session_digest)
        if row is None:
            return AuthorizeFacts()
        signed = _CLIENT + 1
        owner = signed + _SESSION
        said = owner + _ACCOUNT
        return AuthorizeFacts(
            rows.client(row[:_CLIENT]) if row[0] is not None else None,
            row[_CLIENT] or "",
            rows.session(row[signed:owner]) if row[signed] is not None else None,
            rows.account(row[owner:said]) if row[owner] is not None else None,
            rows.consent(row[said:]) if row[said] is not None else None,
        )

    async def exchange_facts(self, client_id: str, code_digest: bytes) -> ExchangeFacts:
        row = await self._one(sql.EXCHANGE, _text(client_id), code_digest)
        if row is None:
            return ExchangeFacts()
        client = rows.client(row[:_CLIENT]) if row[0] is not None else None
        root = _CLIENT + _CODE
        owner = root + _ROOT
        if row[root] is None:
            return ExchangeFacts(client)
        code = rows.code(row[_CLIENT:root], rows.authorization(row[root:owner]))
        return ExchangeFacts(client, code, rows.account(row[owner:]) if row[owner] is not None else None)

    async def bearer_facts(self, token_digest: bytes) -> BearerFacts | None:
        row = await self._one(sql.BEARER, token_digest)
        if row is None:
            return None
        owner = _TOKEN + _ROOT
        held = owner + _ACCOUNT
        token = rows.token(row[:_TOKEN], rows.authorization(row[_TOKEN:owner]))
        return BearerFacts(token, rows.account(row[owner:held]), rows.client(row[held:]))

    async def ticket(self, digest: bytes) -> Ticket | None:
        row = await self._one(sql.TICKET_BY_DIGEST, digest)
        return None if row is None else rows.ticket(row)

    async def client(self, client_id: str) -> Client | None:
        row = await self._one(sql.CLIENT_BY_ID, _text(client_id))
        return None if row is None else rows.client(row)

    async def account(self, account_id: int) -> Account | None:
        row = await self._one(sql.ACCOUNT_BY_ID, account_id) if storable(account_id) else None
        return None if row is None else rows.account(row)

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
                rows.client(row[:_CLIENT]), row[_CLIENT] or "", rows.names(row[-3]), row[-2], row[-1]
            )
            for row in found
        ]

    async def clients_of(self, owner_id: int) -> list[Client]:
        return [rows.client(row) for row in await self._listed(sql.CLIENTS_OF, owner_id)]

    async def clients(self, after: str, limit: int) -> list[Client]:
        return [rows.client(row) for row in await self._listed(sql.CLIENTS, after, limit)]

    async def accounts(self, after: int, limit: int) -> list[Account]:
        return [rows.account(row) for row in await self._listed(sql.ACCOUNTS, after, limit)]

    async def picture(self, name: str) -> bytes | None:
        found = await self._listed(sql.PICTURE, name)
        return found[0][0] if found else None

    async def _listed(self, statement: str, *values: Any) -> list[Row]:
        return await self._all(statement, *values) if all(map(storable, values)) else []


def _text(key: str) -> str:
    """A key that no database can hold names nothing, as the empty one does."""
    return key if storable(key) else ""
