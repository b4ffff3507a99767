"""What the rules on strings let through, an independent WHATWG parser reads as the rules meant it (A3-A10)."""

import ipaddress
import re
from collections.abc import Iterator
from itertools import product
from urllib.parse import parse_qsl, urlsplit

from ada_url import URL
from hypothesis import example, given, settings
from hypothesis import strategies as st

from valetkey.protocol.rules.redirect_uri import (
    RESPONSE_NAMES,
    exact,
    why_not_registrable,
    with_extra_query,
    with_parameters,
)


def words(text: str) -> list[str]:
    """The words of a text; `-` stands for nothing."""
    return ["" if word == "-" else word for word in text.split(" ")]


SCHEMES = words(
    "https:// http:// HTTPS:// https: https:/ https:/// myapp: myapp:// myapp:/// myapp://// c: 1a: M:"
)
HOSTS = words(
    "app.example APP.example a--b.test intranet xn--bcher-kva.de xn--a xn-- 127.0.0.1 [::1] [1::] [::ffff:1.2.3.4]"
    " 0x7f.1 127.1 09.1.2.3 1.2.3.0x4 1.2.3.4.5 256.1.1.1 1e9 0x 0 1 a.b. .. a..b a_b - [::1%25a] [a] a@b a:b@c a%41"
    " a\\b a,b a;b (a) a&b a=b a~b a$b a! -a a-"
)
PORTS = words("- :8443 :443 :80 :0443 : :0 :65536 :99999 :a")
SEGMENTS = words(
    "- /cb / /. /.. /... /%2e /%2E%2e /.%2e /%252e%252e /..; /%2f.. /%c3%bc /%00 /a:b /' /! /* /\\ /# /< /ü"
    " /@a /: /~ /+"
)
QUERIES = words(
    "- ? ?this=that ??a ?a? ?&& ?a=' ?a=%27 ?code=1 ?a=# ?a=\" ?a[]=1 ?a@b ?%61 ?%0a ?a=https://b/../c"
)
CHARACTERS = "aA0x.-_~[]:@%1/25e\\?&=;,'\"<>#{|}^` \t\r\n\0éａ"

AUTHORITIES = list(product(SCHEMES, HOSTS, PORTS, ["", "/", "/cb?a=b"], [""], [""]))
PATHS = list(
    product(["https://app.example", "myapp:", "myapp://cb"], [""], [""], SEGMENTS, SEGMENTS, QUERIES)
)


def registrable(uri: str) -> bool:
    """Whether some app may register it."""
    return why_not_registrable(uri, native=True, plain_http=True) is None


def check_a_browser_reads_it_as_it_stands(uri: str) -> None:
    """URL fails where the WHATWG parser does."""
    url, plain = URL(uri), urlsplit(uri)
    assert (url.username, url.password, url.hash) == ("", "", "")
    assert url.protocol == plain.scheme + ":"
    assert url.pathname == (plain.path or url.pathname) and url.pathname in (plain.path, "/")
    if plain.scheme not in ("http", "https"):
        assert url.host == plain.netloc
        return
    usual = {"http": 80, "https": 443}[plain.scheme]
    assert url.port == ("" if plain.port in (None, usual) else str(plain.port))
    if plain.netloc.startswith("["):
        assert ipaddress.ip_address(url.hostname.strip("[]")) == ipaddress.ip_address(plain.hostname)
    else:
        assert url.hostname == plain.hostname


def test_a_browser_reads_every_registrable_uri_as_it_stands() -> None:
    candidates = ("".join(parts) for table in (AUTHORITIES, PATHS) for parts in table)
    found = [uri for uri in candidates if registrable(uri)]
    for uri in found:
        check_a_browser_reads_it_as_it_stands(uri)
    assert len(found) > 2000


LETTERS = st.text(CHARACTERS, max_size=8)


@settings(max_examples=500)
@given(st.sampled_from(["https://", "http://", "myapp://", "myapp:", "https:"]), LETTERS, LETTERS)
@example("myapp:", "//a:b", "/")
@example("https://", "a@b", "/")
def test_a_browser_reads_any_other_registrable_uri_as_it_stands(scheme: str, host: str, rest: str) -> None:
    uri = scheme + host + rest
    if registrable(uri):
        check_a_browser_reads_it_as_it_stands(uri)


# --- matching ---------------------------------------------------------------------------------------------------------

REGISTERED = words(
    "https://app.example https://app.example/ https://app.example/cb https://app.example/cb?this=that"
    " https://app.example/cb? http://[::1]:80/@me http://127.0.0.1:1 ig1://authorize ig1:/cb"
)
EXTRA = words(
    "- & = ? a b=c code state; %63ode[] iss . @ @evil.test //evil.test /../ : ; %0d%0a %20 + %zz % %2e %5c %23 %c3%bc"
    " ' \" < > # \\ | ^ ` { } \0 \r \n \t é ａ \u2028 \ufeff 1 ~ ! $ ( ) * , [ ]"
)


def looks_like(registered: str, extra: str) -> Iterator[str]:
    """Addresses that a careless rule would take for the registered one."""
    yield with_parameters(registered, extra)
    yield registered + "?" + extra
    yield registered + "&" + extra
    yield registered + extra
    yield extra + registered
    yield registered.replace("://", "://" + extra, 1)
    yield registered.replace("app.example", "app.example" + extra, 1)


def check_a_browser_agrees(registered: str, sent: str) -> None:
    """Same scheme, host, port and path, no userinfo, no fragment, and the registered query comes first."""
    one, other = URL(registered), URL(sent)
    for part in ("protocol", "host", "port", "pathname"):
        assert getattr(one, part) == getattr(other, part), part
    assert (other.username, other.password, other.hash) == ("", "", "")
    assert other.search.startswith(one.search)
    assert sent.isascii() and sent.isprintable()
    assert exact(registered, sent) is (registered == sent)


def test_a_browser_agrees_with_every_match() -> None:
    matched = 0
    for registered, one, two in product(REGISTERED, EXTRA, EXTRA):
        for sent in looks_like(registered, one + two):
            if with_extra_query(registered, sent):
                check_a_browser_agrees(registered, sent)
                matched += 1
    assert matched > 5000


@settings(max_examples=500)
@given(st.sampled_from(REGISTERED), st.text(CHARACTERS, max_size=12), st.integers(0, 6))
def test_a_browser_agrees_with_any_other_match(registered: str, extra: str, way: int) -> None:
    sent = list(looks_like(registered, extra))[way]
    if with_extra_query(registered, sent):
        check_a_browser_agrees(registered, sent)


# --- the answer -------------------------------------------------------------------------------------------------------

NAMES = words(
    "& = ? ; code CODE state iss error %63ode uri access token id _ . [ ] %5B + %20 x 1 %2563ode - codes"
)


def names_read(query: str) -> set[str]:
    """The parameter names that one or another parser of forms finds in a query."""
    found = set()
    for separator in "&;":
        for name, _ in parse_qsl(query, keep_blank_values=True, separator=separator):
            short = name.strip(" ?").casefold()
            found |= {short, re.split(r"[\[.]", short)[0].strip(), re.sub(r"[ .\[]", "_", short)}
    return found


def test_no_parser_of_forms_finds_a_name_of_ours_before_our_answer() -> None:
    reserved = set(RESPONSE_NAMES)
    accepted = 0
    for parts in product(NAMES, repeat=3):
        sent = f"https://app.example/cb?{''.join(parts)}"
        if with_extra_query("https://app.example/cb", sent):
            accepted += 1
            answer = with_parameters(sent, "code=1&state=2")
            assert names_read(answer.partition("?")[2]) & reserved == {"code", "state"}, answer
    assert accepted > 5000
