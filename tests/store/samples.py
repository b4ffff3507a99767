"""Records to test with: each differs from the next by what the test names."""

import asyncio
from typing import Any

from msgspec.structs import replace

from tests.protocol.samples import digest
from valetkey.protocol.changes import Save
from valetkey.protocol.model import (
    AccessToken,
    Account,
    Authorization,
    AuthorizationCode,
    Client,
    ClientSecret,
    DeviceRequest,
    Notice,
    PushedRequest,
    RefreshToken,
    SealedSuccessor,
    Session,
    Ticket,
)
from valetkey.store import Store

NOW = 1_800_000_000
REDIRECT = "https://rp.test/cb"


def account(key: int = 1, name: str = "", **more: Any) -> Account:
    name = name or f"user{key}"
    plain = Account(key, name, name.lower(), f"Number {key}", f"{name}@mail.test", "argon2", NOW)
    return replace(plain, **more)


def client(key: str = "app", owner: int = 1, **more: Any) -> Client:
    secret = ClientSecret(digest(f"secret of {key}"), b"k" * 64, "abc", NOW)
    plain = Client(key, owner, f"App {key}", "web", "classic", (REDIRECT,), NOW, (secret,))
    return replace(plain, **more)


def session(name: str = "browser", owner: int = 1, end: int = NOW + 3600) -> Session:
    return Session(digest(name), owner, NOW, NOW, end, "Browser 1.0", "192.0.2.0/24")


def ticket(name: str = "ticket", end: int = NOW + 600) -> Ticket:
    return Ticket(digest(name), digest("browser"), b"client_id=app&x=%00", end)


def authorization(key: int = 1, owner: int = 1, app: str = "app", **more: Any) -> Authorization:
    return Authorization(key, owner, app, ("basic", "photos"), NOW, **more)


def code(name: str = "code", root: Authorization | None = None, end: int = NOW + 600) -> AuthorizationCode:
    return AuthorizationCode(digest(name), root or authorization(), REDIRECT, end, "challenge")


def token(name: str = "token", root: Authorization | None = None, end: int | None = None) -> AccessToken:
    return AccessToken(digest(name), root or authorization(), NOW, end)


def refresh(name: str = "refresh", root: Authorization | None = None, **more: Any) -> RefreshToken:
    return replace(RefreshToken(digest(name), root or authorization(), NOW, NOW + 600), **more)


def successor(name: str = "refresh", to: str = "next", **more: Any) -> SealedSuccessor:
    return replace(SealedSuccessor(digest(name), digest(to), b"sealed", NOW + 120), **more)


def notice(key: int = 1, owner: int = 1, app: str = "app", at: int = NOW) -> Notice:
    return Notice(key, owner, app, "refresh_reused", at)


def pushed(name: str = "pushed", end: int = NOW + 60) -> PushedRequest:
    return PushedRequest(digest(name), "app", b"client_id=app&x=%00", end)


def device(name: str = "device", **more: Any) -> DeviceRequest:
    plain = DeviceRequest(digest(name), name.upper(), "app", ("basic", "photos"), NOW + 600, 5)
    return replace(plain, **more)


async def settle_in(store: Store) -> None:
    """One account, its app."""
    await store.apply((Save(account()), Save(client())))


async def grant(store: Store, *names: str) -> None:
    """One authorization a name, with a code of that name and no token yet; the ids count from 1."""
    roots = [(authorization(key), name) for key, name in enumerate(names, 1)]
    await asyncio.gather(*(store.apply((Save(root), Save(code(name, root)))) for root, name in roots))
