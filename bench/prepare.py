"""Fill a fresh database through the server layer, and write the requests that load.c will send.

    prepare.py FOLDER ROUNDS CODES      the settings come from the environment, as the server's do

Run by run.py, in the working tree that is measured.
"""

import asyncio
import itertools
import sys
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import wire

from valetkey.protocol.changes import Changes, Hold, Save
from valetkey.protocol.model import (
    REGISTRATION,
    AccessToken,
    Account,
    Authorization,
    AuthorizationCode,
    Client,
    Consent,
    RefreshToken,
    Registration,
)
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.rules import pkce
from valetkey.protocol.rules.digest import digest
from valetkey.server import accounts, clients, login
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.settings import load
from valetkey.web import guard

REDIRECT = "https://rp.test/cb"
VERIFIER = "a-verifier-of-forty-three-characters-or-more"
ACCOUNTS, TOKENS = 16, 1000
AT_ONCE = 256
YEAR = 365 * 24 * 3600


class Preparation:
    """A database that is being filled, and the requests that go with it."""

    def __init__(self, server: AuthorizationServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.host = urlsplit(server.book.issuer).netloc
        self.root_ids = itertools.count(
            server.mint.authorization_id(server.clock())
        )  # so many at once would collide

    async def fill(self, rounds: int, codes: int) -> None:
        """Everything."""
        people = [await self.person(f"user{n}") for n in range(ACCOUNTS)]
        app = await self.app(people[0], "classic")
        strict = await self.app(people[0], "oauth21", Registration(grant_types=("authorization_code",)))
        renewing = await self.app(people[0], "oauth21")
        self.write("empty", [self.get("/nop")])
        await self.bearer(people, app.client)
        await self.introspect(people, strict)
        own = await self.app(people[0], "oauth21", Registration(grant_types=("client_credentials",)))
        shown = {"client_id": own.client.id, "client_secret": own.secret or ""}
        self.write(
            "client-credentials", [self.post("/oauth/token", shown | {"grant_type": "client_credentials"})]
        )
        await self.authorize(people, app.client)
        self.login(people)
        for number in range(rounds):
            await self.exchange(f"exchange-{number}", codes, people, app)
            await self.exchange(f"exchange-oauth21-{number}", codes, people, strict)
            await self.exchange(f"exchange-refresh-{number}", codes, people, renewing)
            await self.refresh(f"refresh-{number}", codes, people, renewing)

    async def app(
        self, owner: Account, profile: str, registered: Registration = REGISTRATION
    ) -> clients.NewClient:
        form = clients.ClientForm(f"bench {profile}", "web", profile, (REDIRECT,), registered=registered)
        return await clients.register(self.server, owner, form)

    async def person(self, name: str) -> Account:
        """Somebody with a profile as people have one."""
        form = accounts.SignUp(name, f"The Real {name.title()}", f"{name}@rp.test", f"password of {name}")
        account = await accounts.sign_up(self.server, form, by_operator=True)
        profile = accounts.ProfileForm(account.full_name, account.email, "A line or two.", "https://rp.test")
        return await accounts.edit_profile(self.server, account, profile)

    async def bearer(self, people: list[Account], client: Client) -> None:
        """Living tokens, each of an authorization of its own."""
        requests, lists = [], []
        for number in range(TOKENS):
            token = self.server.mint.access_token("classic", client.id, self.server.clock())
            root = self.root(people[number % ACCOUNTS], client)
            lists.append((Save(root), Save(AccessToken(digest(token), root, root.granted_at))))
            requests.append(self.get("/v1/users/self?" + urlencode({"access_token": token})))
        await self.apply(lists)
        self.write("bearer", requests)

    async def introspect(self, people: list[Account], app: clients.NewClient) -> None:
        """Living tokens of today, which their app asks about."""
        requests, lists, now = [], [], self.server.clock()
        shown = {"client_id": app.client.id, "client_secret": app.secret or ""}
        for number in range(TOKENS):
            token = self.server.mint.access_token("prefixed", app.client.id, now)
            root = self.root(people[number % ACCOUNTS], app.client)
            lists.append((Save(root), Save(AccessToken(digest(token), root, now, now + YEAR))))
            requests.append(self.post("/oauth/introspect", shown | {"token": token}))
        await self.apply(lists)
        self.write("introspect", requests)

    async def authorize(self, people: list[Account], client: Client) -> None:
        """Browsers that are logged in, of people who have said yes before."""
        requests, now = [], self.server.clock()
        for account in people:
            attempt = login.Attempt(account.username, "", "127.0.0.1", "bench")
            session = await login.open_session(self.server, account, attempt, None)
            await self.server.store.apply((Save(Consent(account.id, client.id, ("basic",), now)),))
            asked = {"client_id": client.id, "redirect_uri": REDIRECT, "response_type": "code"}
            for number in range(4):
                path = "/oauth/authorize/?" + urlencode(asked | {"state": f"state{number}"})
                requests.append(self.get(path, f"Cookie: {guard.SESSION}={session}"))
        self.write("authorize", requests)

    def login(self, people: list[Account]) -> None:
        """The login form as a browser sends it back."""
        requests = []
        for account in people:
            visitor = self.server.mint.text()
            form = {
                "csrf": guard.csrf_for(visitor),
                "next": "/",
                "username": account.username,
                "password": f"password of {account.username}",
            }
            path = "/accounts/login/"
            requests.append(self.post(path, form, f"Cookie: {guard.VISITOR}={visitor}"))
        self.write("login", requests)

    async def exchange(self, name: str, codes: int, people: list[Account], app: clients.NewClient) -> None:
        """Codes that nobody has spent."""
        requests, lists = [], []
        asked = {
            "grant_type": "authorization_code",
            "client_id": app.client.id,
            "client_secret": app.secret or "",
        }
        now, strict = self.server.clock(), app.client.profile == "oauth21"
        for account in people:
            await self.server.store.apply((Save(Consent(account.id, app.client.id, ("basic",), now)),))
        path = "/oauth/token" if strict else "/oauth/access_token"
        asked |= {"code_verifier": VERIFIER} if strict else {"redirect_uri": REDIRECT}
        challenge, form = pkce.s256(VERIFIER) if strict else None, PROFILES[app.client.profile].token_form
        for number in range(codes):
            code = self.server.mint.code(form, self.server.clock())
            root = self.root(people[number % ACCOUNTS], app.client)
            kept = AuthorizationCode(digest(code), root, REDIRECT, root.granted_at + YEAR, challenge)
            held = Hold(root.account_id, root.client_id)
            lists.append((held, Save(root), Save(kept)))
            requests.append(self.post(path, asked | {"code": code}))
        await self.apply(lists)
        self.write(name, requests)

    async def refresh(self, name: str, count: int, people: list[Account], app: clients.NewClient) -> None:
        """Refresh tokens that nobody has used."""
        requests: list[bytes] = []
        kept: list[Save] = []
        asked = {
            "grant_type": "refresh_token",
            "client_id": app.client.id,
            "client_secret": app.secret or "",
        }
        for number in range(count):
            token = self.server.mint.refresh_token(self.server.clock())
            root = self.root(people[number % ACCOUNTS], app.client)
            end = root.granted_at + 30 * 24 * 3600
            kept += (Save(root), Save(RefreshToken(digest(token), root, root.granted_at, end)))
            requests.append(self.post("/oauth/token", asked | {"refresh_token": token}))
        for first in range(0, len(kept), AT_ONCE):
            await self.server.store.apply(tuple(kept[first : first + AT_ONCE]))
        self.write(name, requests)

    def root(self, account: Account, client: Client) -> Authorization:
        return Authorization(next(self.root_ids), account.id, client.id, ("basic",), self.server.clock())

    async def apply(self, lists: list[Changes]) -> None:
        for first in range(0, len(lists), AT_ONCE):
            await asyncio.gather(*map(self.server.store.apply, lists[first : first + AT_ONCE]))

    def get(self, path: str, *headers: str) -> bytes:
        return wire.get(self.host, path, *headers)

    def post(self, path: str, form: dict[str, str], *headers: str) -> bytes:
        return wire.post(self.host, path, form, *headers)

    def write(self, name: str, requests: list[bytes]) -> None:
        wire.write(self.folder / f"{name}.requests", requests)


async def main(folder: str, rounds: str, codes: str) -> None:
    server = assemble(load())
    await server.open()
    try:
        await Preparation(server, Path(folder)).fill(int(rounds), int(codes))
    finally:
        await server.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
