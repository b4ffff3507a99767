"""`valetkey conformance setup`: a person, the plans' clients and the files that the suite reads, in one go."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from valetkey.cli.terminal import Refused, Terminal, shared

if TYPE_CHECKING:
    from valetkey.cli.conformance.suite import Jwk, Person, Place, Plan
    from valetkey.protocol.model import Account
    from valetkey.server.authorization_server import AuthorizationServer

SUITE = "https://localhost.emobix.co.uk:8443/"  # what the suite calls itself on a developer's machine
NAMED = "Conformance: "
ALGORITHMS = ("PS256", "ES256")  # the first RSA, so that the modules about RS256 can be run


@click.group()
def conformance() -> None:
    """The OpenID Foundation's conformance suite."""


@conformance.command("setup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--suite", default=SUITE, show_default=True, metavar="URL", help="Where the suite runs.")
@click.option("--alias", default="valetkey", show_default=True, help="The suite's name for this server.")
@shared
def setup(terminal: Terminal, folder: Path, suite: str, alias: str) -> None:
    """Register the clients of the FAPI 2.0 plans and write what the suite must be told into FOLDER.

    Two accounts are made for it, or given new passwords; what an earlier setup registered is replaced.
    """
    from valetkey.cli.conformance.suite import PLANS, Place

    settings = terminal.settings()
    if not settings.public_url.startswith("https://"):
        raise Refused("issuer: must start with https://, or the suite refuses it; set it first", exit_code=2)

    async def work(server: "AuthorizationServer") -> dict[str, Any]:
        owner, says_yes = await made_person(server, "conformance-yes")
        _, says_no = await made_person(server, "conformance-no")
        place = Place(settings.public_url, suite, alias, says_yes, says_no)
        return {plan.name: await registered(server, owner, place, plan) for plan in PLANS}

    written = terminal.act(work, settings)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name, said in written.items():
        write(folder / f"{name}.json", said)
    runs = [f"'{run}' {folder / plan.name}.json" for plan in PLANS for run in plan.runs]
    files = [str(folder / f"{name}.json") for name in written]
    lines = ["python3 scripts/run-test-plan.py \\", *(f"  {run} \\" for run in runs[:-1]), f"  {runs[-1]}"]
    terminal.note("In the suite's own folder:")
    terminal.show({"files": files, "runs": runs}, *lines)


async def made_person(server: "AuthorizationServer", username: str) -> "tuple[Account, Person]":
    """An account with a new password and none of our apps. Raises Problems."""
    from valetkey.cli.conformance.suite import Person
    from valetkey.server import accounts, clients
    from valetkey.server.names import canonical

    person = Person(username, server.mint.client_secret())
    known = await server.store.account_named(canonical(username))
    if known is None:
        form = accounts.SignUp(username, "Conformance Suite", "", person.password)
        return await accounts.sign_up(server, form, by_operator=True), person
    await accounts.set_password(server, known.id, person.password)
    for client in await server.store.clients_of(known.id):
        if client.name.startswith(NAMED):
            await clients.delete(server, known, client.id)
    return known, person


async def registered(
    server: "AuthorizationServer", owner: "Account", place: "Place", plan: "Plan"
) -> dict[str, Any]:
    """The plan's two clients, in the database and as the suite is told. Raises Problems."""
    from valetkey.cli.conformance.suite import SECOND_QUERY, configuration

    redirect_uris = (place.callback, place.callback + SECOND_QUERY)
    clients = [await made_client(server, owner, redirect_uris, plan, alg) for alg in ALGORITHMS]
    return configuration(place, plan, clients)


async def made_client(
    server: "AuthorizationServer", owner: "Account", redirect_uris: tuple[str, ...], plan: "Plan", alg: str
) -> "tuple[str, Jwk]":
    """A client that authenticates by private_key_jwt, and its private key. Raises Problems."""
    from valetkey.cli.conformance.suite import private_jwk
    from valetkey.protocol.model import Registration
    from valetkey.server import clients, key_pairs

    _, public, private = key_pairs.make(alg)
    form = clients.ClientForm(f"{NAMED}{plan.name} {alg}", "web", "fapi2", redirect_uris)
    made = await clients.register(server, owner, form)
    said = Registration(
        token_endpoint_auth_method="private_key_jwt",
        jwks=f'{{"keys":[{public}]}}',
        require_signed_request_object=plan.signed,
        authorization_details_types=("account_information",),
    )
    fields: dict[str, object] = {"registered": said, "secrets": ()}
    await clients.change(server, owner, made.client.id, lambda _: fields)
    return made.client.id, private_jwk(json.loads(public), private)


def write(file: Path, said: dict[str, Any]) -> None:
    """A configuration holds private keys and a password: for its owner's eyes."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as opened:
        json.dump(said, opened, indent=2)
        opened.write("\n")
