"""The dicts of the memory store, and every write to them; a list of changes that fails is undone by its log."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from valetkey.protocol.changes import (
    AnswerDevice,
    Change,
    Changes,
    Discard,
    Draw,
    End,
    EndAll,
    Expire,
    Extend,
    Hold,
    Once,
    Poll,
    Record,
    Remove,
    Revoke,
    Save,
    Seen,
    Spend,
    Stands,
    Still,
    Withdraw,
)
from valetkey.protocol.model import (
    AccessToken,
    Account,
    Authorization,
    AuthorizationCode,
    Client,
    Consent,
    DeviceRequest,
    Notice,
    Picture,
    PushedRequest,
    RefreshToken,
    SealedSuccessor,
    Session,
    Ticket,
)
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.protocol.sealed_key import SealedKey
from valetkey.store.base import Conflict
from valetkey.store.cleaning import NOTICED
from valetkey.store.memory_log import Log, Table, check_version


class Tables:
    """What is remembered. `used` is when an authorization was last used."""

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}
        self.clients: dict[str, Client] = {}
        self.sessions: dict[bytes, Session] = {}
        self.consents: dict[tuple[int, str], Consent] = {}
        self.tickets: dict[bytes, Ticket] = {}
        self.roots: dict[int, Authorization] = {}
        self.codes: dict[bytes, AuthorizationCode] = {}
        self.tokens: dict[bytes, AccessToken] = {}
        self.refreshes: dict[bytes, RefreshToken] = {}
        self.successors: dict[bytes, SealedSuccessor] = {}
        self.pushed: dict[bytes, PushedRequest] = {}
        self.devices: dict[bytes, DeviceRequest] = {}
        self.notices: dict[int, Notice] = {}
        self.registration_tokens: dict[bytes, RegistrationToken] = {}
        self.pictures: dict[tuple[int, str], Picture] = {}
        self.keys: dict[str, SealedKey] = {}
        self.once: dict[bytes, int] = {}
        self.counters: dict[str, tuple[int, int]] = {}
        self.usage: dict[tuple[str, int], int] = {}
        self.used: dict[int, int] = {}
        self.leases: dict[str, tuple[str, int]] = {}
        self._by_digest: dict[type, Table] = {
            Session: self.sessions,
            Ticket: self.tickets,
            AuthorizationCode: self.codes,
            AccessToken: self.tokens,
            RefreshToken: self.refreshes,
            SealedSuccessor: self.successors,
            PushedRequest: self.pushed,
            DeviceRequest: self.devices,
            RegistrationToken: self.registration_tokens,
        }
        self._log = Log()

    def apply(self, changes: Changes) -> None:
        """All of the changes or none. Raises Conflict."""
        self._log.clear()
        try:
            for change in changes:
                self._write(change)
        except Conflict:
            self._log.undo()
            raise

    def clean(self, now: int, limit: int) -> int:
        """Remove up to `limit` dead rows; see cleaning.py for what is dead."""
        self._log.clear()
        over: tuple[Table, ...] = (self.sessions, self.tickets, self.successors, self.registration_tokens)
        for table in over:
            self._log.drop(table, lambda _, each: each.expires_at <= now)
        shown: tuple[Table, ...] = (self.codes, self.devices, self.pushed)
        for table in shown:
            self._log.drop(table, lambda _, each: each.expires_at <= now - 3600)
        self._log.drop(self.once, lambda _, until: until <= now)
        self._log.drop(self.notices, lambda _, each: each.at <= now - NOTICED)
        self._log.drop(self.counters, lambda _, counter: counter[1] <= now)
        self._log.drop(self.usage, lambda slot, _: slot[1] < now // 3600 - 1)
        self._log.drop(self.pictures, lambda _, each: each.name != self._shown(each.account_id))
        held: tuple[Table, ...] = (self.codes, self.tokens, self.refreshes)
        for table in held[1:]:
            self._log.drop(table, lambda _, token: self._over(token, now))
        self._log.drop(self.keys, lambda _, each: each.gone_at is not None and each.gone_at <= now)
        waiting = [each for each in self.devices.values() if each.authorization is not None]
        rooted = {
            each.authorization.id for each in (*waiting, *(e for table in held for e in table.values()))
        }
        stays = {key for key, each in self.roots.items() if each.own and each.revoked_at is None}
        self._log.drop(self.roots, lambda key, _: key not in stays and key not in rooted)
        users = {each.client_id for key, each in self.roots.items() if not each.own or key in rooted}
        allowed = {pair[1] for pair in self.consents} | users
        self._log.drop(self.clients, lambda key, each: key not in allowed and lapsed(each, now))
        self._log.drop(self.roots, lambda _, each: each.own and each.client_id not in self.clients)
        return self._log.keep(limit)

    def _over(self, token: AccessToken | RefreshToken, now: int) -> bool:
        root = self.roots.get(token.authorization.id)
        return (
            root is None
            or root.revoked_at is not None
            or (token.expires_at is not None and token.expires_at <= now)
        )

    def device(self, digest: bytes) -> DeviceRequest | None:
        """A device with its authorization as that stands now."""
        found = self.devices.get(digest)
        if found is None or found.authorization is None:
            return found
        return replace(found, authorization=self.roots.get(found.authorization.id))

    def own(self, client_id: str) -> Authorization | None:
        """What a client is granted for itself."""
        found = (each for each in self.roots.values() if each.own and each.revoked_at is None)
        return next((each for each in found if each.client_id == client_id), None)

    def _shown(self, account_id: int) -> str:
        account = self.accounts.get(account_id)
        return account.picture if account else ""

    def _end_roots(self, at: int, meant: Callable[[Authorization], bool]) -> None:
        for root in list(self.roots.values()):
            if root.revoked_at is None and meant(root):
                self._log.put(self.roots, root.id, replace(root, revoked_at=at))

    # One change.

    def _write(self, change: Change) -> None:
        match change:
            case Save(record):
                self._save(record)
            case Spend():
                self._spend(change)
            case Hold() | Stands() | Still():
                self._check(change)
            case Once(key, until):
                self._log.put_new(self.once, key, until)
            case Revoke() | Expire() | Withdraw():
                self._take_back(change)
            case Remove(client_id):
                self._remove(client_id)
            case Poll() | AnswerDevice():
                self._device(change)
            case Draw() | Discard():
                self._registration(change)
            case _:
                self._lasting(change)

    def _check(self, change: Hold | Stands | Still) -> None:
        """Still is always so: nobody has kept what was so before."""
        if isinstance(change, Stands):
            check_version(self.accounts, change.account_id, change.version)
        elif isinstance(change, Hold) and (change.account_id, change.client_id) not in self.consents:
            raise Conflict

    def _take_back(self, change: Revoke | Expire | Withdraw) -> None:
        match change:
            case Revoke(root, at):
                self._end_roots(at, lambda each: each.id == root)
            case Expire(key, at):
                token = self.tokens.get(key)
                if token is not None and (token.expires_at is None or token.expires_at > at):
                    self._log.put(self.tokens, key, replace(token, expires_at=at))
            case Withdraw(who, app, at):
                self._log.drop(self.consents, lambda pair, _: pair[0] == who and app in (None, pair[1]))
                self._end_roots(at, lambda each: each.account_id == who and app in (None, each.client_id))

    def _registration(self, change: Draw | Discard) -> None:
        found = self.registration_tokens.get(change.digest)
        if isinstance(change, Discard):
            self._log.drop(self.registration_tokens, lambda key, _: key == change.digest)
        elif found is None or found.uses < 1 or found.expires_at <= change.at:
            raise Conflict
        else:
            self._log.put(self.registration_tokens, found.digest, replace(found, uses=found.uses - 1))

    def _spend(self, change: Spend) -> None:
        table = self._by_digest[change.kind]
        found = table.get(change.digest)
        if found is None or found.spent_at is not None:
            raise Conflict
        if isinstance(found, Ticket) and found.session_digest not in self.sessions:
            raise Conflict
        self._log.put(table, change.digest, replace(found, spent_at=change.at))

    def _device(self, change: Poll | AnswerDevice) -> None:
        found = self.devices.get(change.digest)
        match change:
            case Poll(digest, at, before, slower):
                if found is None or (not slower and found.polled_at != before):
                    raise Conflict
                asked = replace(found, polled_at=at, interval=found.interval + slower)
                self._log.put(self.devices, digest, asked)
            case AnswerDevice(digest, said, root):
                if found is None or found.said:
                    raise Conflict
                self._log.put(self.devices, digest, replace(found, said=said, authorization=root))

    def _lasting(self, change: Extend | Seen | End | EndAll) -> None:
        match change:
            case Extend(digest, end):
                found = self.refreshes.get(digest)
                if found is not None and found.expires_at < end:
                    self._log.put(self.refreshes, digest, replace(found, expires_at=end))
            case Seen(digest, at, end):
                if digest in self.sessions:
                    moved = replace(self.sessions[digest], last_seen_at=at, expires_at=end)
                    self._log.put(self.sessions, digest, moved)
            case End(account, digest):
                self._log.drop(self.sessions, lambda key, each: key == digest and each.account_id == account)
            case EndAll(account, keep):
                self._log.drop(self.sessions, lambda key, each: key != keep and each.account_id == account)

    def _remove(self, client_id: str) -> None:
        held = {key for key, root in self.roots.items() if root.client_id == client_id}
        rooted: tuple[Table, ...] = (self.codes, self.tokens, self.refreshes)
        for table in rooted:
            self._log.drop(table, lambda _, each: each.authorization.id in held)
        self._log.drop(self.roots, lambda key, _: key in held)
        self._log.drop(self.consents, lambda pair, _: pair[1] == client_id)
        self._log.drop(self.notices, lambda _, each: each.client_id == client_id)
        self._log.drop(self.clients, lambda key, _: key == client_id)

    def _save(self, record: Record) -> None:
        match record:
            case Account():
                holders = [each.id for each in self.accounts.values() if each.canonical == record.canonical]
                if holders not in ([], [record.id]):
                    raise Conflict
                self._save_version(self.accounts, record)
            case Client():
                self._save_version(self.clients, record)
            case SealedKey():
                if record.follows in {each.follows for each in self.keys.values() if each.id != record.id}:
                    raise Conflict
                self._save_version(self.keys, record)
            case Consent():
                self._log.put(self.consents, (record.account_id, record.client_id), record)
            case Picture():
                self._log.put(self.pictures, (record.account_id, record.name), record)
            case Notice():
                first = self.notices.get(record.authorization_id, record)
                self._log.put(self.notices, record.authorization_id, first)
            case _:
                self._save_new(record)

    def _save_new(self, record: Any) -> None:
        match record:
            case Authorization():
                if record.own and self.own(record.client_id):
                    raise Conflict
                self._log.put_new(self.roots, record.id, record)
            case DeviceRequest() if record.user_code in (each.user_code for each in self.devices.values()):
                raise Conflict
            case _:
                self._log.put_new(self._by_digest[type(record)], record.digest, record)

    def _save_version(self, table: Table, record: Account | Client | SealedKey) -> None:
        check_version(table, record.id, record.version - 1)
        self._log.put(table, record.id, record)


def lapsed(client: Client, now: int) -> bool:
    """Whether a client goes, if nobody allows it anything; a disabled one stays, since it could come back by itself."""
    return client.lapses_at is not None and client.lapses_at <= now and client.disabled_at is None
