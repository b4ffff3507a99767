"""The facts: what an endpoint must know before it decides, all of it from one look-up."""

from msgspec import Struct

from valetkey.protocol.model import (
    AccessToken,
    Account,
    Authorization,
    AuthorizationCode,
    Client,
    Consent,
    DeviceRequest,
    PushedRequest,
    RefreshToken,
    SealedSuccessor,
    Session,
)


class AuthorizeFacts(Struct, frozen=True):
    """What the authorization endpoint must know; `keys` is the client's JWKS, for a request object; `asked_at`, when we
    asked for a login for this request; `signs`, whether we have a key to sign this client's answers with."""

    client: Client | None = None
    developer: str = ""
    session: Session | None = None
    account: Account | None = None
    consent: Consent | None = None
    pushed: PushedRequest | None = None
    keys: str = ""
    asked_at: int = 0
    signs: bool = True


class Known(Struct, frozen=True):
    """What proofs are held against: the client's JWKS as text, which of their one-time ids were used before, and the
    nonces that count, if any must be shown."""

    keys: str = ""
    used: frozenset[bytes] = frozenset()
    nonces: tuple[str, ...] = ()


NOTHING_KNOWN = Known()


class BearerFacts(Struct, frozen=True):
    """What an API call must know: the token shown, whose it is (an app's own is nobody's), whose app holds it, and a
    time it was used at."""

    token: AccessToken
    account: Account | None
    client: Client
    used_at: int | None = None

    def ended(self, now: int) -> str:
        """Why the token is dead, as a slug; empty while it lives (RFC 7662 2.2)."""
        token, root = self.token, self.token.authorization
        if token.expires_at is not None and token.expires_at <= now:
            return "token_expired"
        if root.revoked_at is not None:
            return "token_revoked"
        off = self.client.disabled_at is not None or (self.account and self.account.disabled_at is not None)
        return "token_disabled" if off else ""


class ExchangeFacts(Struct, frozen=True):
    """What the token endpoint must know: the client named, what it hands in, the account which that speaks for; `own`
    is what the client is granted for itself. `signs` as above, for what is pushed. With `edition` all this was read
    before, when the store was at that edition (changes.Still)."""

    client: Client | None = None
    code: AuthorizationCode | None = None
    account: Account | None = None
    refresh: RefreshToken | None = None
    successor: SealedSuccessor | None = None
    device: DeviceRequest | None = None
    known: Known = NOTHING_KNOWN
    subject: BearerFacts | None = None
    actor: BearerFacts | None = None
    consent: Consent | None = None
    issuer_keys: str = ""
    own: Authorization | None = None
    signs: bool = True
    edition: int | None = None


class ConnectedApp(Struct, frozen=True):
    """One line of the connected-apps page; `ended_at` is when we last ended what it had (model.Notice); `resource`, the
    servers beside our own API for which they were asked."""

    client: Client
    developer: str
    scope: tuple[str, ...]
    since: int
    last_used: int | None = None
    ended_at: int | None = None
    resource: tuple[str, ...] = ()
