"""OAuthError and the registered error codes (RFC 6749 4.1.2.1, 5.2; RFC 6750, 7591, 8628, 8693, 9101, 9449).

    OAuthError
      InvalidRequest  InvalidClient  InvalidGrant  InvalidScope  UnauthorizedClient
      UnsupportedGrantType  UnsupportedResponseType  AccessDenied  InvalidTarget
      InvalidRequestObject  InvalidRequestUri  InvalidToken  InvalidDpopProof  UseDpopNonce
      InvalidAuthorizationDetails  LoginRequired  ConsentRequired
      UnmetAuthenticationRequirements  InsufficientUserAuthentication
      AuthorizationPending  SlowDown  ExpiredToken
      InvalidRedirectUri  InvalidClientMetadata  InvalidSoftwareStatement  UnapprovedSoftwareStatement

An error has a public half (`code`, `description`) and a half that is ours: `reason`, a stable slug which the operator's
log shows and a profile may put into other words, and `changes`, what must be written although the answer is no.
"""

from typing import ClassVar

from valetkey.protocol.changes import Changes


class OAuthError(Exception):
    """A refusal. Raised inside protocol only; every endpoint's `decide` turns it into a decision."""

    code: ClassVar[str]

    def __init__(self, reason: str, description: str, subject: str = "", changes: Changes = ()) -> None:
        super().__init__(description)
        self.reason = reason
        self.description = description
        self.subject = subject
        self.changes = changes

    def settled(self) -> None:
        """It is a decision now, and where it came up is forgotten: the frames there hold the request, and by way of who
        waits for the decision also the error itself, a circle that would outlive the answer."""
        self.__traceback__ = self.__context__ = self.__cause__ = None


class InvalidRequest(OAuthError):
    """A parameter is missing, malformed or there twice."""

    code = "invalid_request"


class InvalidClient(OAuthError):
    """The client is unknown or did not prove who it is."""

    code = "invalid_client"


class InvalidGrant(OAuthError):
    """The code is unknown, spent, expired or somebody else's."""

    code = "invalid_grant"


class InvalidScope(OAuthError):
    """A scope that the catalogue does not have."""

    code = "invalid_scope"


class UnauthorizedClient(OAuthError):
    """The client may not do this."""

    code = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    """A grant_type that this endpoint does not know."""

    code = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    """A response_type that the client's profile does not know."""

    code = "unsupported_response_type"


class InvalidTarget(OAuthError):
    """The resource or audience is none that the client may ask for (RFC 8707 2, RFC 8693 2.2.2)."""

    code = "invalid_target"


class AccessDenied(OAuthError):
    """The person said no, or may not say yes."""

    code = "access_denied"


class InvalidRequestObject(OAuthError):
    """A request object that is malformed, or not the client's, or not for us (RFC 9101 7)."""

    code = "invalid_request_object"


class AuthorizationPending(OAuthError):
    """The person has not answered the device yet."""

    code = "authorization_pending"


class SlowDown(OAuthError):
    """As before, and the device asks too often."""

    code = "slow_down"


class ExpiredToken(OAuthError):
    """The device_code has expired."""

    code = "expired_token"


class InvalidRequestUri(OAuthError):
    """A request_uri that is not ours, or whose request is gone, used or somebody else's."""

    code = "invalid_request_uri"


class InvalidToken(OAuthError):
    """An access token that is not alive, or not shown as it is bound."""

    code = "invalid_token"


class InvalidDpopProof(OAuthError):
    """A DPoP proof that proves nothing."""

    code = "invalid_dpop_proof"


class UseDpopNonce(OAuthError):
    """A DPoP proof without the nonce that is given out."""

    code = "use_dpop_nonce"


class InvalidRedirectUri(OAuthError):
    """A redirect URI that nobody may register."""

    code = "invalid_redirect_uri"


class InvalidClientMetadata(OAuthError):
    """Something else that a client says of itself cannot be."""

    code = "invalid_client_metadata"


class InvalidSoftwareStatement(OAuthError):
    """A software statement that is none."""

    code = "invalid_software_statement"


class UnapprovedSoftwareStatement(OAuthError):
    """A software statement of somebody whom the operator has not approved."""

    code = "unapproved_software_statement"


class LoginRequired(OAuthError):
    """Somebody would have to log in, and nobody may be asked."""

    code = "login_required"


class ConsentRequired(OAuthError):
    """The person would have to be asked, and may not be."""

    code = "consent_required"


class UnmetAuthenticationRequirements(OAuthError):
    """No login here is as the client wants it."""

    code = "unmet_authentication_requirements"


class InsufficientUserAuthentication(OAuthError):
    """The login behind a token is too old, or not of the kind that this call needs."""

    code = "insufficient_user_authentication"


class InvalidAuthorizationDetails(OAuthError):
    """authorization_details that are malformed, of an unknown type, or more than was allowed."""

    code = "invalid_authorization_details"
