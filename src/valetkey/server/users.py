"""The API calls of the origin act: whose token, what may be shown, how many calls are left (classic.md 4)."""

from msgspec import Struct

from valetkey.protocol.endpoints import users as rules
from valetkey.protocol.endpoints.users import Denied
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.facts import BearerFacts, Known
from valetkey.protocol.model import TERMS, Account
from valetkey.protocol.params import parse
from valetkey.protocol.rules.dpop import Call
from valetkey.protocol.rules.headers import Headers
from valetkey.protocol.rules.lifetime import held
from valetkey.protocol.rules.sender import Shown
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.pictures import picture_url
from valetkey.server.settle import settle

LARGEST_ID = 2**63


class ApiCall(Struct, frozen=True):
    """A call as it came: GET or HEAD of a path, about whom, with the query and what its headers say."""

    method: str
    path: str
    who: str
    query: bytes
    headers: Headers


class ApiAnswer(Struct, frozen=True):
    """Status, JSON body and what is left of the hour's calls; `reason` is for the operator's log, `challenge` and
    `nonce` are for headers of the answer."""

    status: int
    body: dict[str, object]
    limit: int
    remaining: int
    reason: str = ""
    challenge: str = ""
    nonce: str = ""


async def user(server: AuthorizationServer, call: ApiCall) -> ApiAnswer:
    """GET /v1/users/{who}. Raises settle.Busy, store.base.Unavailable."""
    who = call.who
    nonce = server.nonces.current() if call.headers.dpop is not None else ""
    limit = remaining = server.settings.api.rate_limit
    now = server.clock()
    try:
        request = read(call)
        known = held(await server.store.bearer_facts(request.digest), server.book)
        facts, holder = rules.decide(request, known, f"/users/{who}", now)
        rules.check_audience(request.shown, facts.token, server.book.issuer)
        rules.check_place(request, server.book.profiles[facts.client.profile])
        if facts.token.terms is not TERMS or request.shown.scheme == "dpop":
            await check_sender(server, call, request.shown, facts)
        check_login(server, request.shown, facts)
        limit = facts.client.rate_limit or limit
        counted = server.usage.count(facts, limit)
        count = counted if isinstance(counted, int) else await counted
        remaining = max(0, limit - count)
        if count > limit:
            raise rules.rate_limited(limit)
        account: Account | None = holder
        if who != "self" and who != str(holder.id):
            account = await other(server, who)
        if account is None or account.disabled_at is not None:
            raise rules.no_such_user()
    except Denied as no:
        return ApiAnswer(no.status, no.body, limit, remaining, no.reason, no.challenge, nonce)
    return ApiAnswer(200, profile_of(server, account), limit, remaining, nonce=nonce)


def check_login(server: AuthorizationServer, shown: Shown, facts: BearerFacts) -> None:
    """The login behind the token does, where apps can ask for another. Raises Denied."""
    wanted = server.settings.api
    if (wanted.acr_values or wanted.max_age) and server.book.profiles[facts.client.profile].prompts:
        rules.check_login(shown, facts.token, wanted.acr_values, wanted.max_age, server.clock())


async def check_sender(
    server: AuthorizationServer, call: ApiCall, shown: Shown, facts: BearerFacts
) -> rules.Accepted:
    """Who calls holds what the token is bound to; a proof is used up, in all workers. Raises Denied."""
    algorithms = server.book.profiles[facts.client.profile].assertions.algorithms
    made = Call(call.method, server.book.issuer + call.path, algorithms, shown.token)

    async def known(used: frozenset[bytes]) -> Known:
        return Known("", used, server.nonces.good())

    def decide(known: Known) -> rules.Accepted:
        return rules.check_sender(shown, facts, made, known, server.clock())

    return await settle(server.store, known, decide)


def read(call: ApiCall) -> rules.ApiRequest:
    """The call as a typed request. Raises Denied."""
    try:
        return rules.read(parse(call.query, repeated="sig"), call.headers)
    except OAuthError as error:
        raise rules.bad_parameters(error.description) from None


async def other(server: AuthorizationServer, who: str) -> Account | None:
    """Another account, by its decimal id."""
    if not (who.isascii() and who.isdigit()) or len(who) > 19 or int(who) >= LARGEST_ID:
        return None
    return await server.store.account(int(who))


def profile_of(server: AuthorizationServer, account: Account) -> dict[str, object]:
    """What an API call shows of an account. The platform has the counts; valetkey itself keeps no media."""
    data = {
        "id": str(account.id),
        "username": account.username,
        "full_name": account.full_name,
        "profile_picture": picture_url(server, account),
        "bio": account.bio,
        "website": account.website,
        "counts": {"media": 0, "follows": 0, "followed_by": 0},
    }
    return {"meta": {"code": 200}, "data": data}
