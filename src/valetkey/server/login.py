"""Logging in and out: counted before the hash, the same answer whoever is asked for (R14, R16)."""

from contextlib import suppress

from msgspec import Struct

from valetkey.protocol.changes import Change, End, Save, Seen, Stands
from valetkey.protocol.model import Account, Session
from valetkey.protocol.rules.digest import digest
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.names import canonical
from valetkey.store.base import Conflict, Unavailable

NETWORK_PREFIX = "login:network:"
ACCOUNT_PREFIX = "login:account:"
SIGN_UP_PREFIX = "signup:network:"
SIGN_UP_WINDOW = 3600
SEEN_STEPS = 20
TURNS = 5


class Attempt(Struct, frozen=True):
    """What a login form says, and where it came from."""

    username: str
    password: str
    network: str
    user_agent: str = ""


class SignedIn(Struct, frozen=True):
    """A living session and its account."""

    session: Session
    account: Account


class LoggedIn(Struct, frozen=True):
    """Yes: the new session's id, which only the browser keeps."""

    token: str
    account: Account


class Throttled(Struct, frozen=True):
    """Too many attempts; try again after so many seconds. Says nothing about the account."""

    seconds: int


class Wrong(Struct, frozen=True):
    """The name, the password, or the account's state does not let anybody in."""


async def log_in(
    server: AuthorizationServer, attempt: Attempt, old: Session | None = None
) -> LoggedIn | Throttled | Wrong:
    """Check a login and open a session under a new id; the old one dies.

    Raises HashQueueFull, Conflict, Unavailable.
    """
    throttled = await count_attempt(server, attempt.username, attempt.network)
    if throttled is not None:
        return throttled
    account = await server.store.account_named(canonical(attempt.username))
    alive = account is not None and account.disabled_at is None
    right = await server.passwords.verify(account.password if account and alive else None, attempt.password)
    if account is None or not right:
        return Wrong()
    token = await let_in(server, account, attempt, old)
    if token is None:
        return Wrong()
    if server.settings.login.throttle:
        await server.store.forget_attempts([ACCOUNT_PREFIX + account.canonical])
    return LoggedIn(token, account)


async def let_in(
    server: AuthorizationServer, account: Account, attempt: Attempt, old: Session | None
) -> str | None:
    """A new session's id; none if the password was changed while we looked at it, which ends all sessions (G4)."""
    stands: Account | None = account
    for _ in range(TURNS):
        if stands is None or (stands.password, stands.disabled_at) != (account.password, None):
            return None
        with suppress(Conflict):
            return await open_session(server, stands, attempt, old)
        stands = await server.store.account(account.id)
    raise Conflict


async def open_session(
    server: AuthorizationServer, account: Account, attempt: Attempt, old: Session | None
) -> str:
    """A new session; returns its id. The id is never one that the browser brought (G1). Raises Conflict if the account
    was changed since it was read."""
    now, limits = server.clock(), server.settings.session
    token = server.mint.text()
    expires_at = now + min(limits.idle, limits.absolute)
    session = Session(
        digest(token), account.id, now, now, expires_at, attempt.user_agent[:200], attempt.network[:64]
    )
    changes: tuple[Change, ...] = (Stands(account.id, account.version), Save(session))
    if old is not None:
        changes += (End(old.account_id, old.digest),)
    await server.store.apply(changes)
    return token


async def count_attempt(server: AuthorizationServer, username: str, network: str) -> Throttled | None:
    """Count a password attempt against its name and its network, before any hash is made."""
    return await count(server, ACCOUNT_PREFIX + canonical(username), NETWORK_PREFIX + network)


async def count(server: AuthorizationServer, account: str, network: str) -> Throttled | None:
    """Count one more for an account and for a network, each under its key."""
    limits = server.settings.login
    if not limits.throttle:
        return None
    by_account, by_network = await server.store.attempt([account, network], server.clock(), limits.window)
    if by_account > limits.attempts_per_account or by_network > limits.attempts_per_network:
        return Throttled(limits.window)
    return None


async def count_sign_up(server: AuthorizationServer, network: str) -> Throttled | None:
    """Count a sign-up against its network, before its password is hashed."""
    if not server.settings.login.throttle:
        return None
    [count] = await server.store.attempt([SIGN_UP_PREFIX + network], server.clock(), SIGN_UP_WINDOW)
    return Throttled(SIGN_UP_WINDOW) if count > server.settings.accounts.signups_per_network else None


async def check_password(
    server: AuthorizationServer, account: Account, password: str, network: str
) -> bool | Throttled:
    """Ask a person who is logged in for their password again, before something that matters (G7)."""
    throttled = await count_attempt(server, account.username, network)
    if throttled is not None:
        return throttled
    right = await server.passwords.verify(account.password, password)
    if right and server.settings.login.throttle:
        await server.store.forget_attempts([ACCOUNT_PREFIX + account.canonical])
    return right


async def signed_in(server: AuthorizationServer, token: str) -> SignedIn | None:
    """Who is logged in with this session id; now and then the session's end is moved (G5)."""
    found = await server.store.signed_in(digest(token))
    if found is None:
        return None
    session, account = found
    now, limits = server.clock(), server.settings.session
    if session.expires_at <= now or account.disabled_at is not None:
        return None
    if now - session.last_seen_at > limits.idle // SEEN_STEPS:
        expires_at = min(now + limits.idle, session.created_at + limits.absolute)
        with suppress(Unavailable):  # while nothing can be written, who is logged in may still read
            await server.store.apply((Seen(session.digest, now, expires_at),))
    return SignedIn(session, account)


async def log_out(server: AuthorizationServer, session: Session) -> None:
    """End the session on the server; the cookie is then worth nothing (G3)."""
    await server.store.apply((End(session.account_id, session.digest),))
