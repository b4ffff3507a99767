"""Every target by its name, with the words its inputs are made of and a few that are worth starting from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.torture.fuzz import door, jose, strangers, targets

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Target:
    """A function that raises when a reader does what it should not."""

    run: Callable[[bytes], None]
    words: tuple[bytes, ...]

    def seeds(self, name: str) -> list[bytes]:
        """What lies in the corpus; found inputs are added there."""
        return [file.read_bytes() for file in sorted((CORPUS / name).iterdir())]


FORM = tuple(b"& = % + ; %00 %ff %C3%A9 %zz a b sig sig=1 \xc3\xa9 \xff \x00 ? # %26 %3D".split(b" "))
URI = tuple(
    b"& ; ? = % + . .. [ ] / // : @ # \\ * %20 %5B %2E %2e%2e %41 %00 %7F code CODE state error access_token iss "
    b"error_description error.description error%20uri https http app.example 127.0.0.1 [::1] localhost xn--a "
    b"javascript: my.app: a b 1 80 65536 https://app.example/cb".split()
)
MULTIPART = (
    b"multipart/form-data; boundary=x\n", b"multipart/form-data; boundary=", b'"', b"--x\r\n", b"--x--\r\n", b"--x",
    b"Content-Disposition: form-data; name=", b'"a"', b'"b"; filename="c"', b"\r\n\r\n", b"\r\n", b"\xff", b"\x00",
    b"Content-Transfer-Encoding: ", b"base64", b"8bit", b"filename*=utf-8''a", b"Content-Type: text/plain", b"v",
)  # fmt: skip
COOKIE = (b"__Host-valetkey=", b"valetkey=", b"v" * 43, b"w" * 42, b";", b"; ", b"=", b'"', b" ", b"\t", b"\xa0", b",",
          b"\x85", b"$Version=1")  # fmt: skip
BASIC = (
    b"Basic ",
    b"basic",
    b" ",
    b"YTpi",
    b"YTo=",
    b"OmI",
    b"==",
    b"%",
    b"\n",
    b":",
    b"+",
    b"\xff",
    b"\x00",
    b"JTAw",
)
HOPS = (b"203.0.113.7", b"10.0.0.1", b"fd00::1", b"2001:db8::1", b"::ffff:10.0.0.1", b"::ffff:203.0.113.7", b",",
        b", ", b" ", b"%eth0", b"[", b"]", b":80", b"unknown", b"010.0.0.1", b"\xa0", b"\xff", b"/8")  # fmt: skip
HTTP = (
    b"GET / HTTP/1.1\r\n", b"POST /a?b HTTP/1.1\r\n", b"GET / HTTP/1.0\r\n", b"Host: a\r\n", b"\r\n", b"\n", b"\r",
    b"Content-Length: ", b"3", b"0", b"-1", b"+1", b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n",
    b"abc", b"Transfer-Encoding: gzip\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n", b" ", b":", b"\t",
    b"Upgrade: websocket\r\n", b"Connection: upgrade\r\n", b"\x00", b"\xff", b"CONNECT a:1 HTTP/1.1\r\n", b";x=y",
    b"OPTIONS * HTTP/1.1\r\n", b"GET http://a/ HTTP/1.1\r\n", b"ffffffffffffffff", b"Trailer: x\r\n", b"PRI * HTTP/2.0",
)  # fmt: skip
JSON = (
    b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b"null", b"true", b"NaN", b"1e999", b"-0", b"1E2", b'"a":1',
    b'"a"', b"9007199254740993", b'"\\u0000"', b'"\\ud800"', b'"\\u0061"', b"\xff", b"\x00",
)  # fmt: skip
PARTS = jose.GOOD.encode().split(b".")
JWT = (*PARTS, b".", b"..", b"=", b"-", b"_", b"e30", b"eyJhbGciOiJub25lIn0", b"bnVsbA", b"\n", b"\xff")
JWKS = (
    b'{"keys":[', b"]}", b'{"kty":"EC","crv":"P-256",', b'{"kty":"RSA","e":"AQAB",', b'{"kty":"OKP","crv":"Ed25519",',
    b'"n":"', b'"x":"', b'"y":"', b'"', b'"d":"AA"', b",", b"}", b'"use":"sig"', b'"use":"enc"', b'"alg":"ES256"',
    b'"kid":"a"', b'"x5c":[', b'"x5t#S256":"a"', b'"key_ops":["verify"]', b"A" * 43, b"w" * 342,
)  # fmt: skip
CERTIFICATE = (
    b":", b"MII", b"%0A", b"+", b"%2B", b"=", b"-----BEGIN%20CERTIFICATE-----%0A", b"-----END%20CERTIFICATE-----",
    b"MA==", b"\xff", b"(null)",
)  # fmt: skip

METADATA = (
    b'{"redirect_uris":["https://a.example/cb"]', b"}", b",", b'"client_name":"A"', b'"scope":"basic"', b"[]", b"null",
    b'"token_endpoint_auth_method":', b'"none"', b'"private_key_jwt"', b'"jwks":{"keys":[]}',
    b'"grant_types":["', b'"]',
    b"authorization_code", b"refresh_token", b"client_credentials", b'"jwks_uri":"http:"', b'"impersonates":true', b"1",
    b'"application_type":"native"', b'"software_statement":"a.b.c"', b'"fresh_until":9', b'"introspects":true', b"\\",
)  # fmt: skip

TARGETS = {
    "form": Target(targets.form, FORM),
    "query": Target(targets.query, FORM),
    "multipart": Target(targets.multipart, MULTIPART),
    "redirect": Target(targets.redirect, URI),
    "registration": Target(targets.registration, URI),
    "cookie": Target(targets.cookie, COOKIE),
    "basic": Target(targets.basic, BASIC),
    "forwarded": Target(targets.forwarded, HOPS),
    "json": Target(jose.strict, JSON),
    "jwt": Target(jose.token, JWT),
    "jwks": Target(jose.keys, JWKS),
    "certificate": Target(jose.handed_over, CERTIFICATE),
    "address": Target(strangers.address, URI),
    "metadata": Target(strangers.metadata, METADATA),
    "door-httptools": Target(door.httptools, HTTP),
    "door-h11": Target(door.h11, HTTP),
}
