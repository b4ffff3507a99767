"""Rows of either database become records. The order of a record's fields is the order of its columns."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from valetkey.protocol.model import (
    TERMS,
    AccessToken,
    Account,
    Authorization,
    AuthorizationCode,
    Client,
    ClientSecret,
    Consent,
    DeviceRequest,
    Notice,
    Places,
    PushedRequest,
    RefreshToken,
    Registration,
    SealedSuccessor,
    Session,
    Terms,
    Ticket,
)
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.protocol.sealed_key import SealedKey

Row = Sequence[Any]

ACCOUNT = (
    "id username canonical full_name email password created_at bio website picture disabled_at version"
).split()
CLIENT = (
    "id owner_id name type profile redirect_uris created_at secrets description website "
    "allow_implicit sandbox testers signed_requests rate_limit disabled_at registered lapses_at version"
).split()
REGISTRATION_TOKEN = "digest hint created_at expires_at uses".split()
SESSION = "digest account_id created_at last_seen_at expires_at user_agent network".split()
CONSENT = "account_id client_id scope granted_at refused resource".split()
TICKET = "digest session_digest query expires_at spent_at".split()
KEY = "id alg public sealed created_at active_from follows retires_at gone_at version".split()
AUTHORIZATION = "id account_id client_id scope granted_at revoked_at terms".split()
CODE = "redirect_uri expires_at challenge spent_at".split()  # behind the digest that it was found by
TOKEN = "created_at expires_at terms".split()
REFRESH = "created_at expires_at terms spent_at".split()
SUCCESSOR = "successor content expires_at terms".split()
NOTICE = "authorization_id account_id client_id kind at".split()
PUSHED = "digest client_id query expires_at spent_at".split()
DEVICE = "digest user_code client_id scope expires_at interval terms polled_at said spent_at".split()


def columns(table: str, names: Sequence[str]) -> str:
    """The columns of one table in a SELECT."""
    return ", ".join(f"{table}.{name}" for name in names)


def account(row: Row) -> Account:
    return Account(*row)


def key(row: Row) -> SealedKey:
    return SealedKey(*row)


def session(row: Row) -> Session:
    return Session(*row)


def ticket(row: Row) -> Ticket:
    return Ticket(*row)


def consent(row: Row) -> Consent:
    account_id, client_id, scope, granted_at, refused, resource = row
    return Consent(account_id, client_id, names(scope), granted_at, names(refused), places(resource))


def authorization(row: Row) -> Authorization:
    key, account_id, client_id, scope, granted_at, revoked_at, bound = row
    return Authorization(key, account_id, client_id, names(scope), granted_at, revoked_at, terms(bound))


def code(digest: bytes, row: Row, root: Authorization) -> AuthorizationCode:
    redirect_uri, expires_at, challenge, spent_at = row
    return AuthorizationCode(digest, root, redirect_uri, expires_at, challenge, spent_at)


def token(digest: bytes, row: Row) -> AccessToken:
    """A token and, in the columns behind its own, its authorization: what is looked up most, in one go."""
    created, end, bound, key, account_id, client_id, scope, granted_at, revoked_at, root_bound = row
    above = TERMS if root_bound is None else _terms(root_bound)
    root = Authorization(key, account_id, client_id, names(scope), granted_at, revoked_at, above)
    return AccessToken(digest, root, created, end, TERMS if bound is None else _terms(bound))


def refresh(digest: bytes, row: Row, root: Authorization) -> RefreshToken:
    created_at, expires_at, bound, spent_at = row
    return RefreshToken(digest, root, created_at, expires_at, terms(bound), spent_at)


def successor(digest: bytes, row: Row, used_at: int | None) -> SealedSuccessor:
    following, content, expires_at, bound = row
    return SealedSuccessor(digest, following, content, expires_at, terms(bound), used_at)


def notice(row: Row) -> Notice:
    return Notice(*row)


def pushed(row: Row) -> PushedRequest:
    return PushedRequest(*row)


def device(row: Row, root: Authorization | None) -> DeviceRequest:
    digest, user_code, client_id, scope, expires_at, interval, bound, polled_at, said, spent_at = row
    return DeviceRequest(
        digest, user_code, client_id, names(scope), expires_at, interval, terms(bound), polled_at, said, root, spent_at
    )  # fmt: skip


def registration_token(row: Row) -> RegistrationToken:
    return RegistrationToken(*row)


def client(row: Row) -> Client:
    (
        key,
        owner,
        name,
        kind,
        profile,
        uris,
        created,
        secrets,
        about,
        site,
        implicit,
        box,
        who,
        signed,
        limit,
        disabled,
        registered,
        lapses,
        version,
    ) = row
    uris, secrets, who = _uris(uris), _secrets(secrets), _testers(who)
    implicit, box, signed = implicit == 1, box == 1, signed == 1
    return Client(
        key, owner, name, kind, profile, uris, created, secrets, about, site, implicit, box, who, signed, limit,
        disabled, _registered(registered), lapses, version,
    )  # fmt: skip


def client_row(record: Client) -> tuple[Any, ...]:
    """The values of a client in the order of its columns."""
    return (
        record.id, record.owner_id, record.name, record.type, record.profile, _json(record.redirect_uris),
        record.created_at, _json(record.secrets), record.description, record.website, int(record.allow_implicit),
        int(record.sandbox), _json(record.testers), int(record.signed_requests), record.rate_limit,
        record.disabled_at, _json(record.registered), record.lapses_at, record.version,
    )  # fmt: skip


def terms(bound: str | None) -> Terms:
    return TERMS if bound is None else _terms(bound)


def bound(terms: Terms) -> str | None:
    """What is kept of terms: nothing when they say nothing."""
    return None if terms is TERMS or terms == TERMS else _json(terms)


def words(scope: tuple[str, ...]) -> str:
    return " ".join(scope)


@lru_cache(1024)
def names(scope: str) -> tuple[str, ...]:
    return tuple(scope.split())


def places(bound: str) -> Places:
    return _places(bound) if bound else ()


def placed(places: Places) -> str:
    """What is kept of the servers of a consent."""
    return _json(places) if places else ""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


# Few texts, read often: what they mean is remembered.
_uris = lru_cache(1024)(msgspec.json.Decoder(tuple[str, ...]).decode)
_secrets = lru_cache(1024)(msgspec.json.Decoder(tuple[ClientSecret, ...]).decode)
_registered = lru_cache(1024)(msgspec.json.Decoder(Registration).decode)
_terms = lru_cache(1024)(msgspec.json.Decoder(Terms).decode)
_places = msgspec.json.Decoder(Places).decode  # long ones, which few have
_testers = lru_cache(1024)(msgspec.json.Decoder(tuple[int, ...]).decode)
