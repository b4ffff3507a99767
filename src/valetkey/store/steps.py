"""Changes become statements: what each writes, and which must find a row lest the whole list be a Conflict."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from valetkey.protocol.changes import (
    AnswerDevice,
    Change,
    Changes,
    Discard,
    Draw,
    End,
    EndAll,
    Expire,
    Extend,
    Hold,
    Once,
    Poll,
    Remove,
    Revoke,
    Save,
    Seen,
    Spend,
    Stands,
    Still,
    Withdraw,
)
from valetkey.protocol.model import (
    NOBODY,
    AccessToken,
    Account,
    Authorization,
    AuthorizationCode,
    Client,
    Consent,
    DeviceRequest,
    Notice,
    Picture,
    PushedRequest,
    RefreshToken,
    SealedSuccessor,
    Session,
    Ticket,
)
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.protocol.sealed_key import SealedKey
from valetkey.store import statements
from valetkey.store.rows import (
    ACCOUNT,
    KEY,
    NOTICE,
    PUSHED,
    REGISTRATION_TOKEN,
    SESSION,
    TICKET,
    bound,
    client_row,
    placed,
    words,
)


class Step(NamedTuple):
    """One statement with its values; `must` says that finding no row is a Conflict, `long` that there may be many."""

    statement: str
    values: tuple[Any, ...]
    must: bool = False
    long: bool = False


def steps_of(changes: Changes) -> list[Step]:
    """The statements of a list of changes: those that may conflict come first, so that a loser has written nothing.

    Raises ValueError as check does.
    """
    found = [step for change in changes for step in _STEPS[type(change)](change)]
    if len(found) > 1:
        found.sort(key=_turn)
    for step in found:
        check(step.values)
    return found


def check(values: Iterable[object]) -> None:
    """Raises ValueError for what no database keeps: text with NUL or lone surrogates, numbers beyond 64 bits."""
    for value in values:
        if value is not None and type(value) is not bytes and not storable(value):
            raise ValueError(
                "a value cannot be stored: text with NUL or lone surrogates, or a number beyond 64 bits"
            )


def storable(value: object) -> bool:
    if isinstance(value, str):
        return "\0" not in value and (value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value))
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _turn(step: Step) -> int:
    return statements.TURNS.get(step.statement, 2)


def _save(change: Save) -> list[Step]:
    return _SAVES[type(change.record)](change.record)


def _save_account(record: Account) -> list[Step]:
    row = tuple(getattr(record, name) for name in ACCOUNT)
    first = Step(statements.NEW_ACCOUNT if record.version == 1 else statements.NEXT_ACCOUNT, row, must=True)
    return [first, Step(statements.SHOW_PICTURE, (record.id, record.picture))]


def _save_client(record: Client) -> list[Step]:
    if record.version == 1:
        return [Step(statements.NEW_CLIENT, client_row(record), must=True)]
    return [Step(statements.NEXT_CLIENT, client_row(record), must=True), Step(statements.NEXT_EDITION, ())]


def _save_key(record: SealedKey) -> list[Step]:
    row = tuple(getattr(record, name) for name in KEY)
    return [Step(statements.NEW_KEY if record.version == 1 else statements.NEXT_KEY, row, must=True)]


def _save_session(record: Session) -> list[Step]:
    return [Step(statements.NEW_SESSION, tuple(getattr(record, name) for name in SESSION), must=True)]


def _save_consent(record: Consent) -> list[Step]:
    said = (words(record.scope), record.granted_at, words(record.refused), placed(record.resource))
    return [Step(statements.PUT_CONSENT, (record.account_id, record.client_id, *said))]


def _save_ticket(record: Ticket) -> list[Step]:
    return [Step(statements.NEW_TICKET, tuple(getattr(record, name) for name in TICKET), must=True)]


def _save_authorization(record: Authorization) -> list[Step]:
    scope, who = words(record.scope), (record.id, record.account_id, record.client_id)
    row = (*who, scope, record.granted_at, record.revoked_at, bound(record.terms))
    return [Step(statements.NEW_AUTHORIZATION, row, must=True)]


def _save_code(record: AuthorizationCode) -> list[Step]:
    root, end = record.authorization.id, record.expires_at
    row = (record.digest, root, record.redirect_uri, end, record.challenge, record.spent_at)
    return [Step(statements.NEW_CODE, row, must=True)]


def _save_token(record: AccessToken) -> list[Step]:
    row = (record.digest, record.authorization.id, record.created_at, record.expires_at, bound(record.terms))
    return [Step(statements.NEW_TOKEN, row, must=True)]


def _save_refresh(record: RefreshToken) -> list[Step]:
    row = (record.digest, record.authorization.id, record.created_at, record.expires_at, bound(record.terms))
    return [Step(statements.NEW_REFRESH, (*row, record.spent_at), must=True)]


def _save_successor(record: SealedSuccessor) -> list[Step]:
    row = (record.digest, record.successor, record.content, record.expires_at, bound(record.terms))
    return [Step(statements.NEW_SUCCESSOR, row, must=True)]


def _save_notice(record: Notice) -> list[Step]:
    return [Step(statements.NEW_NOTICE, tuple(getattr(record, name) for name in NOTICE))]


def _save_pushed(record: PushedRequest) -> list[Step]:
    return [Step(statements.NEW_PUSHED, tuple(getattr(record, name) for name in PUSHED), must=True)]


def _save_device(record: DeviceRequest) -> list[Step]:
    who, scope = (record.digest, record.user_code, record.client_id), words(record.scope)
    waits = (record.expires_at, record.interval, bound(record.terms), record.polled_at)
    root = record.authorization.id if record.authorization else None
    row = (*who, scope, *waits, record.said, record.spent_at, root)
    return [Step(statements.NEW_DEVICE, row, must=True)]


def _save_registration_token(record: RegistrationToken) -> list[Step]:
    row = tuple(getattr(record, name) for name in REGISTRATION_TOKEN)
    return [Step(statements.NEW_REGISTRATION_TOKEN, row, must=True)]


def _save_picture(record: Picture) -> list[Step]:
    return [Step(statements.PUT_PICTURE, (record.account_id, record.name, record.content))]


def _spend(change: Spend) -> list[Step]:
    return [Step(statements.SPENDS[change.kind], (change.at, change.digest), must=True)]


def _poll(change: Poll) -> list[Step]:
    if change.slower:
        return [Step(statements.POLL_SLOWER, (change.at, change.slower, change.digest), must=True)]
    return [Step(statements.POLL, (change.at, change.digest, change.before or 0), must=True)]


def _answer_device(change: AnswerDevice) -> list[Step]:
    root = change.authorization.id if change.authorization else None
    return [Step(statements.ANSWER_DEVICE, (change.said, root, change.digest), must=True)]


def _withdraw(change: Withdraw) -> list[Step]:
    if change.client_id is None:
        return [
            Step(statements.DROP_CONSENTS, (change.account_id,)),
            Step(statements.REVOKE_ALL, (change.at, change.account_id)),
        ]
    pair = (change.account_id, change.client_id)
    ends = [Step(statements.DROP_CONSENT, pair), Step(statements.REVOKE_PAIR, (change.at, *pair))]
    return [*ends, Step(statements.NEXT_EDITION, ())] if change.account_id == NOBODY else ends


def _end_all(change: EndAll) -> list[Step]:
    if change.keep is None:
        return [Step(statements.END_ALL, (change.account_id,))]
    return [Step(statements.END_OTHERS, (change.account_id, change.keep))]


_SAVES: dict[type, Callable[[Any], list[Step]]] = {
    Account: _save_account,
    Client: _save_client,
    Session: _save_session,
    Consent: _save_consent,
    Ticket: _save_ticket,
    Authorization: _save_authorization,
    AuthorizationCode: _save_code,
    AccessToken: _save_token,
    RefreshToken: _save_refresh,
    SealedSuccessor: _save_successor,
    Notice: _save_notice,
    PushedRequest: _save_pushed,
    DeviceRequest: _save_device,
    RegistrationToken: _save_registration_token,
    Picture: _save_picture,
    SealedKey: _save_key,
}
_STEPS: dict[type[Change], Callable[[Any], list[Step]]] = {
    Save: _save,
    Spend: _spend,
    Revoke: lambda change: [Step(statements.REVOKE, (change.at, change.authorization_id))],
    Extend: lambda change: [Step(statements.EXTEND, (change.expires_at, change.digest))],
    Expire: lambda change: [Step(statements.EXPIRE, (change.at, change.digest))],
    Withdraw: _withdraw,
    Hold: lambda change: [Step(statements.HOLD, (change.account_id, change.client_id), must=True)],
    Stands: lambda change: [Step(statements.STANDS, (change.account_id, change.version), must=True)],
    Still: lambda change: [Step(statements.STILL, (change.edition,), must=True)],
    Seen: lambda change: [Step(statements.SEEN, (change.at, change.expires_at, change.session_digest))],
    End: lambda change: [Step(statements.END, (change.session_digest, change.account_id))],
    EndAll: _end_all,
    Remove: lambda change: [
        *(Step(statement, (change.client_id,), long=True) for statement in statements.REMOVE),
        Step(statements.NEXT_EDITION, ()),
    ],
    Poll: _poll,
    AnswerDevice: _answer_device,
    Draw: lambda change: [Step(statements.DRAW, (change.digest, change.at), must=True)],
    Discard: lambda change: [Step(statements.DISCARD, (change.digest,))],
    Once: lambda change: [Step(statements.NEW_ONCE, (change.key, change.until), must=True)],
}
