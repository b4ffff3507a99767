"""Apps: registering, changing, rotating secrets. What console, admin API and command line all call (D6, D8, D9)."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.changes import Save
from valetkey.protocol.model import (
    GRANT_TYPES,
    PERSONAL,
    REGISTRATION,
    Account,
    Client,
    ClientSecret,
    Notice,
    Registration,
)
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import redirect_uri, registrable, scope
from valetkey.protocol.rules.redirect_uri import why_not_registrable
from valetkey.server import mint, names, noted, removal
from valetkey.server.accounts import refuse
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.problems import NotFound, Problems
from valetkey.store.base import Conflict

TURNS = 5
PUBLIC = ("spa", "native")
TYPES = ("web", *PUBLIC, "service")
MOST_SECRETS = 3
MOST_REDIRECT_URIS = 50
MOST_TESTERS = 100
MOST_NOTICES = 20


class ClientForm(Struct, frozen=True):
    """What a developer says of an app."""

    name: str
    type: str
    profile: str
    redirect_uris: tuple[str, ...]
    description: str = ""
    website: str = ""
    allow_implicit: bool = False
    sandbox: bool = False
    signed_requests: bool = False
    registered: Registration = REGISTRATION


class NewClient(Struct, frozen=True):
    """A registered app and, if it can keep one, its secret: shown this once."""

    client: Client
    secret: str | None


class Verdict(Struct, frozen=True):
    """Whether a redirect_uri may be used under one registered URI, and why in plain words."""

    registered: str
    ok: bool
    words: str


async def register(server: AuthorizationServer, owner: Account, form: ClientForm) -> NewClient:
    """Register an app. Raises Problems."""
    form = checked(server, form)
    if len(await server.store.clients_of(owner.id)) >= server.settings.apps.most_per_owner:
        raise Problems(name="is one app too many; delete one first")
    now = server.clock()
    secret = server.mint.client_secret() if keeps_secret(server, form) else None
    for _ in range(TURNS):
        secrets = (mint.kept(secret, now),) if secret else ()
        client = new_client(server.mint.client_id(), owner.id, form, secrets, now)
        try:
            await server.store.apply((Save(client),))
        except Conflict:
            continue
        return NewClient(client, secret)
    raise Conflict


def keeps_secret(server: AuthorizationServer, form: ClientForm) -> bool:
    """Whether the app proves who it is with a secret of ours: it may, and it has not registered another way."""
    method = form.registered.token_endpoint_auth_method
    methods = (method,) if method else server.book.profiles[form.profile].client_auth
    return form.type not in PUBLIC and any(name.startswith("client_secret_") for name in methods)


def new_client(
    client_id: str, owner_id: int, form: ClientForm, secrets: tuple[ClientSecret, ...], now: int
) -> Client:
    """The record of an app that was not there before."""
    blank = Client(client_id, owner_id, form.name, form.type, form.profile, form.redirect_uris, now, secrets)
    return replace(blank, **described(form))


async def edit(server: AuthorizationServer, owner: Account, client_id: str, form: ClientForm) -> Client:
    """Change an app; its type stays what it was. Raises Problems, NotFound."""
    was = await one(server, owner, client_id)
    form = checked(server, replace(form, type=was.type))

    def said(was: Client) -> dict[str, object]:
        return described(form) | {"registered": noted.upon(was.registered, form.registered)}

    return await change(server, owner, client_id, said)


def form_of(client: Client) -> ClientForm:
    """What its developer has said of an app so far."""
    return ClientForm(**{name: getattr(client, name) for name in ClientForm.__struct_fields__})


async def rotate_secret(server: AuthorizationServer, owner: Account, client_id: str, overlap: int) -> str:
    """A new secret, shown this once; the ones before it live `overlap` seconds more. Raises NotFound, Problems."""
    now, secret = server.clock(), server.mint.client_secret()

    def rotated(was: Client) -> dict[str, object]:
        if not was.confidential:
            raise Problems(secret="is nothing that this type of app can keep")
        before = [s for s in was.secrets if overlap and (s.expires_at is None or s.expires_at > now)]
        ending = [replace(s, expires_at=min(s.expires_at or now + overlap, now + overlap)) for s in before]
        return {"secrets": (mint.kept(secret, now), *ending[: MOST_SECRETS - 1])}

    await change(server, owner, client_id, rotated)
    return secret


async def delete(server: AuthorizationServer, owner: Account, client_id: str) -> None:
    """Delete an app and everything it was ever allowed. Raises NotFound."""
    await removal.remove(server, await one(server, owner, client_id))


async def owned(server: AuthorizationServer, owner: Account) -> list[Client]:
    """The apps of this account."""
    return await server.store.clients_of(owner.id)


async def one(server: AuthorizationServer, owner: Account, client_id: str) -> Client:
    """One app of this account; somebody else's is NotFound, as one that is not there (D9)."""
    client = await server.store.client(client_id)
    if client is None or client.owner_id != owner.id:
        raise NotFound
    return client


async def add_tester(server: AuthorizationServer, owner: Account, client_id: str, username: str) -> Client:
    """Invite an account to an app in development. Raises Problems, NotFound."""
    await one(server, owner, client_id)
    tester = await server.store.account_named(names.canonical(username))
    if tester is None:
        raise Problems(tester="is not the username of anybody here")
    key = tester.id

    def invited(was: Client) -> dict[str, object]:
        if len(was.testers) >= MOST_TESTERS:
            raise Problems(tester=f"would be one too many; {MOST_TESTERS} can be invited")
        return {"testers": tuple(dict.fromkeys((*was.testers, key)))}

    return await change(server, owner, client_id, invited)


async def remove_tester(server: AuthorizationServer, owner: Account, client_id: str, tester: int) -> Client:
    """Take an invitation back. Raises NotFound."""
    return await change(
        server, owner, client_id, lambda was: {"testers": tuple(t for t in was.testers if t != tester)}
    )


async def notices(server: AuthorizationServer, client: Client) -> list[Notice]:
    """What the developer should know of access that we ended, the latest first."""
    return await server.store.notices(client.id, MOST_NOTICES)


async def testers(server: AuthorizationServer, client: Client) -> list[Account]:
    """The accounts invited to an app in development."""
    found = [await server.store.account(tester) for tester in client.testers]
    return [account for account in found if account is not None]


async def change(
    server: AuthorizationServer, owner: Account, client_id: str, fields: Callable[[Client], dict[str, object]]
) -> Client:
    """Replace fields of an app by what follows from what stands there now. Raises NotFound, Conflict."""
    for _ in range(TURNS):
        client = await one(server, owner, client_id)
        changed = replace(client, version=client.version + 1, **fields(client))
        try:
            await server.store.apply((Save(changed),))
        except Conflict:
            continue
        return changed
    raise Conflict


def described(form: ClientForm) -> dict[str, object]:
    """The fields of a client that its form decides."""
    return {name: getattr(form, name) for name in form.__struct_fields__}


def checked(server: AuthorizationServer, form: ClientForm) -> ClientForm:
    """The form, tidied, if it can be accepted. Raises Problems."""
    uris = tuple(dict.fromkeys(uri for uri in form.redirect_uris if uri))
    form = replace(
        form, name=names.tidy(form.name), description=names.tidy(form.description), website=form.website.strip(),
        redirect_uris=uris,
    )  # fmt: skip
    profile, signing = server.book.profiles.get(form.profile), frozenset(server.keys.schedule.algorithms)
    here = (signing, server.book.by_certificate)
    refuse(
        {
            "name": names.why_not_line(form.name, 64, shortest=1),
            "description": names.why_not_line(form.description.replace("\n", " "), 500),
            "website": names.why_not_website(form.website),
            "type": why_not_type(form.type, profile),
            "profile": None if profile else "must be one of " + ", ".join(server.book.profiles),
            "redirect_uris": why_not_uris(form, uris, profile),
            "allow_implicit": why_not_implicit(form, profile is None or "token" in profile.response_types),
            "scope": why_not_scopes(server, form.registered.scope),
            **(registrable.problems(form.type, form.registered, profile, *here) if profile else {}),
        }
    )
    return form


def why_not_type(kind: str, profile: Profile | None) -> str | None:
    """There are four, and a profile may want apps only that prove who they are."""
    if kind not in TYPES:
        return "must be one of " + ", ".join(TYPES)
    return "is nothing that this profile knows" if kind in PUBLIC and not takes_public(profile) else None


def takes_public(profile: Profile | None) -> bool:
    """Whether apps that keep no secret can do anything under this profile."""
    return profile is None or "none" in profile.client_auth or "token" in profile.response_types


def why_not_scopes(server: AuthorizationServer, names: tuple[str, ...]) -> str | None:
    """Only what the catalogue has can ever be asked for."""
    unknown = scope.widened(names, tuple(server.book.catalogue))
    return f"has {unknown[0][:64]!r}, which is not in the catalogue" if unknown else None


def why_not_implicit(form: ClientForm, known: bool) -> str | None:
    """Only a profile that knows the client-side flow can allow it."""
    return "is nothing that this profile knows" if form.allow_implicit and not known else None


def why_not_uris(form: ClientForm, uris: tuple[str, ...], profile: Profile | None) -> str | None:
    """What is wrong with the redirect URIs, the first problem there is; who uses no code needs none (RFC 7591 2)."""
    grants = form.registered.grant_types or GRANT_TYPES.get(form.type, PERSONAL)
    if not uris and "authorization_code" in grants:
        return "are missing: at least one is needed"
    if len(uris) > MOST_REDIRECT_URIS:
        return f"are too many; at most {MOST_REDIRECT_URIS}"
    plain_http = profile is not None and profile.plain_http
    for uri in uris:
        words = why_not_registrable(uri, native=form.type == "native", plain_http=plain_http)
        if uri.startswith("http:") and not takes_public(profile):  # this machine is for apps that run on it
            words = "must start with https://"
        if words:
            return f"cannot have {uri[:100]!r}: it {words}"
    return None


def check_redirect_uri(server: AuthorizationServer, client: Client, given: str) -> list[Verdict]:
    """For the console: what each registered URI says to a redirect_uri."""
    profile = server.book.profiles[client.profile]
    return [
        verdict(registered, given, redirect_uri.matches(client, profile, registered, given))
        for registered in client.redirect_uris
    ]


def verdict(registered: str, given: str, ok: bool) -> Verdict:
    """Why, in words: the first difference."""
    if ok:
        ports = redirect_uri.on_another_port(registered, given)
        another = "on another port of the person's own machine" if ports else "with further query parameters"
        same = "character by character" if given == registered else another
        return Verdict(registered, True, f"the same, {same}")
    at = next((i for i, (a, b) in enumerate(zip(registered, given, strict=False)) if a != b), None)
    if at is not None:
        return Verdict(
            registered,
            False,
            f"differs at character {at + 1}: registered {registered[at]!r}, given {given[at]!r}",
        )
    if len(given) < len(registered):
        return Verdict(registered, False, f"ends too early: {registered[len(given) :]!r} is missing")
    return Verdict(registered, False, f"goes on with {given[len(registered) :][:60]!r}, which may not follow")
