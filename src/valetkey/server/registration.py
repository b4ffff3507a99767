"""Dynamic registration acts: clients make themselves known, and change or take back what they said (RFC 7591, 7592)."""

from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.changes import Changes, Save
from valetkey.protocol.endpoints import register as rules
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.model import NOBODY, Client
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.protocol.rules import registrable
from valetkey.protocol.rules.client_metadata import Described
from valetkey.protocol.rules.digest import digest
from valetkey.protocol.rules.headers import Headers
from valetkey.server import mint, noted, removal
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.clients import ClientForm, checked, described
from valetkey.server.problems import Problems
from valetkey.server.settle import settle
from valetkey.server.token import Reply

HOUR = 3600
NETWORK, EVERYBODY, AGAIN = "register:network:", "register:all", "register:again:"


class TooMany(Exception):
    """More clients than the operator lets in; perhaps later."""


class Registered(Struct, frozen=True):
    """A client as it is now, with what was minted for it."""

    client: Client
    token: str
    secret: str | None
    changes: Changes


async def register(server: AuthorizationServer, headers: Headers, network: str, body: bytes) -> Reply:
    """A client makes itself known (RFC 7591 3). Raises TooMany, settle.Busy, store.base.Unavailable."""
    limits = server.settings.joining
    try:
        shown = rules.shown(headers)
        rules.check_asked(shown, limits.mode == "open")
        said = rules.read(body, server.book.profiles[limits.profile], server.book)
        form = form_of(server, said, limits.profile)
        if shown is None:
            await count(server, network)
        if (await server.store.self_made())[0] >= limits.most:
            raise TooMany
        made = await settle_in(server, shown, said, form)
    except OAuthError as error:
        return refused(error)
    return answer(server, made, 201)


async def settle_in(
    server: AuthorizationServer, shown: str | None, said: Described, form: ClientForm
) -> Registered:
    """Keep the new client; of an initial access token one use is gone with it. Raises InvalidToken."""

    async def initial(used: frozenset[bytes]) -> RegistrationToken | None:
        return None if shown is None else await server.store.registration_token(digest(shown))

    def decide(found: RegistrationToken | None) -> Registered:
        now = server.clock()
        drawn = () if shown is None else rules.admit(found, now)
        blank = Client(server.mint.client_id(), NOBODY, form.name, form.type, form.profile, (), now)
        made = described_anew(server, blank, said, form, server.mint.registration_token("vk_ra_"))
        return replace(made, changes=(*drawn, *made.changes))

    return await settle(server.store, initial, decide)


def described_anew(
    server: AuthorizationServer, was: Client, said: Described, form: ClientForm, token: str
) -> Registered:
    """The client as it now describes itself: with a secret that is made now if it needs one and has none."""
    now, secret, secrets = server.clock(), None, was.secrets
    if not rules.needs_secret(said):
        secrets = ()
    elif not secrets:
        secret = server.mint.client_secret()
        secrets = (mint.kept(secret, now),)
    fields = described(form) | {
        "secrets": secrets,
        "registered": replace(
            said.registered, registration_token=digest(token), **noted.of_itself(was, form.redirect_uris, now)
        ),
        "lapses_at": was.lapses_at
        or now + server.settings.joining.unused,  # no change of words makes it wanted
    }
    client = replace(was, **fields)
    return Registered(client, token, secret, (Save(client),))


async def read(server: AuthorizationServer, client_id: str, headers: Headers) -> Reply:
    """What is registered, for the client itself (RFC 7592 2.1). Raises store.base.Unavailable."""
    try:
        token = rules.shown(headers)
        client = rules.check_holder(await server.store.client(client_id), token)
    except OAuthError as error:
        return refused(error, client_id)
    return answer(server, Registered(client, token or "", None, ()), 200)


async def update(server: AuthorizationServer, client_id: str, headers: Headers, body: bytes) -> Reply:
    """A client says everything anew (RFC 7592 2.2). Raises TooMany, settle.Busy, store.base.Unavailable."""

    async def look_up(used: frozenset[bytes]) -> Client | None:
        return await server.store.client(client_id)

    def decide(found: Client | None) -> Registered:
        client = rules.check_holder(found, shown)
        said = rules.read_change(body, client, server.book, server.clock())
        form = form_of(server, said, client.profile)
        following = replace(client, version=client.version + 1)
        anew = described_anew(server, following, said, form, shown or "")
        if replace(anew.client, version=client.version) == client:
            return replace(anew, client=client, changes=())  # nobody need read it anew (decision 0008)
        return anew

    try:
        shown = rules.shown(headers)
        rules.check_holder(await server.store.client(client_id), shown)
        await count_change(server, client_id)
        changed = await settle(server.store, look_up, decide)
    except OAuthError as error:
        return refused(error, client_id)
    return answer(server, changed, 200)


async def remove(server: AuthorizationServer, client_id: str, headers: Headers) -> Reply:
    """A client goes, with all it was allowed (RFC 7592 2.3). Raises store.base.Unavailable."""
    try:
        client = rules.check_holder(await server.store.client(client_id), rules.shown(headers), going=True)
    except OAuthError as error:
        return refused(error, client_id)
    await removal.remove(server, client)
    return Reply(204, {}, client_id=client_id)


def form_of(server: AuthorizationServer, said: Described, profile: str) -> ClientForm:
    """What it says as a form like anybody's, checked like anybody's. Raises OAuthError."""
    form = ClientForm(
        said.name, said.type, profile, said.redirect_uris, website=said.website, registered=said.registered
    )
    try:
        return checked(server, form)
    except Problems as problems:
        raise registrable.refusal(problems.fields) from None


async def count(server: AuthorizationServer, network: str) -> None:
    """Count one more client from there, and in all. Raises TooMany."""
    limits = server.settings.joining
    counts = await server.store.attempt([NETWORK + network, EVERYBODY], server.clock(), HOUR)
    if counts[0] > limits.per_network or counts[1] > limits.per_hour:
        raise TooMany


async def count_change(server: AuthorizationServer, client_id: str) -> None:
    """Count one more change: each makes all workers read clients anew (decision 0008). Raises TooMany."""
    (count,) = await server.store.attempt([AGAIN + client_id], server.clock(), HOUR)
    if count > server.settings.joining.changes_per_app:
        raise TooMany


def answer(server: AuthorizationServer, made: Registered, status: int) -> Reply:
    """The client information response."""
    body = rules.told(made.client, server.book, made.token, made.secret)
    return Reply(status, body, client_id=made.client.id)


def refused(error: OAuthError, client_id: str = "") -> Reply:
    """RFC 7591 3.2.2, RFC 6750 3.1."""
    status = 401 if error.code == "invalid_token" else 400
    body: dict[str, object] = {"error": error.code, "error_description": error.description}
    return Reply(status, body, error.reason, client_id)
