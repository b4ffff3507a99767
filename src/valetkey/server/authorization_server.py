"""AuthorizationServer: everything an endpoint needs, put together once; time, randomness and store are handed in."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.rules.certificate import METHODS
from valetkey.protocol.rules.rulebook import Rulebook
from valetkey.server.client_keys import ClientKeys, PublishedKeys
from valetkey.server.clock import Clock, wall_clock
from valetkey.server.fetch import Fetch, for_strangers, way_out
from valetkey.server.keys import Keys
from valetkey.server.master import Master
from valetkey.server.mint import Mint
from valetkey.server.nonces import Nonces
from valetkey.server.passwords import Passwords
from valetkey.server.tally import Tally
from valetkey.server.usage import Usage
from valetkey.settings import ServerSettings, Settings
from valetkey.store import open_store
from valetkey.store.base import Store


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """One server in one process. Make it with `assemble`, then `open` it, and `close` it at the end.

    Three doors lead out, so that nobody takes another's place: `fetch` to what the operator named, `fetch_app` to what
    apps of accounts did, `fetch_stranger` to what nobody vouches for.
    """

    settings: Settings
    store: Store
    clock: Clock
    mint: Mint
    passwords: Passwords
    book: Rulebook
    usage: Usage
    failures: Tally
    unproven: Tally
    fetch: Fetch
    fetch_app: Fetch
    fetch_stranger: Fetch
    keys: Keys
    issuer_keys: PublishedKeys
    client_keys: ClientKeys
    nonces: Nonces

    async def open(self) -> None:
        """Connect to the database and find the keys. Raises store.base.Unavailable, master.MasterKeyError."""
        await self.store.open()
        await self.keys.open()

    async def close(self) -> None:
        """Write what waits, then let go of the database."""
        await self.fetch.close()
        await self.fetch_app.close()
        await self.fetch_stranger.close()
        await self.usage.close()
        await self.store.close()
        self.passwords.close()


def rulebook(settings: Settings) -> Rulebook:
    """What the rules must know of the settings."""
    return Rulebook(
        profiles=PROFILES,
        default=PROFILES["classic"],
        catalogue=settings.scopes,
        issuer=settings.public_url,
        remember_consent=settings.consent.remember,
        implicit_lifetime=settings.tokens.implicit_lifetime,
        refresh_lifetime=settings.tokens.refresh_lifetime,
        refresh_absolute=settings.tokens.refresh_absolute,
        retry_window=settings.tokens.retry_window,
        trusted_issuers=settings.trusted_issuers,
        acr=settings.login.acr,
        details={kind.type: kind for kind in settings.authorization_details},
        resources={resource.uri: resource for resource in settings.resources},
        registers=settings.joining.mode != "off",
        metadata_documents=settings.joining.metadata_documents,
        by_certificate=by_certificate(settings.server),
        certificate_url=settings.server.client_certificate_url.rstrip("/"),
    )


def by_certificate(settings: ServerSettings) -> frozenset[str]:
    """The methods for which a proxy hands certificates over, and says so of those that it verified (RFC 8705 2)."""
    if not (settings.client_certificate_header and settings.trusted_proxies):
        return frozenset()
    return METHODS if settings.client_certificate_verified_header else METHODS - {"tls_client_auth"}


def assemble(
    settings: Settings,
    store: Store | None = None,
    clock: Clock = wall_clock,
    entropy: Callable[[int], bytes] = os.urandom,
    master: Master | None = None,
) -> AuthorizationServer:
    """A server out of its settings; a test hands in store, time and randomness of its own. The master key that seals
    the server's keys is looked for where docs/operating.md says, unless it is handed in."""
    store = store or open_store(settings.database)
    passwords = Passwords(settings.login.hash_threads, settings.login.hash_queue)
    usage, apps = Usage(store, clock), settings.apps
    failures, unproven = Tally(clock, apps.secret_failures), Tally(clock, apps.unproven_requests)
    fetch, mint = Fetch(way_out(settings.fetch), clock), Mint(entropy)
    fetch_app = Fetch(way_out(settings.fetch), clock)
    fetch_stranger = Fetch(way_out(for_strangers(settings)), clock)
    keys = Keys(settings, store, clock, mint, master)
    nonces = Nonces(keys, clock, settings.dpop.require_nonce)
    client_keys = ClientKeys(fetch_app, fetch_stranger, clock, nonces.good)
    return AuthorizationServer(
        settings,
        store,
        clock,
        mint,
        passwords,
        rulebook(settings),
        usage,
        failures,
        unproven,
        fetch,
        fetch_app,
        fetch_stranger,
        keys,
        PublishedKeys(fetch, clock),
        client_keys,
        nonces,
    )
