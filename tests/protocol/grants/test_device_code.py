"""A device asks whether its person has answered (RFC 8628 3.4, 3.5; D10)."""

import pytest

from tests.protocol.samples import BOOK, NOW, account, authorization, client, device, params
from valetkey.protocol.changes import Changes, Poll, Spend
from valetkey.protocol.decision import Granted, Renewal
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.grants.device_code import DEVICE_CODE, decide
from valetkey.protocol.model import Account, DeviceRequest, Registration, Terms
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.rules.grant import Proven

APP = client(profile="oauth20", registered=Registration(grant_types=(DEVICE_CODE.name,)))
ALLOWED = device(said="allow", authorization=authorization())
PERSON = account()
BOUND = Terms(jkt="key")


def outcome(
    waits: DeviceRequest | None,
    who: Account | None = PERSON,
    sent: str = "vk_dc_x",
) -> Granted | OAuthError:
    facts = ExchangeFacts(APP, account=who, device=waits)
    try:
        return decide(Proven(params(device_code=sent), APP, OAUTH20, facts, BOOK, NOW, BOUND))
    except OAuthError as error:
        return error


@pytest.mark.parametrize("polled_at", [None, NOW, NOW - 1])
def test_an_answered_device_gets_its_token_however_soon_it_asks(polled_at: int | None) -> None:
    waits = device(said="allow", authorization=authorization(), polled_at=polled_at)
    spends = (Spend(DeviceRequest, waits.digest, NOW),)
    assert outcome(waits) == Granted(authorization(), account(), OAUTH20, 3600, spends, BOUND)


def test_who_may_refresh_is_given_a_refresh_token() -> None:
    able = client(registered=Registration(grant_types=("refresh_token",)))
    facts = ExchangeFacts(able, account=account(), device=ALLOWED)
    granted = decide(Proven(params(device_code="x"), able, OAUTH20, facts, BOOK, NOW))
    assert granted.renew == Renewal(BOOK.refresh_lifetime)


@pytest.mark.parametrize(
    ("waits", "who", "code", "reason"),
    [
        (None, account(), "invalid_grant", "device_code_unknown"),
        (device(client_id="b"), account(), "invalid_grant", "device_code_unknown"),  # C5
        (device(said="allow", spent_at=NOW), account(), "invalid_grant", "device_code_spent"),  # C2
        (device(expires_at=NOW), account(), "expired_token", "device_code_expired"),
        (device(expires_at=NOW, said="allow"), account(), "expired_token", "device_code_expired"),
        (device(said="deny"), None, "access_denied", "user_denied"),
        (device(said="allow"), None, "invalid_grant", "device_code_revoked"),
        (ALLOWED, None, "invalid_grant", "device_code_revoked"),
        (ALLOWED, account(disabled_at=NOW), "invalid_grant", "device_code_revoked"),  # D10
        (
            device(said="allow", authorization=authorization(revoked_at=NOW)),
            account(),
            "invalid_grant",
            "device_code_revoked",
        ),
    ],
)
def test_what_ends_it(waits: DeviceRequest | None, who: Account | None, code: str, reason: str) -> None:
    error = outcome(waits, who)
    assert isinstance(error, OAuthError)
    assert (error.code, error.reason, error.changes) == (code, reason, ())


def test_the_code_must_be_sent() -> None:
    error = outcome(ALLOWED, sent="")
    assert isinstance(error, OAuthError)
    assert (error.code, error.reason) == ("invalid_request", "device_code_missing")


@pytest.mark.parametrize(
    ("polled_at", "interval", "code", "changes"),
    [
        (None, 5, "authorization_pending", (Poll(device().digest, NOW, None),)),
        (NOW - 5, 5, "authorization_pending", (Poll(device().digest, NOW, NOW - 5),)),
        (NOW - 4, 5, "authorization_pending", (Poll(device().digest, NOW, NOW - 4),)),  # a second is forgiven
        (NOW - 3, 5, "slow_down", (Poll(device().digest, NOW, NOW - 3, 5),)),
        (NOW, 5, "slow_down", (Poll(device().digest, NOW, NOW, 5),)),
        (NOW + 9, 5, "slow_down", (Poll(device().digest, NOW, NOW + 9, 5),)),  # another clock is ahead
        (NOW - 5, 10, "slow_down", (Poll(device().digest, NOW, NOW - 5, 5),)),
        (NOW - 9, 10, "authorization_pending", (Poll(device().digest, NOW, NOW - 9),)),
    ],
)
def test_every_question_is_counted(polled_at: int | None, interval: int, code: str, changes: Changes) -> None:
    error = outcome(device(polled_at=polled_at, interval=interval), None)
    assert isinstance(error, OAuthError)
    assert (error.code, error.reason, error.changes) == (code, code, changes)


def test_who_asks_too_soon_is_told_how_long_to_wait() -> None:
    error = outcome(device(polled_at=NOW, interval=10), None)
    assert str(error) == "asked too soon; wait 15 seconds from now on"
