"""What the shop's server asks valetkey: a token for its code, and whose it is; with the standard library alone."""

import http.client
import json
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

if TYPE_CHECKING:
    from valetkey.cli.demo.photo_printer import Registration

TIMEOUT = 10
TOKEN_PATH = "/oauth/access_token"
PROFILE_PATH = "/v1/users/self"


class Answer(Struct, frozen=True):
    """Status and body of an answer."""

    status: int
    body: str

    def pretty(self) -> str:
        """The body, laid out if it is JSON."""
        try:
            return json.dumps(json.loads(self.body), indent=2, ensure_ascii=False)
        except ValueError:
            return self.body

    def field(self, name: str) -> Any:
        """A field of a JSON answer that said yes."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return None
        return found.get(name) if self.status == 200 and isinstance(found, dict) else None


def fields(shop: "Registration", code: str) -> dict[str, str]:
    """What is sent to get a token."""
    return {
        "client_id": shop.client_id,
        "client_secret": shop.client_secret,
        "grant_type": "authorization_code",
        "redirect_uri": shop.callback,
        "code": code,
    }


def curl(shop: "Registration", code: str) -> str:
    """The same as a command; the secret is not for display."""
    shown = fields(shop, code) | {"client_secret": f"{shop.client_secret[:9]}…"}
    lines = [f"curl -F '{name}={value.replace(chr(39), '')}'" for name, value in shown.items()]
    lines = [lines[0], *(line.replace("curl", "    ", 1) for line in lines[1:])]
    return " \\\n".join([*lines, f"     {shop.issuer}{TOKEN_PATH}"])


def token_for(shop: "Registration", code: str) -> Answer:
    """Exchange the code, as multipart/form-data like the curl command. Raises OSError."""
    boundary = secrets.token_hex(12)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields(shop, code).items()
    ]
    body = ("".join(parts) + f"--{boundary}--\r\n").encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Accept": "application/json"}
    return ask(shop.issuer, "POST", TOKEN_PATH, body, headers)


def profile(shop: "Registration", token: str) -> Answer:
    """Whose token it is. Raises OSError."""
    return ask(shop.issuer, "GET", f"{PROFILE_PATH}?{urlencode({'access_token': token})}", None, {})


def ask(base: str, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
    """One request. Raises OSError."""
    parts = urlsplit(base)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT)
    try:
        connection.request(method, parts.path + path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.read().decode("utf-8", "replace"))
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
