"""The device authorization endpoint (RFC 8628 3.1): which device asks, for what, and may its client?"""

from msgspec import Struct

from valetkey.protocol.changes import Changes
from valetkey.protocol.client_auth import authenticate
from valetkey.protocol.decision import DeviceWaits, Refused
from valetkey.protocol.errors import OAuthError, UnauthorizedClient
from valetkey.protocol.facts import Known
from valetkey.protocol.grants.device_code import DEVICE_CODE
from valetkey.protocol.model import Client, Terms
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import credentials, details, residence, resource
from valetkey.protocol.rules import scope as scopes
from valetkey.protocol.rules.credentials import Credentials
from valetkey.protocol.rules.headers import Headers
from valetkey.protocol.rules.rulebook import Rulebook


class DeviceAuthorizationRequest(Struct, frozen=True):
    """A device's request that says who must be looked up; `profile` is the one whose endpoint this is."""

    params: Params
    shown: Credentials
    profile: Profile


def read(params: Params, query: Params, headers: Headers, profile: Profile) -> DeviceAuthorizationRequest:
    """The body, the query string and the headers as one typed request. Raises OAuthError."""
    credentials.check_place(params, query)
    return DeviceAuthorizationRequest(params, credentials.read(params, headers, profile), profile)


def decide(
    request: DeviceAuthorizationRequest, named: Client | None, proofs: Known, book: Rulebook, now: int
) -> DeviceWaits | Refused:
    """DeviceWaits or Refused, under the rules of the client's own profile if it lives at this endpoint."""
    known, profile = residence.at(request.profile, named, book)
    written: Changes = ()
    try:
        client, written = authenticate(known, request.shown, proofs, book, now)
        if DEVICE_CODE.name not in profile.grants or DEVICE_CODE.name not in client.grant_types:
            raise UnauthorizedClient("grant_type_forbidden", "this client may not use the device flow")
        scope = scopes.read(request.params.get("scope"), profile.always_scope, book.catalogue)
        scopes.check_registered(scope, client)
        servers = resource.read(request.params, profile, book)
        terms = Terms(resource=servers, details=details.read(request.params, client, profile, book))
    except OAuthError as error:
        error.changes = written
        return Refused(error, profile)
    return DeviceWaits(client, scope, written, terms)
