"""Sandbox: an app in development is for its owner and invited testers (features.md F1)."""

from valetkey.protocol.errors import AccessDenied
from valetkey.protocol.model import Account, Client


def check(client: Client, account: Account) -> None:
    """Raises AccessDenied for anybody else."""
    if client.sandbox and account.id != client.owner_id and account.id not in client.testers:
        raise AccessDenied("not_a_tester", "this app is in development and you are not one of its testers")
