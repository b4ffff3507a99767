"""The page where a person answers a device (RFC 8628 3.3, 5.4; C21)."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.protocol.samples import ALLOW, BOOK, DENY, ISSUER, NOW, account, client, consent, device, session
from valetkey.protocol.changes import Changes, Hold, Save
from valetkey.protocol.decision import AskDevice, Choice, DeviceAnswered, DeviceUnknown
from valetkey.protocol.endpoints.device import decide
from valetkey.protocol.facts import AuthorizeFacts
from valetkey.protocol.grants.device_code import DEVICE_CODE
from valetkey.protocol.model import Consent, DeviceRequest, Registration, Terms
from valetkey.protocol.rules.consent import Said

APP = client(profile="oauth20", registered=Registration(grant_types=(DEVICE_CODE.name,)))
FACTS = AuthorizeFacts(APP, "Dev", session(), account())


def knowing(**more: Any) -> AuthorizeFacts:
    return replace(FACTS, **more)


@pytest.mark.parametrize("facts", [FACTS, knowing(consent=consent("basic", "likes"))])
def test_the_person_is_asked_whatever_they_allowed_before(facts: AuthorizeFacts) -> None:
    asks = AskDevice(APP, "Dev", account(), "WDJBMJHT", ("basic", "likes"), 3600)
    assert decide(device(), facts, None, BOOK, NOW) == asks


@pytest.mark.parametrize(
    ("facts", "said", "changes"),
    [
        (FACTS, DENY, ()),
        (knowing(consent=consent("basic")), DENY, ()),
        (FACTS, ALLOW, (Save(Consent(1, "app", ("basic", "likes"), NOW)),)),
        (
            knowing(consent=consent("comments")),
            ALLOW,
            (Hold(1, "app"), Save(Consent(1, "app", ("comments", "basic", "likes"), NOW))),
        ),
    ],
)
def test_what_an_answer_writes(facts: AuthorizeFacts, said: Said, changes: Changes) -> None:
    words, scope = ("allow", ("basic", "likes")) if said.allowed else ("deny", ())
    answered = DeviceAnswered(APP, account(), device().digest, words, scope, changes)
    assert decide(device(), facts, said, BOOK, NOW) == answered


def test_where_and_for_what_a_device_asks() -> None:
    """RFC 8707, 9396, whatever was allowed at other servers before (RFC 8628 5.4)."""
    waits = device(terms=Terms(resource=("https://a.test/", ISSUER), details='[{"type":"x"}]'))
    known = knowing(consent=consent("basic", resource=("https://b.test/",)))
    asks = decide(waits, known, None, BOOK, NOW)
    assert isinstance(asks, AskDevice) and asks.resource == ("https://a.test/",)
    assert asks.details == waits.terms.details
    answered = decide(waits, known, ALLOW, BOOK, NOW)
    there = (("https://b.test/", ("basic",)), ("https://a.test/", ("basic", "likes")))
    kept = Consent(1, "app", ("basic", "likes"), NOW, (), there)
    assert answered.changes == (Hold(1, "app"), Save(kept))
    assert isinstance(answered, DeviceAnswered) and answered.terms == waits.terms


def test_what_is_optional_may_be_left_out() -> None:
    app = replace(APP, registered=replace(APP.registered, optional_scope=("likes",)))
    known = knowing(client=app, consent=consent("basic", "likes"))
    asked = decide(device(), known, None, BOOK, NOW)
    assert isinstance(asked, AskDevice) and asked.choice == Choice(("likes",))
    left_out = replace(known, consent=consent("basic", refused=("likes", "comments")))
    asked = decide(device(), left_out, None, BOOK, NOW)
    assert isinstance(asked, AskDevice) and asked.choice == Choice(("likes",), ("likes",))
    answered = decide(device(), left_out, Said(True, frozenset({"likes"})), BOOK, NOW)
    assert answered.changes == (Hold(1, "app"), Save(Consent(1, "app", ("basic", "likes"), NOW)))
    answered = decide(device(), known, ALLOW, BOOK, NOW)
    assert isinstance(answered, DeviceAnswered) and answered.scope == ("basic",)
    assert answered.changes == (Hold(1, "app"), Save(Consent(1, "app", ("basic",), NOW, ("likes",))))
    nothing = decide(device(scope=("likes",)), known, ALLOW, BOOK, NOW)
    assert isinstance(nothing, DeviceAnswered) and (nothing.said, nothing.changes) == ("deny", ())


@pytest.mark.parametrize("said", [None, ALLOW, DENY])
@pytest.mark.parametrize(
    ("waits", "facts", "reason"),
    [
        (None, AuthorizeFacts(session=session(), account=account()), "user_code_unknown"),
        (device(expires_at=NOW), FACTS, "user_code_expired"),
        (device(said="allow"), FACTS, "user_code_answered"),
        (device(said="deny"), FACTS, "user_code_answered"),
        (device(), knowing(client=None), "user_code_unknown"),
        (device(), knowing(client=client(disabled_at=NOW)), "user_code_unknown"),  # D10
        (device(), knowing(session=None), "session_ended"),
        (device(), knowing(session=session(NOW)), "session_ended"),
        (device(), knowing(account=account(disabled_at=NOW)), "session_ended"),
        (device(), knowing(client=client(sandbox=True)), "not_a_tester"),
    ],
)
def test_there_is_nothing_to_answer(
    waits: DeviceRequest | None, facts: AuthorizeFacts, reason: str, said: Said | None
) -> None:
    decision = decide(waits, facts, said, BOOK, NOW)
    assert isinstance(decision, DeviceUnknown)
    assert (decision.error.reason, decision.changes) == (reason, ())


def test_what_the_device_asked_for_goes_into_the_authorization() -> None:
    terms = Terms(resource=("https://a.test/",))
    answered = decide(device(terms=terms), FACTS, ALLOW, BOOK, NOW)
    assert isinstance(answered, DeviceAnswered) and answered.terms == terms
