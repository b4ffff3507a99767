"""How a client wants its person to be there: silently, logged in anew, asked again (RFC 9470 4; OIDC Core 3.1.2.1)."""

from msgspec import Struct

from valetkey.protocol.errors import InvalidRequest, UnmetAuthenticationRequirements
from valetkey.protocol.model import Session
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules.rulebook import Rulebook

PATIENCE = 3600
LONGEST_AGE = 9  # digits
SILENT = "none"


class Wanted(Struct, frozen=True):
    """silent: nobody may be asked anything; login, consent: they must be; max_age: seconds since their login at most;
    acr: how they must have logged in."""

    silent: bool = False
    login: bool = False
    consent: bool = False
    max_age: int | None = None
    acr: str = ""

    @property
    def dated(self) -> bool:
        """Whether the client wants to know when they logged in."""
        return self.login or self.max_age is not None or bool(self.acr)


NOTHING_WANTED = Wanted()


def read(params: Params, profile: Profile, book: Rulebook) -> Wanted:
    """prompt, max_age and acr_values of a request. Raises InvalidRequest, UnmetAuthenticationRequirements."""
    if not profile.prompts:
        return NOTHING_WANTED
    said = named(params)
    if SILENT in said and len(said) > 1:
        raise InvalidRequest("prompt_none", "prompt=none goes with no other prompt")
    return Wanted(
        silent=SILENT in said,
        login="login" in said,
        consent=not said.isdisjoint({"consent", "select_account"}),  # whose page says who is logged in
        max_age=age(params.get("max_age")),
        acr=level(params.get("acr_values"), book),
    )


def silent(params: Params, profile: Profile) -> bool:
    """Whether nobody may be asked anything, also about what is wrong with the request."""
    return profile.prompts and SILENT in named(params)


def named(params: Params) -> frozenset[str]:
    """The prompts named; those that nobody knows say nothing."""
    return frozenset((params.get("prompt") or "").split(" ")) - {""}


def age(asked: str | None) -> int | None:
    """max_age in seconds. Raises InvalidRequest."""
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdigit()) or len(asked) > LONGEST_AGE:
        raise InvalidRequest("max_age_malformed", "max_age is no number of seconds")
    return int(asked)


def level(asked: str | None, book: Rulebook) -> str:
    """The first of the levels named that a login here reaches. Raises UnmetAuthenticationRequirements (RFC 9470 5)."""
    wanted = [name for name in (asked or "").split(" ") if name]
    reached = next((name for name in wanted if name in book.acr), "")
    if wanted and not reached:
        raise UnmetAuthenticationRequirements("acr_unmet", "no login here reaches any of these acr_values")
    return reached


def login_due(wanted: Wanted, session: Session, asked_at: int, now: int) -> bool:
    """Whether this login is too old, and none since it was asked for; asked_at: 0 if that never was."""
    old = wanted.login or (wanted.max_age is not None and now - session.created_at > wanted.max_age)
    return old and not now - PATIENCE <= asked_at <= session.created_at
