"""urn:ietf:params:oauth:grant-type:device_code: a device asks whether its person has answered (RFC 8628 3.4, 3.5)."""

from valetkey.protocol.changes import Poll, Spend
from valetkey.protocol.decision import Granted
from valetkey.protocol.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidGrant,
    InvalidRequest,
    OAuthError,
    SlowDown,
)
from valetkey.protocol.model import DeviceRequest
from valetkey.protocol.rules.grant import Grant, Proven, renewable

SLOWER = 5  # seconds that whoever asks too soon waits longer, from then on (RFC 8628 3.5)
EARLY = 1  # seconds that are forgiven: times are whole seconds here, and networks are not even


def decide(asked: Proven) -> Granted:
    """Until the person has answered, every question is counted, by all workers together."""
    client, now = asked.client, asked.now
    if asked.params.get("device_code") is None:
        raise InvalidRequest("device_code_missing", "device_code is missing")
    device, account = asked.facts.device, asked.facts.account
    if device is None or device.client_id != client.id:
        raise InvalidGrant("device_code_unknown", "the device_code is unknown")
    if device.spent_at is not None:
        raise InvalidGrant("device_code_spent", "the device_code was used before")
    if device.expires_at <= now:
        raise ExpiredToken("device_code_expired", "the device_code has expired; ask for a new one")
    if not device.said:
        raise not_yet(device, now)
    root = device.authorization
    if device.said == "deny":
        raise AccessDenied("user_denied", "the person said no")
    if root is None or account is None or root.revoked_at is not None or account.disabled_at is not None:
        raise InvalidGrant("device_code_revoked", "the authorization was revoked")
    spends, profile = (Spend(DeviceRequest, device.digest, now),), asked.profile
    beside = renewable(asked)
    return Granted(root, account, profile, profile.token_lifetime, spends, asked.sender, renew=beside)


def not_yet(device: DeviceRequest, now: int) -> OAuthError:
    """The person has not answered; the device may ask again, but not at once."""
    before = device.polled_at
    if before is not None and now < before + device.interval - EARLY:
        wait = device.interval + SLOWER
        counted = (Poll(device.digest, now, before, SLOWER),)
        return SlowDown("slow_down", f"asked too soon; wait {wait} seconds from now on", changes=counted)
    counted = (Poll(device.digest, now, before),)
    return AuthorizationPending("authorization_pending", "the person has not answered yet", changes=counted)


DEVICE_CODE = Grant(name="urn:ietf:params:oauth:grant-type:device_code", redeems="device_code", decide=decide)
