"""What is fuzzed: functions of bytes that hold a reader to a model written apart from it, or to its own round trip."""

import base64
import ipaddress
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus, urlencode, urlsplit

from starlette.requests import Request

from valetkey.protocol.errors import InvalidClient, InvalidRequest
from valetkey.protocol.params import FIELDS, Params, parse
from valetkey.protocol.rules.credentials import read_basic
from valetkey.protocol.rules.redirect_uri import (
    LONGEST,
    RESPONSE_NAMES,
    why_not_registrable,
    with_extra_query,
)
from valetkey.web import guard
from valetkey.web.body import QUERY_BYTES, Rejected, read_form, read_query

# --- forms and queries ------------------------------------------------------------------------------------------------


def check(holds: bool) -> None:
    """Say it so that it can stand behind `return`."""
    assert holds


def refused(data: bytes) -> bool:
    """Whether it is no form."""
    try:
        parse(data)
    except InvalidRequest:
        return True
    return False


REASONS = set("not_utf8 percent_broken parameters_many parameter_twice parameter_long parameter_nul".split())


def check_params(params: Params, text: str) -> None:
    """What was read is what urllib reads, survives being written again, and has no name twice."""
    items = list(params.items())
    assert items == parse_qsl(text, keep_blank_values=True, errors="strict")
    assert len({name for name, _ in items}) == len(items) <= FIELDS
    again = parse(urlencode(items).encode())
    assert list(again.items()) == items
    for name, value in items:
        assert unquote_plus(params.as_sent(name), errors="strict") == value
        assert params.as_sent(name).isascii()
        assert params.get(name) == (value or None)


def check_refusal(no: InvalidRequest) -> None:
    """A refusal has a reason for the log, and words that RFC 6749 5.2 allows."""
    assert no.reason in REASONS and no.code == "invalid_request"
    assert no.description.isascii() and no.description.isprintable() and not set(no.description) & set('"\\')


def form(data: bytes) -> None:
    """application/x-www-form-urlencoded."""
    try:
        params = parse(data)
    except InvalidRequest as no:
        return check_refusal(no)
    check_params(params, data.decode())


def query(data: bytes) -> None:
    """The query string, in which `sig` may stand again with the same value."""
    try:
        params = read_query({"query_string": data}, "sig")
    except Rejected:
        return check(len(data) > QUERY_BYTES)
    except InvalidRequest as no:
        check_refusal(no)
        return check(refused(data))
    once: list[str] = []
    for piece in data.decode().split("&"):
        if not (piece.startswith("sig=") and piece in once):
            once.append(piece)
    check_params(params, "&".join(once))


def multipart(data: bytes) -> None:
    """The Content-Type in the first line, then the body."""
    kind, _, body = data.partition(b"\n")
    try:
        params, upload = read_form(body, kind)
    except Rejected as no:
        return check(no.status in (400, 415))
    except InvalidRequest as no:
        return check_refusal(no)
    if not kind.lower().startswith(b"multipart/"):
        return
    fields = list(params.items())
    assert all(value.encode() in body and "\0" not in name + value for name, value in fields)
    assert upload is None or upload.content in body
    plain = [(name, value) for name, value in fields if name.isalnum() and "b0undary" not in value]
    head = '--b0undary\r\nContent-Disposition: form-data; name="'
    text = "".join(f'{head}{name}"\r\n\r\n{value}\r\n' for name, value in plain) + "--b0undary--\r\n"
    again, _ = read_form(text.encode(), b"multipart/form-data; boundary=b0undary")
    assert list(again.items()) == plain


# --- redirect URIs ----------------------------------------------------------------------------------------------------

REGISTERED = ("https://app.example/cb", "https://app.example/cb?this=that", "http://127.0.0.1/")
HEX = "0123456789abcdefABCDEF"
ALLOWED = set("!$%&()*+,-./:;=?@_~[]") | {chr(c) for c in range(128) if chr(c).isalnum()}


def may_be_used(registered: str, given: str) -> bool:
    """The rule of the origin document, character by character; written apart from the one it judges."""
    if given == registered:
        return True
    separator = "&" if "?" in registered else "?"
    if not given.startswith(registered + separator) or len(given) > LONGEST:
        return False
    extra, names, name, in_name, at = given[len(registered) + 1 :], [], "", True, 0
    while at < len(extra):
        letter = extra[at]
        if letter not in ALLOWED:
            return False
        if letter == "%":
            digits = extra[at + 1 : at + 3]
            if (
                len(digits) < 2
                or any(digit not in HEX for digit in digits)
                or not 32 <= int(digits, 16) < 127
            ):
                return False
            letter, at = chr(int(digits, 16)), at + 2
        elif letter in "&;":
            names.append(name)
            letter, name, in_name = "", "", True
        elif letter == "=":
            in_name = False
        elif letter == "+":
            letter = " "
        name += letter if in_name else ""
        at += 1
    return extra != "" and not any(answers(name) for name in [*names, name])


def answers(name: str) -> bool:
    """Whether a lenient server would read this name as one of our answer's: PHP's spelling, arrays, spaces around."""
    plain = name.lower().strip(" ?")
    for ours in RESPONSE_NAMES:
        start, rest = plain[: len(ours)], plain[len(ours) :].lstrip(" ")
        same = all(a == b or (b == "_" and a in " .[") for a, b in zip(start, ours, strict=False))
        if len(start) == len(ours) and same and (not rest or rest[0] in "[."):
            return "\n" not in rest
    return False


def redirect(data: bytes) -> None:
    """May the bytes behind a registered URI stand there, and the bytes as a whole?"""
    text = data.decode("latin-1")
    for registered in REGISTERED:
        for given in (text, registered + text, registered + ("&" if "?" in registered else "?") + text):
            said = with_extra_query(registered, given)
            assert said is may_be_used(registered, given), (registered, given)
            if said:
                there, here = urlsplit(given), urlsplit(registered)
                assert there[:3] == here[:3] and not there.fragment
                assert not {name.lower() for name, _ in parse_qsl(there.query)} & set(RESPONSE_NAMES)


def registration(data: bytes) -> None:
    """What may be registered is one absolute URI that urllib reads as it was written."""
    uri = data.decode("latin-1")
    for native, plain_http in ((False, False), (True, True)):
        why = why_not_registrable(uri, native, plain_http)
        if why is not None:
            assert why and why.isascii() and "\n" not in why
            continue
        parts = urlsplit(uri)
        assert uri.isascii() and uri.isprintable() and "#" not in uri and parts.scheme
        assert parts.username is None and parts.password is None
        assert native or (parts.scheme == "https" and parts.hostname) or parts.hostname in (
            "127.0.0.1", "::1", "localhost",
        )  # fmt: skip
        assert with_extra_query(uri, uri)
        assert why_not_registrable(uri, True, True) is None, "more allowed, and yet refused"


# --- headers ----------------------------------------------------------------------------------------------------------

TRUSTED = ("10.0.0.0/8", "fd00::/8")
COOKIE_LETTERS = set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def request(headers: list[tuple[bytes, bytes]], issuer: str = "https://id.example") -> Request:
    """A request as the guard sees it."""
    server = SimpleNamespace(
        book=SimpleNamespace(issuer=issuer),
        settings=SimpleNamespace(server=SimpleNamespace(trusted_proxies=TRUSTED)),
    )
    app = SimpleNamespace(state=SimpleNamespace(server=server))
    scope: dict[str, Any] = {"type": "http", "headers": headers, "app": app, "client": ("10.1.2.3", 1)}
    return Request(scope)


def cookie(data: bytes) -> None:
    """The Cookie header: ours is found if and only if it is there, whole."""
    for issuer, name in (("https://id.example", b"__Host-valetkey="), ("http://127.0.0.1", b"valetkey=")):
        found = guard.cookie(request([(b"cookie", data)], issuer), guard.SESSION)
        wanted = None
        for pair in data.decode("latin-1").split(";"):
            bare = pair.strip().encode("latin-1")
            value = bare.removeprefix(name)
            if wanted is None and value != bare and len(value) == 43 and set(value) <= COOKIE_LETTERS:
                wanted = value.decode()
        assert found == wanted
        ours = name + b"v" * 43
        beside = guard.cookie(request([(b"cookie", data), (b"cookie", ours)], issuer), guard.SESSION)
        assert beside == (wanted or "v" * 43), "another application's cookie hides ours"


def basic(data: bytes) -> None:
    """The Authorization header: what is read is what RFC 7617 and RFC 6749 2.3.1 would write."""
    with suppress(InvalidClient):
        read = read_basic(data.decode("latin-1"))
        assert (read is None) == (data.partition(b" ")[0].lower() != b"basic")
        if read is not None:
            written = f"{quote_plus(read[0])}:{quote_plus(read[1])}".encode()
            assert read_basic("Basic " + base64.b64encode(written).decode()) == read
            assert "\0" not in read[0] + read[1]
    name, _, password = data.decode("latin-1").replace("\0", "").partition("\n")
    sent = base64.b64encode(f"{quote(name, safe='')}:{quote(password, safe='')}".encode()).decode()
    assert read_basic(f"bAsIc {sent}") == (name, password)


def forwarded(data: bytes) -> None:
    """X-Forwarded-For: the last hop that no proxy of ours wrote; nothing that stands before it matters."""
    counted = guard.network(request([(b"x-forwarded-for", data)]))
    wanted = "10.1.2.3"
    for hop in reversed(data.decode("latin-1").split(",")):
        bare = hop.strip().partition("%")[0]
        try:
            address: Any = ipaddress.ip_address(bare)
        except ValueError:
            break
        address = getattr(address, "ipv4_mapped", None) or address
        if not any(
            address in ipaddress.ip_network(net) for net in TRUSTED if ":" in net or address.version == 4
        ):
            wanted = str(address)
            break
    if ":" in wanted:
        wanted = str(ipaddress.ip_network(f"{wanted}/64", strict=False))
    assert counted == wanted
    for before in (b"203.0.113.9, ", b"nonsense,", b"10.0.0.1 ,"):
        if counted != "10.1.2.3":
            assert guard.network(request([(b"x-forwarded-for", before + data)])) == counted
