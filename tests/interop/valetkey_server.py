"""A running valetkey, as an operator starts it, and the commands that put accounts and apps into it."""

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

DEADLINE = 30.0  # seconds until /healthz must have answered


@dataclass(frozen=True)
class Account:
    id: str
    username: str
    full_name: str
    password: str


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
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*_command(), *serve],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def log(self) -> str:
        """What the server has said so far."""
        return self._log.read_text(errors="replace")

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

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(10)

    def _tell(self, *words: str, stdin: str = "") -> dict[str, str]:
        command = [*_command(), *words, "--json"]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=60, env=self._environment
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        told: dict[str, str] = json.loads(done.stdout)
        return told

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + DEADLINE
        while not self._healthy():
            assert self._process.poll() is None, f"valetkey serve ended at once:\n{self.log()}"
            assert time.monotonic() < end, f"no answer from /healthz in {DEADLINE} s:\n{self.log()}"
            time.sleep(0.02)

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _command() -> list[str]:
    """The command beside this interpreter, so that the tests run the tree they stand in."""
    command = Path(sys.executable).with_name("valetkey")
    assert command.exists(), f"{command} is missing; ./dev test makes it"
    return [str(command)]
