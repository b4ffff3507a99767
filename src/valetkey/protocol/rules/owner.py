"""The resource owner: who is logged in, and may they use this app? (RFC 6749 3.1)"""

from valetkey.protocol.errors import AccessDenied
from valetkey.protocol.facts import AuthorizeFacts
from valetkey.protocol.model import Account, Client


def living_account(facts: AuthorizeFacts, now: int) -> Account | None:
    """Who is logged in, if the session and the account are alive."""
    session, account = facts.session, facts.account
    if session is None or account is None or session.expires_at <= now or account.disabled_at is not None:
        return None
    return account


def check_sandbox(client: Client, account: Account) -> None:
    """An app in development is for its owner and invited testers. Raises AccessDenied."""
    if client.sandbox and account.id != client.owner_id and account.id not in client.testers:
        raise AccessDenied("not_a_tester", "this app is in development and you are not one of its testers")
