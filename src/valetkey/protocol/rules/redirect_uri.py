"""May this redirect_uri be used, and may that one be registered? Strings, never parsed URIs (RFC 9700 2.1, R1-R4)."""

import ipaddress
import re
from urllib.parse import unquote, unquote_plus

from valetkey.protocol.model import Client
from valetkey.protocol.profile import Profile

LONGEST = 2000
RESPONSE_NAMES = (
    "code state error error_reason error_description error_uri access_token token_type expires_in scope id_token iss"
    " response session_state".split()
)
# as form parsers may read them: PHP turns a space, a dot and a lone [ within a name into _
RESPONSE_NAME = re.compile("(?:" + "|".join(RESPONSE_NAMES).replace("_", r"[_ .\[]") + r") *(?:[\[.].*)?")
EXTRA = re.compile(r"[!$%&()*+,\-./0-9:;=?@A-Z_a-z~\[\]]+")
REFUSED_BYTES = re.compile(r"%(?:[01][0-9A-F]|7F|[89A-F][0-9A-F]|(?![0-9A-F]{2}))", re.IGNORECASE)
NEVER_SCHEMES = frozenset("javascript data vbscript file blob about view-source ws wss ftp".split())
PATH = r"(?:/(?:[A-Za-z0-9\-._~!$&'()+,;=:@/]|%[0-9A-Fa-f]{2})*)?"
QUERY = r"(?:\?(?:[A-Za-z0-9\-._~!$&'()+,;=:@/?]|%[0-9A-Fa-f]{2})*)?"
WEB = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.\-]+)(?::([0-9]{1,5}))?(" + PATH + ")" + QUERY)
PRIVATE = re.compile(r"([a-z][a-z0-9+.\-]*):(?://[A-Za-z0-9._\-]*|(?!//))(" + PATH + ")" + QUERY)
LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)")
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?", re.IGNORECASE)


def matches(client: Client, profile: Profile, registered: str, given: str) -> bool:
    """Whether this client may use the redirect_uri given, by this one of those it registered."""
    if profile.redirect_matches(registered, given):
        return True
    return profile.loopback_ports and client.type == "native" and on_another_port(registered, given)


def on_another_port(registered: str, given: str) -> bool:
    """The same address of this machine but for the port, which a program gets only when it starts (RFC 8252 7.3).

    `localhost` is one as well (RFC 9700 2.1); it never stands for the others, nor they for it.
    """
    one, other = LOOPBACK.fullmatch(registered), LOOPBACK.fullmatch(given)
    if one is None or other is None or int(other[2] or 80) > 65535:
        return False
    return (one[1], one[3]) == (other[1], other[3])


def exact(registered: str, given: str) -> bool:
    """The rule of today: character by character the same (RFC 9700 4.1.3, RFC 3986 6.2.1)."""
    return given == registered


def with_extra_query(registered: str, given: str) -> bool:
    """The rule of the origin document: the same, or the same and then further query parameters (classic.md 2)."""
    if given == registered:
        return True
    start = registered + ("&" if "?" in registered else "?")
    return given.startswith(start) and len(given) <= LONGEST and extra_is_harmless(given[len(start) :])


def extra_is_harmless(extra: str) -> bool:
    """Whether what follows the registered URI is plain ASCII and names no parameter of our own answer."""
    if not EXTRA.fullmatch(extra) or REFUSED_BYTES.search(extra):
        return False
    names = (unquote_plus(piece.partition("=")[0]) for piece in re.split("[&;]", extra))
    return not any(RESPONSE_NAME.fullmatch(name.casefold().strip(" ?")) for name in names)


def why_not_registrable(uri: str, native: bool, plain_http: bool) -> str | None:
    """What is wrong with registering this redirect URI, in plain words; None when nothing is.

    native: private-use schemes are allowed (RFC 8252 7.1); plain_http: http is allowed beyond this machine.
    """
    if len(uri) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if not uri.isascii() or not uri.isprintable() or " " in uri:
        return (
            "must be plain ASCII without spaces (write international names as xn--, other characters as %XX)"
        )
    for character, name in (
        ("*", "a wildcard"),
        ("#", "a fragment (#)"),
        ("\\", "a backslash"),
        ("@", "an @"),
    ):
        if character in (
            uri if character != "@" else uri.partition("://")[2].partition("/")[0].partition("?")[0]
        ):
            return f"must not contain {name}"
    scheme = uri.partition(":")[0].casefold()
    if scheme in NEVER_SCHEMES or REFUSED_BYTES.search(uri):
        return "has a scheme or characters that no app may use"
    query = uri.partition("?")[2]
    if query and not extra_is_harmless(query):
        return "must not use a name of our own answer (such as code or state) in its query"
    if scheme in ("http", "https"):
        return why_not_web(uri, plain_http)
    if not native:
        return "must start with https://"
    private = PRIVATE.fullmatch(uri)
    return None if private and plain_path(private[2]) else "is not an absolute URI with a scheme of your own"


def why_not_web(uri: str, plain_http: bool) -> str | None:
    """The part of the question that is about http and https."""
    parts = WEB.fullmatch(uri)
    if parts is None:
        return "is not an absolute URI such as https://app.example/callback"
    scheme, host, port, path = parts.groups()
    if not plain_host(host) or (port is not None and not 0 < int(port) < 65536):
        return "does not name a host and port that every browser reads alike"
    if not plain_path(path):
        return "must not contain . or .. as a part of its path"
    if scheme == "http" and not plain_http and not loopback(host):
        return "must start with https:// (http only for this machine, as http://127.0.0.1/)"
    return None


def plain_host(host: str) -> bool:
    """A host that all parsers read alike: DNS labels, an IPv4 address in four decimal parts, or an IPv6 address."""
    if host.startswith("["):
        return is_address(host[1:-1], ipaddress.IPv6Address)
    labels = host.split(".")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        return False
    if labels[-1][0].isdigit():
        return is_address(host, ipaddress.IPv4Address)
    return not any(label.casefold().startswith("xn--") and not is_punycode(label) for label in labels)


def is_address(text: str, kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]) -> bool:
    """Whether the text is such an address, spelled in full."""
    try:
        kind(text)
    except ValueError:
        return False
    return True


def is_punycode(label: str) -> bool:
    """Whether an xn-- label is the one spelling of a name (RFC 3492, RFC 5890 2.3.2.1)."""
    try:
        return label.encode().decode("idna").encode("idna").decode() == label.casefold()
    except UnicodeError:
        return False


def plain_path(path: str) -> bool:
    """No segment that a browser takes away (WHATWG URL 4.1), nor a server that decodes twice or cuts ;parameters."""
    segments = re.split(r"[/\\]", unquote(unquote(path)))
    return not any(segment.partition(";")[0] in (".", "..") for segment in segments)


def loopback(host: str) -> bool:
    """Whether the host is this machine (RFC 8252 7.3)."""
    return host in ("127.0.0.1", "[::1]", "localhost")


def loops_back(uri: str) -> bool:
    """Whether a redirect leads to a program on the person's own machine (RFC 8252 7.3)."""
    parts = WEB.fullmatch(uri)
    return parts is not None and loopback(parts[2].lower())


def with_parameters(redirect_uri: str, query: str) -> str:
    """The redirect_uri with parameters behind it: `?` or, if it has a query, `&` (RFC 6749 4.1.2)."""
    return redirect_uri + ("&" if "?" in redirect_uri else "?") + query
