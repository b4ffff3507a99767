"""Which redirect_uri may be used: the document's table, and everything that only looks like it (D8, R1, R2, A1-A10)."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.protocol.rules.redirect_uri import (
    LONGEST,
    RESPONSE_NAMES,
    exact,
    why_not_registrable,
    with_extra_query,
    with_parameters,
)

# --- the document's table ---------------------------------------------------------------------------------------------

DOCUMENT = """
http://yourcallback.com/            http://yourcallback.com/                            yes
http://yourcallback.com/            http://yourcallback.com/?this=that                  yes
http://yourcallback.com/?this=that  http://yourcallback.com/                            no
http://yourcallback.com/?this=that  http://yourcallback.com/?this=that&another=true     yes
http://yourcallback.com/?this=that  http://yourcallback.com/?another=true&this=that     no
http://yourcallback.com/callback    http://yourcallback.com/                            no
http://yourcallback.com/callback    http://yourcallback.com/callback?type=mobile        yes
"""
ROWS = [tuple(row.split()) for row in DOCUMENT.strip().splitlines()]


@pytest.mark.parametrize(("registered", "given", "valid"), ROWS, ids=[" ".join(row) for row in ROWS])
def test_the_documents_table(registered: str, given: str, valid: str) -> None:
    assert len(ROWS) == 7
    assert with_extra_query(registered, given) is (valid == "yes")
    assert exact(registered, given) is (registered == given)


@pytest.mark.parametrize("registered", sorted({row[0] for row in ROWS}))
def test_what_the_document_registers_can_be_registered(registered: str) -> None:
    assert why_not_registrable(registered, native=False, plain_http=True) is None


# --- matching ---------------------------------------------------------------------------------------------------------

CB = "https://app.example/cb"
Q = "https://app.example/cb?this=that"

REFUSED = [
    # A1 insufficient validation
    ("A1 empty", CB, ""),
    ("A1 another path", CB, "https://app.example/other"),
    ("A1 origin only", CB, "https://app.example"),
    ("A1 no path", CB, "https://app.example/"),
    ("A1 longer path", CB, "https://app.example/cb/more"),
    ("A1 path goes on", CB, "https://app.example/cbx"),
    ("A1 shorter path", CB, "https://app.example/c"),
    ("A1 parameter before", Q, "https://app.example/cb?a=b&this=that"),
    ("A1 parameter gone", Q, "https://app.example/cb?"),
    ("A1 value goes on", Q, "https://app.example/cb?this=thatx"),
    ("A1 second question mark", Q, "https://app.example/cb?this=that?a=b"),
    ("A1 ampersand without query", CB, "https://app.example/cb&a=b"),
    ("A1 nothing after ?", CB, "https://app.example/cb?"),
    ("A1 nothing after &", Q, "https://app.example/cb?this=that&"),
    ("A1 pattern", "https://app.example/c.", "https://app.example/cb"),
    ("A1 relative", CB, "/cb"),
    ("A1 scheme-relative", CB, "//app.example/cb"),
    ("A1 space before", CB, " https://app.example/cb"),
    ("A1 space behind", CB, "https://app.example/cb "),
    ("A1 two joined", CB, "https://app.example/cb https://evil.example/"),
    ("A1 two with comma", CB, "https://app.example/cb,https://evil.example/"),
    # A3 parser confusion
    ("A3 userinfo", CB, "https://evil.example@app.example/cb"),
    ("A3 host as user", CB, "https://app.example@evil.example/cb"),
    ("A3 host and path as user", CB, "https://app.example/cb@evil.example"),
    ("A3 user and password", CB, "https://app.example:443@evil.example/cb"),
    ("A3 several @", CB, "https://a@b@app.example/cb"),
    ("A3 @ encoded", CB, "https://app.example%40evil.example/cb"),
    ("A3 backslash for slash", CB, r"https://app.example\cb"),
    ("A3 backslash @", CB, r"https://evil.example\@app.example/cb"),
    ("A3 backslashes first", CB, r"https:\\app.example\cb"),
    ("A3 backslash in extra", CB, r"https://app.example/cb?a=\evil"),
    ("A3 # in host", CB, "https://evil.example#app.example/cb"),
    ("A3 # @", CB, "https://evil.example#@app.example/cb"),
    ("A3 ? in host", CB, "https://evil.example?app.example/cb"),
    ("A3 encoded /", CB, "https://app.example%2fcb"),
    ("A3 encoded ?", CB, "https://app.example/cb%3fa=b"),
    ("A3 encoded #", CB, "https://app.example/cb%23a"),
    ("A3 encoded host", CB, "https://app%2eexample/cb"),
    ("A3 encoded letter", CB, "https://app.example/%63b"),
    ("A3 three slashes", CB, "https:///app.example/cb"),
    ("A3 one slash", CB, "https:/app.example/cb"),
    ("A3 no slash", CB, "https:app.example/cb"),
    ("A3 brackets", CB, "https://[app.example]/cb"),
    ("A3 quote in extra", CB, "https://app.example/cb?a='"),
    ("A3 double quote in extra", CB, 'https://app.example/cb?a="'),
    ("A3 angle in extra", CB, "https://app.example/cb?<script>"),
    ("A3 braces in extra", CB, "https://app.example/cb?{a}"),
    ("A3 bar in extra", CB, "https://app.example/cb?a|b"),
    ("A3 caret in extra", CB, "https://app.example/cb?a^b"),
    ("A3 backtick in extra", CB, "https://app.example/cb?a`b"),
    ("A3 space in extra", CB, "https://app.example/cb?a b"),
    ("A3 broken percent", CB, "https://app.example/cb?a=%zz"),
    ("A3 cut percent", CB, "https://app.example/cb?a=%4"),
    ("A3 lone percent", CB, "https://app.example/cb?a=%"),
    # A4 domains and ports
    ("A4 subdomain", CB, "https://evil.app.example/cb"),
    ("A4 parent", "https://a.app.example/cb", "https://app.example/cb"),
    ("A4 sibling", CB, "https://bpp.example/cb"),
    ("A4 prefix", CB, "https://evilapp.example/cb"),
    ("A4 suffix", CB, "https://app.example.evil/cb"),
    ("A4 suffix, no path", "https://app.example", "https://app.example.evil"),
    ("A4 suffix with -", "https://app.example", "https://app.example-evil.test"),
    ("A4 user, no path", "https://app.example", "https://app.example@evil.test"),
    ("A4 port, no path", "https://app.example", "https://app.example:8443"),
    ("A4 path, none registered", "https://app.example", "https://app.example/"),
    ("A4 another port", CB, "https://app.example:8443/cb"),
    ("A4 the default port", CB, "https://app.example:443/cb"),
    ("A4 empty port", CB, "https://app.example:/cb"),
    ("A4 port differs", "http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb"),
    ("A4 port goes on", "http://127.0.0.1:1", "http://127.0.0.1:12"),
    ("A4 trailing dot", CB, "https://app.example./cb"),
    ("A4 another scheme", CB, "http://app.example/cb"),
    # A5 paths
    ("A5 /..", CB, "https://app.example/cb/../evil"),
    ("A5 /.. back", CB, "https://app.example/x/../cb"),
    ("A5 encoded ..", CB, "https://app.example/cb/%2e%2e/evil"),
    ("A5 encoded twice", CB, "https://app.example/cb/%252e%252e/evil"),
    ("A5 ..;/", CB, "https://app.example/cb/..;/evil"),
    ("A5 ;", CB, "https://app.example/cb;a=b"),
    ("A5 /.", CB, "https://app.example/./cb"),
    ("A5 //", CB, "https://app.example//cb"),
    ("A5 case of the path", CB, "https://app.example/CB"),
    ("A5 case of the host", CB, "https://APP.example/cb"),
    ("A5 case of the scheme", CB, "HTTPS://app.example/cb"),
    ("A5 case of the query", Q, "https://app.example/cb?This=that"),
    ("A5 trailing slash", CB, "https://app.example/cb/"),
    ("A5 no trailing slash", "https://app.example/cb/", "https://app.example/cb"),
    ("A5 trailing slash and query", CB, "https://app.example/cb/?a=b"),
    # A6 schemes
    ("A6 javascript", CB, "javascript:alert(1)//https://app.example/cb"),
    ("A6 javascript in capitals", CB, "JaVaScRiPt:alert(1)"),
    ("A6 data", CB, "data:text/html,https://app.example/cb"),
    ("A6 view-source", CB, "view-source:https://app.example/cb"),
    ("A6 tab in the scheme", CB, "java\tscript:alert(1)"),
    ("A6 space before", CB, "\x01javascript:alert(1)"),
    # A7 international names and addresses
    ("A7 full-width", CB, "https://ａpp.example/cb"),
    ("A7 cyrillic", CB, "https://аpp.example/cb"),
    ("A7 ideographic full stop", CB, "https://app。example/cb"),
    ("A7 fraction slash", CB, "https://app.example⁄cb"),
    ("A7 soft hyphen", CB, "https://app\u00ad.example/cb"),
    ("A7 care of", "https://a.test/c/o", "https://a.test/℀"),
    ("A7 dotless i", "https://a.test/i", "https://a.test/ı"),
    ("A7 long s", "https://a.test/s", "https://a.test/ſ"),
    ("A7 combining", "https://a.test/e", "https://a.test/e\u0301"),
    ("A7 non-ASCII in extra", CB, "https://app.example/cb?a=é"),
    ("A7 non-ASCII encoded in extra", CB, "https://app.example/cb?a=%c3%a9"),
    ("A7 overlong encoded in extra", CB, "https://app.example/cb?a=%c0%af"),
    ("A7 decimal", "http://127.0.0.1/cb", "http://2130706433/cb"),
    ("A7 hexadecimal", "http://127.0.0.1/cb", "http://0x7f.1/cb"),
    ("A7 octal", "http://127.0.0.1/cb", "http://0177.0.0.1/cb"),
    ("A7 short", "http://127.0.0.1/cb", "http://127.1/cb"),
    ("A7 localhost for its address", "http://127.0.0.1/cb", "http://localhost/cb"),
    ("A7 IPv6 spelled out", "http://[::1]/cb", "http://[0:0:0:0:0:0:0:1]/cb"),
    ("A7 IPv4 in IPv6", "http://127.0.0.1/cb", "http://[::ffff:127.0.0.1]/cb"),
    # A8 controls
    ("A8 CR LF", CB, "https://app.example/cb\r\nLocation: https://evil.example"),
    ("A8 LF behind", CB, "https://app.example/cb\n"),
    ("A8 LF behind extra", CB, "https://app.example/cb?a=b\n"),
    ("A8 CR in extra", CB, "https://app.example/cb?a\rb"),
    ("A8 tab in extra", CB, "https://app.example/cb?a\tb"),
    ("A8 NUL in extra", CB, "https://app.example/cb?a\0b"),
    ("A8 DEL in extra", CB, "https://app.example/cb?a\x7fb"),
    ("A8 NUL behind", CB, "https://app.example/cb\0"),
    ("A8 tab in host", CB, "https://app\t.example/cb"),
    ("A8 BOM before", CB, "\ufeffhttps://app.example/cb"),
    ("A8 line separator in extra", CB, "https://app.example/cb?a\u2028b"),
    ("A8 encoded CR LF", CB, "https://app.example/cb?a=%0d%0aSet-Cookie:b"),
    ("A8 encoded NUL", CB, "https://app.example/cb?a=%00"),
    ("A8 encoded unit separator", CB, "https://app.example/cb?a=%1F"),
    ("A8 encoded DEL", CB, "https://app.example/cb?a=%7f"),
    ("A8 encoded C1", CB, "https://app.example/cb?a=%85"),
    # A9 pollution (every spelling below)
    ("A9 code", CB, "https://app.example/cb?code=evil"),
    ("A9 state behind", Q, "https://app.example/cb?this=that&state=evil"),
    # A10 fragments
    ("A10 fragment", CB, "https://app.example/cb#"),
    ("A10 fragment with token", CB, "https://app.example/cb#access_token=evil"),
    ("A10 fragment in extra", CB, "https://app.example/cb?a=b#c"),
    ("A10 fragment after &", Q, "https://app.example/cb?this=that&#c"),
]


@pytest.mark.parametrize(
    ("registered", "given"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_nothing_else_matches(registered: str, given: str) -> None:
    assert with_extra_query(registered, given) is False
    assert exact(registered, given) is False


ACCEPTED = [
    (CB, "https://app.example/cb?a=b"),
    (CB, "https://app.example/cb?a"),
    (CB, "https://app.example/cb?a=b&c=d;e=f"),
    (CB, "https://app.example/cb?next=/home/%7Eme?x=y"),
    (CB, "https://app.example/cb?next=https://app.example/@me:1"),
    (CB, "https://app.example/cb?a=%20%22%3C%23%5C"),
    (CB, "https://app.example/cb?A-Z_a.z~0*9!$(),:+"),
    (CB, "https://app.example/cb?list[]=1&list[]=2"),
    (Q, "https://app.example/cb?this=that&a=b"),
    ("https://app.example/cb?", "https://app.example/cb?&a=b"),
    ("https://app.example", "https://app.example?a=b"),
    ("ig123://authorize", "ig123://authorize?a=b"),
]


@pytest.mark.parametrize(("registered", "given"), ACCEPTED)
def test_further_parameters_may_follow_in_classic_only(registered: str, given: str) -> None:
    assert with_extra_query(registered, given) is True
    assert with_extra_query(registered, registered) is True
    assert exact(registered, given) is False
    assert exact(registered, registered) is True


@pytest.mark.parametrize(("length", "ok"), [(LONGEST, True), (LONGEST + 1, False)])
def test_how_long_it_may_be(length: int, ok: bool) -> None:
    assert with_extra_query(CB, (CB + "?").ljust(length, "a")) is ok


# --- names of our own answer (R2, A9) ---------------------------------------------------------------------------------

SPELLINGS = {
    "plain": lambda name: name,
    "capitals": str.upper,
    "title": str.title,
    "first letter encoded": lambda name: f"%{ord(name[0]):02x}{name[1:]}",
    "last letter encoded": lambda name: f"{name[:-1]}%{ord(name[-1]):02X}",
    "all encoded": lambda name: "".join(f"%{ord(c):02x}" for c in name),
    "capitals encoded": lambda name: "".join(f"%{ord(c):02X}" for c in name.upper()),
    "list": lambda name: f"{name}[]",
    "key": lambda name: f"{name}[0]",
    "open bracket": lambda name: f"{name}[",
    "list encoded": lambda name: f"{name}%5B%5D",
    "list encoded small": lambda name: f"{name}%5b0",
    "dot": lambda name: f"{name}.x",
    "dot encoded": lambda name: f"{name}%2Ex",
    "dot alone": lambda name: f"{name}.",
    "space before": lambda name: f"%20{name}",
    "space behind": lambda name: f"{name}%20",
    "plus before": lambda name: f"+{name}",
    "plus behind": lambda name: f"{name}+",
    "space and list": lambda name: f"{name}%20[]",
    "second question mark": lambda name: f"?{name}",
    "PHP's dot": lambda name: name.replace("_", "."),
    "PHP's space": lambda name: name.replace("_", "+"),
    "PHP's bracket": lambda name: name.replace("_", "%5B"),
}
PLACES = {
    "first": "{}=x",
    "without value": "{}",
    "empty": "{}=",
    "behind &": "a=b&{}=x",
    "behind ;": "a=b;{}=x",
    "behind &amp;": "a=b&amp;{}=x",
    "before": "{}=x&a=b",
    "before ;": "{};a=b",
    "behind &&": "a&&{}=x",
    "value with =": "{}=a=b",
}


@pytest.mark.parametrize("name", RESPONSE_NAMES)
@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_no_extra_parameter_may_have_a_name_of_our_answer(name: str, spelling: Callable[[str], str]) -> None:
    for place in PLACES.values():
        extra = place.format(spelling(name))
        assert not with_extra_query(CB, f"{CB}?{extra}"), extra
        assert not with_extra_query(Q, f"{Q}&{extra}"), extra
        assert why_not_registrable(f"{CB}?{extra}", native=False, plain_http=False) is not None, extra


def test_which_names_those_are() -> None:
    assert " ".join(sorted(RESPONSE_NAMES)) == (
        "access_token code error error_description error_reason error_uri expires_in id_token iss response scope"
        " session_state state token_type"
    )


@pytest.mark.parametrize(
    "extra",
    "this=that another=true type=mobile codes=1 mycode=1 code_x=1 xcode=1 statement=1 is=1 s_state=1 token=1"
    " accesstoken access-token=1 error_=1 _error=1 x=code x=state=1 a=%26code=1 %2563ode=1 =code a[code]=1"
    " code-x=1 i.ss=1".split(),
)
def test_other_names_are_the_apps_own(extra: str) -> None:
    assert with_extra_query(CB, f"{CB}?{extra}")
    assert with_extra_query(Q, f"{Q}&{extra}")


@given(st.text(max_size=40))
def test_an_extra_parameter_that_was_encoded_is_borne_when_it_is_ascii(value: str) -> None:
    sent = f"{CB}?a={quote(value, safe='')}"
    assert with_extra_query(CB, sent) is (value.isascii() and (value.isprintable() or value == ""))


@pytest.mark.parametrize(
    ("redirect_uri", "answer"),
    [
        ("https://a.test/cb", "https://a.test/cb?code=1"),
        ("https://a.test/cb?b=c", "https://a.test/cb?b=c&code=1"),
        ("https://a.test/cb?", "https://a.test/cb?&code=1"),
        ("ig1://authorize", "ig1://authorize?code=1"),
    ],
)
def test_parameters_are_put_behind(redirect_uri: str, answer: str) -> None:
    assert with_parameters(redirect_uri, "code=1") == answer
