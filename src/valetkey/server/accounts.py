"""Accounts: signing up, the profile, the password, what was allowed and what is taken back."""

import asyncio

from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.changes import Change, End, EndAll, Save, Withdraw
from valetkey.protocol.facts import ConnectedApp
from valetkey.protocol.model import Account, Picture, Session
from valetkey.server import names, passwords
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.login import SignedIn
from valetkey.server.pictures import reencoded
from valetkey.server.problems import NotFound, Problems
from valetkey.store.base import Conflict

TURNS = 5


class SignUp(Struct, frozen=True):
    """The sign-up form."""

    username: str
    full_name: str
    email: str
    password: str


class ProfileForm(Struct, frozen=True):
    """The profile form."""

    full_name: str
    email: str
    bio: str
    website: str


async def sign_up(server: AuthorizationServer, form: SignUp, by_operator: bool = False) -> Account:
    """Make an account. Raises Problems. The operator may choose any password that is not empty."""
    form = replace(
        form, username=form.username.strip(), full_name=names.tidy(form.full_name), email=form.email.strip()
    )
    problems = {
        "username": names.why_not_username(form.username),
        "full_name": names.why_not_line(form.full_name, 64),
        "email": names.why_not_email(form.email) if form.email or not by_operator else None,
        "password": why_not_password(server, form, by_operator),
    }
    refuse(problems)
    password = await server.passwords.hash(form.password)
    key = names.canonical(form.username)
    for _ in range(TURNS):
        if await server.store.account_named(key) is not None:
            raise Problems(username="is taken")
        account = Account(
            server.mint.account_id(), form.username, key, form.full_name, form.email, password, server.clock()
        )
        try:
            await server.store.apply((Save(account),))
        except Conflict:
            continue
        return account
    raise Problems(username="is taken")


def why_not_password(server: AuthorizationServer, form: SignUp, by_operator: bool) -> str | None:
    """What is wrong with the password of a sign-up form."""
    if by_operator:
        long = len(form.password.encode()) > passwords.LONGEST_BYTES
        return "is empty" if not form.password else "is longer than 1,000 bytes" if long else None
    context = (form.username, form.email.partition("@")[0], server.settings.name)
    return passwords.why_not(form.password, server.settings.accounts.password_length, context)


async def edit_profile(server: AuthorizationServer, account: Account, form: ProfileForm) -> Account:
    """Save the profile. Raises Problems."""
    full_name, email, website = names.tidy(form.full_name), form.email.strip(), form.website.strip()
    bio = names.tidy(form.bio.replace("\r\n", "\n"))
    problems = {
        "full_name": names.why_not_line(full_name, 64),
        "email": names.why_not_email(email) if email else None,
        "bio": names.why_not_line(bio.replace("\n", " "), 300),
        "website": names.why_not_website(website),
    }
    refuse(problems)
    return await change(server, account.id, full_name=full_name, email=email, bio=bio, website=website)


async def set_picture(server: AuthorizationServer, account: Account, data: bytes) -> Account:
    """Show this picture, once it is decoded and written anew. Raises Problems."""
    name, content = await asyncio.get_running_loop().run_in_executor(None, reencoded, data)
    return await change(server, account.id, (Save(Picture(name, account.id, content)),), picture=name)


async def remove_picture(server: AuthorizationServer, account: Account) -> Account:
    """Show no picture any more."""
    return await change(server, account.id, picture="")


async def change_password(server: AuthorizationServer, who: SignedIn, new: str) -> None:
    """Set a new password; every other session and everything that apps hold ends (G4). Raises Problems.

    The caller has checked the current password with login.check_password.
    """
    account = who.account
    form = SignUp(account.username, account.full_name, account.email, new)
    refuse({"password": why_not_password(server, form, by_operator=False)})
    await set_password(server, account.id, new, keep=who.session.digest)


async def set_password(
    server: AuthorizationServer, account_id: int, new: str, keep: bytes | None = None
) -> None:
    """Set a password and end all sessions but `keep`, and all authorizations."""
    encoded = await server.passwords.hash(new)
    also = (EndAll(account_id, keep), Withdraw(account_id, None, server.clock()))
    await change(server, account_id, also, password=encoded)


async def disable(server: AuthorizationServer, account_id: int) -> Account:
    """Shut an account out: its sessions and what apps hold of it end at once (D10)."""
    now = server.clock()
    return await change(
        server, account_id, (EndAll(account_id), Withdraw(account_id, None, now)), disabled_at=now
    )


async def enable(server: AuthorizationServer, account_id: int) -> Account:
    """Let an account in again; what had ended stays ended."""
    return await change(server, account_id, disabled_at=None)


async def change(
    server: AuthorizationServer, account_id: int, also: tuple[Change, ...] = (), **fields: object
) -> Account:
    """Replace fields of an account, upon whatever stands there now. Raises NotFound."""
    for _ in range(TURNS):
        account = await server.store.account(account_id)
        if account is None:
            raise NotFound
        changed = replace(account, version=account.version + 1, **fields)
        try:
            await server.store.apply((Save(changed), *also))
        except Conflict:
            continue
        return changed
    raise Conflict


async def connected_apps(server: AuthorizationServer, account: Account) -> list[ConnectedApp]:
    """The apps that this account has allowed something."""
    return await server.store.connected_apps(account.id)


async def revoke_app(server: AuthorizationServer, account: Account, client_id: str) -> None:
    """Take back all that was allowed to one app; its codes and tokens are dead for every worker at once (H9)."""
    await server.store.apply((Withdraw(account.id, client_id, server.clock()),))


async def sessions(server: AuthorizationServer, account: Account) -> list[Session]:
    """The browsers in which this account is logged in, the last used first."""
    now = server.clock()
    return [s for s in await server.store.sessions_of(account.id) if s.expires_at > now]


async def end_session(server: AuthorizationServer, account: Account, session_digest: bytes) -> None:
    """Log one browser out; one of another account is left alone."""
    await server.store.apply((End(account.id, session_digest),))


def refuse(problems: dict[str, str | None]) -> None:
    """Raise Problems if there are any."""
    found = {name: words for name, words in problems.items() if words}
    if found:
        raise Problems(**found)
