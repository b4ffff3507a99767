"""What an endpoint's `decide` returns: a value that carries its writes, also when it refuses."""

from msgspec import Struct

from valetkey.protocol.changes import Changes
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.model import TERMS, Account, Authorization, Client, SealedSuccessor, Terms
from valetkey.protocol.profile import Profile


class Renewal(Struct, frozen=True):
    """The refresh token that is given beside an access token: how long it lives, and what it is bound to.

    The answer is kept until `retry_until` for who does not hear it, sealed under the refresh token handed in.
    """

    lifetime: int
    terms: Terms = TERMS
    retry_until: int | None = None


class Granted(Struct, frozen=True):
    """Token endpoint: yes. The server mints a token for the authorization; it lives `lifetime` seconds or for ever.

    `terms` narrow and bind the token; `renew` asks for a refresh token beside it, `beside` for the one in this seal;
    `new` says that the authorization is only being made: the server gives it its id and keeps it; `jwt` is the
    form of the token.
    """

    authorization: Authorization
    account: Account | None
    profile: Profile
    lifetime: int | None
    changes: Changes
    terms: Terms = TERMS
    renew: Renewal | None = None
    new: bool = False
    issued_token_type: str = ""
    beside: SealedSuccessor | None = None
    jwt: bool = False


class Repeated(Struct, frozen=True):
    """Token endpoint: yes, with the answer that was given before, since the same is asked for (decision 0026)."""

    successor: SealedSuccessor
    profile: Profile
    changes: Changes


class Pushed(Struct, frozen=True):
    """Pushed requests: yes. The server mints a request_uri for this query; it can be used for `lifetime` seconds."""

    client: Client
    query: bytes
    lifetime: int
    changes: Changes


class Refused(Struct, frozen=True):
    """Token endpoint, and every other that clients authenticate at: no."""

    error: OAuthError
    profile: Profile

    def __post_init__(self) -> None:
        self.error.settled()

    @property
    def changes(self) -> Changes:
        """What must be written although the answer is no (a replayed code ends its tokens)."""
        return self.error.changes


class ErrorPage(Struct, frozen=True):
    """Authorization endpoint: shown to the person and never redirected (RFC 6749 4.1.2.1)."""

    error: OAuthError
    profile: Profile
    client: Client | None = None
    changes: Changes = ()

    def __post_init__(self) -> None:
        self.error.settled()


class Refuse(Struct, frozen=True):
    """Authorization endpoint: no, told to the client at its trusted redirect_uri. `signs`: as in Answer."""

    location: str
    reason: str
    client: Client
    changes: Changes = ()
    signs: str = ""


class AskLogin(Struct, frozen=True):
    """Authorization endpoint: who is there? Ask again with a session; with one that began at `asked_at` or later, if
    that is set."""

    client: Client
    redirect_uri: str
    changes: Changes = ()
    asked_at: int = 0


class Choice(Struct, frozen=True):
    """What a person may leave out of what is asked, and which of it is not ticked beforehand."""

    optional: tuple[str, ...] = ()
    unticked: tuple[str, ...] = ()


NO_CHOICE = Choice()


class AskConsent(Struct, frozen=True):
    """Authorization endpoint: ask the person; `new` is what they have not said yes to before, `resource` the servers of
    others that it is for."""

    client: Client
    developer: str
    account: Account
    redirect_uri: str
    scope: tuple[str, ...]
    new: tuple[str, ...]
    lifetime: int | None
    choice: Choice = NO_CHOICE
    changes: Changes = ()
    details: str = ""
    resource: tuple[str, ...] = ()


class Answer(Struct, frozen=True):
    """Authorization endpoint: yes. The server mints what `issues` names and puts it where `response_type` says.

    `signs` is the redirect_uri if what goes behind it must be one signed JWT (JARM); `named`: whether the request named
    it, so that the token request must name it again (RFC 6749 4.1.3).
    """

    client: Client
    account: Account
    profile: Profile
    response_type: str
    redirect_uri: str
    state: str
    scope: tuple[str, ...]
    challenge: str | None
    lifetime: int | None
    changes: Changes = ()
    terms: Terms = TERMS
    signs: str = ""
    named: bool = True


class DeviceWaits(Struct, frozen=True):
    """Device authorization endpoint: yes. The server mints both codes, and keeps the request until it is answered."""

    client: Client
    scope: tuple[str, ...]
    changes: Changes = ()
    terms: Terms = TERMS


class DeviceUnknown(Struct, frozen=True):
    """Device page: there is nothing to answer under this code (any more), or not for this person."""

    error: OAuthError
    changes: Changes = ()

    def __post_init__(self) -> None:
        self.error.settled()


class AskDevice(Struct, frozen=True):
    """Device page: ask the person whether this device may in."""

    client: Client
    developer: str
    account: Account
    user_code: str
    scope: tuple[str, ...]
    lifetime: int | None
    choice: Choice = NO_CHOICE
    changes: Changes = ()
    details: str = ""
    resource: tuple[str, ...] = ()


class DeviceAnswered(Struct, frozen=True):
    """Device page: the person has answered; an authorization of `scope` is made for the device unless they said no."""

    client: Client
    account: Account
    digest: bytes
    said: str
    scope: tuple[str, ...]
    changes: Changes = ()
    terms: Terms = TERMS


AuthorizeDecision = ErrorPage | Refuse | AskLogin | AskConsent | Answer
TokenDecision = Granted | Repeated | Refused
DeviceDecision = DeviceUnknown | AskDevice | DeviceAnswered
PushDecision = Pushed | Refused
