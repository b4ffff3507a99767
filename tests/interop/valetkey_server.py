"""A running valetkey, as an operator starts it, and the commands that put accounts and apps into it."""

import json
import os
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.program import VALETKEY, Program, free_port


@dataclass(frozen=True)
class Account:
    id: str
    username: str
    full_name: str
    password: str

    def check_told(self, user: dict[str, str]) -> None:
        """What a client was told of its user is this account."""
        assert (user["id"], user["username"], user["full_name"]) == (self.id, self.username, self.full_name)


@dataclass(frozen=True)
class App:
    client_id: str
    client_secret: str | None
    redirect_uri: str


@dataclass(frozen=True)
class Resource:
    """A server that takes our tokens, and the credentials by which it asks about them."""

    uri: str
    client_id: str
    client_secret: str


class ValetkeyServer:
    """`valetkey serve` in a process of its own, on a free port, with an SQLite file and a valetkey.toml in `place`."""

    def __init__(self, place: Path, **settings: str) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._config = place / "valetkey.toml"
        self._config.touch()
        self._log = place / "serve.log"
        self._environment = (
            os.environ
            | settings
            | {
                "VALETKEY_CONFIG": str(self._config),
                "VALETKEY_DATABASE": f"sqlite:///{place / 'interop.db'}",
                "VALETKEY_ISSUER": self.base,
            }
        )

    def start(self) -> None:
        """Serve, from now on."""
        serve = ["serve", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        self._program = Program(self.port, VALETKEY, *serve, log=self._log, env=self._environment)
        self._program.ready("/healthz")

    def stop(self) -> None:
        self._program.stop()

    def add_account(self, username: str, full_name: str) -> Account:
        password = secrets.token_urlsafe(18)
        options = ["--full-name", full_name, "--email", f"{username}@example.org", "--password-stdin"]
        told = self._tell("users", "add", username, *options, stdin=password + "\n")
        return Account(told["id"], told["username"], full_name, password)

    def add_app(
        self,
        owner: Account,
        redirect_uri: str,
        kind: str = "web",
        implicit: bool = False,
        profile: str = "classic",
        said: str = "",
    ) -> App:
        options = ["--owner", owner.username, "--profile", profile]
        options += ["--redirect-uri", redirect_uri] if redirect_uri else []
        options += ["--type", kind] + ["--allow-implicit"] * implicit
        options += ["--set", said] if said else []
        told = self._tell("apps", "add", f"Interop {secrets.token_hex(4)}", *options)
        return App(told["client_id"], told.get("client_secret"), redirect_uri)

    def has_key(self, app: App, jwks: str, file: Path) -> None:
        """From now on the app proves who it is by what it signs, and by nothing else."""
        file.write_text(jwks)
        self._tell("apps", "authenticate", app.client_id, "private_key_jwt", "--jwks", str(file))

    def add_resource(self, owner: Account, uri: str, token_format: str = "opaque") -> Resource:
        """A resource server is named in the settings, so this comes before start()."""
        app = self.add_app(owner, "http://127.0.0.1:9/none", "service", profile="oauth21")
        assert app.client_secret is not None
        table = {"uri": uri, "client": app.client_id, "token_format": token_format}
        with self._config.open("a") as config:
            config.write(
                "".join(["[[resources]]\n", *(f'{key} = "{value}"\n' for key, value in table.items())])
            )
        return Resource(uri, app.client_id, app.client_secret)

    def _tell(self, *words: str, stdin: str = "") -> dict[str, str]:
        command = [VALETKEY, *words, "--json"]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=60, env=self._environment
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        told: dict[str, str] = json.loads(done.stdout)
        return told
