"""Client-id metadata documents act: who a client is, read at the address that it goes by, and kept for a while (L1)."""

from msgspec.structs import replace

from valetkey.protocol.changes import Save
from valetkey.protocol.decision import ErrorPage
from valetkey.protocol.endpoints.authorize import check_stranger
from valetkey.protocol.errors import InvalidClient, InvalidClientMetadata, InvalidRequest, OAuthError
from valetkey.protocol.model import NOBODY, Client
from valetkey.protocol.params import Params
from valetkey.protocol.rules import metadata_document as rules
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.clients import described
from valetkey.server.fetch import Fetched, FetchFailed
from valetkey.server.noted import of_itself
from valetkey.server.registration import form_of
from valetkey.store.base import Conflict

PROFILE = "mcp"
KINDS = ("application/json",)
AGE = 15  # seconds that a document which was no good is not fetched again
HOUR = 3600
IDLE = (
    2 * HOUR
)  # longer than a confirmation screen waits; who comes later has it read again, so the places are soon free
NETWORK = "document:network:"


async def introduce(server: AuthorizationServer, params: Params, network: str) -> ErrorPage | None:
    """Read the document that describes the client of a request, if it goes by one that must be read (again).

    Returns why that came to nothing. Raises store.base.Unavailable.
    """
    client_id = params.get("client_id") or ""
    if not rules.is_address(client_id):
        return None
    if not server.book.metadata_documents:  # one that was let in before is not let in on what it said then
        return ErrorPage(InvalidClient("client_unknown", "the client is unknown"), server.book.default)
    profile, limits = server.book.profiles[PROFILE], server.settings.joining
    wrong = rules.why_not_address(client_id)
    if wrong:
        return ErrorPage(InvalidRequest("document_address", f"client_id {wrong}"), profile)
    if not rules.host_allowed(client_id, limits.allow_hosts, limits.deny_hosts):
        return ErrorPage(
            InvalidRequest("document_refused", "apps published there are not let in here"), profile
        )
    known = await server.store.client(client_id)
    if known is not None and (known.disabled_at is not None or known.registered.fresh_until > server.clock()):
        return None
    try:
        if params.get("request") is None and params.get("request_uri") is None:
            check_stranger(params, profile, server.book)
        if known is None:
            await count(server, network)
        age = AGE if known is None else None  # one that is known is read again as seldom as it says itself
        await keep(server, known, client_id, await server.fetch_stranger(client_id, KINDS, age))
    except FetchFailed:
        error = InvalidClientMetadata("document_unreachable", "the document at client_id cannot be fetched")
        return ErrorPage(error, profile)
    except OAuthError as no:
        return ErrorPage(no, profile)
    return None


async def count(server: AuthorizationServer, network: str) -> None:
    """Count one new document more for this network. Raises InvalidRequest."""
    limits = server.settings.joining
    [asked] = await server.store.attempt([NETWORK + network], server.clock(), HOUR)
    full = (await server.store.self_made())[1] >= limits.most_documents
    if full or asked > limits.documents_per_network:
        raise InvalidRequest("documents_many", "too many apps made themselves known; please try again later")


async def keep(server: AuthorizationServer, known: Client | None, client_id: str, found: Fetched) -> None:
    """Keep what the document says, over what it said before. Raises OAuthError."""
    profile, now = server.book.profiles[PROFILE], server.clock()
    try:
        said = rules.read(found.body, client_id, profile, frozenset(server.book.catalogue))
        form = form_of(server, said, PROFILE)
    except OAuthError as error:
        raise InvalidClientMetadata("document_bad", error.description) from None
    was = known or Client(client_id, NOBODY, form.name, form.type, PROFILE, (), now, version=0)
    fields = described(form) | {
        "registered": replace(
            said.registered, fresh_until=found.until, **of_itself(was, form.redirect_uris, now)
        ),
        "lapses_at": now + IDLE,
        "version": was.version + 1,
    }
    following = replace(was, **fields)
    if says_the_same(was, following) and (was.lapses_at or now) > now + HOUR:
        return  # nobody need read it anew (decision 0008)
    try:
        await server.store.apply((Save(following),))
    except Conflict:
        return  # another worker has read it meanwhile


def says_the_same(was: Client, following: Client) -> bool:
    """Whether a document says what it said before, at another time."""
    times = {"fresh_until": was.registered.fresh_until}
    same = {"version": was.version, "lapses_at": was.lapses_at}
    return was == replace(following, registered=replace(following.registered, **times), **same)
