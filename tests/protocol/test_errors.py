"""A refusal has a public half and a half that is ours."""

from valetkey.protocol.changes import Revoke
from valetkey.protocol.errors import InvalidGrant


def test_what_a_refusal_carries() -> None:
    plain = InvalidGrant("code_spent", "the code was used before")
    assert (plain.code, plain.reason, plain.description) == ("invalid_grant", "code_spent", str(plain))
    assert (plain.subject, plain.changes) == ("", ())
    whole = InvalidGrant("code_spent", "the code was used before", "code", (Revoke(1, 2),))
    assert (whole.subject, whole.changes) == ("code", (Revoke(1, 2),))
