"""Which redirect_uri may be registered, and what its developer is told when it may not (R4, A1-A10)."""

import pytest

from valetkey.protocol.rules.redirect_uri import LONGEST, loopback, loops_back, why_not_registrable

ASCII = "must be plain ASCII"
ABSOLUTE = "is not an absolute URI such as"
HOST = "does not name a host and port"
DOTS = "must not contain . or .."
NEVER = "has a scheme or characters"
NAME = "must not use a name of our own answer"
HTTPS = "must start with https://"
OWN = "is not an absolute URI with a scheme of your own"

NOT_REGISTRABLE = [
    ("A1 empty", "", HTTPS),
    ("A1 relative", "/cb", HTTPS),
    ("A1 scheme-relative", "//app.example/cb", HTTPS),
    ("A1 host only", "app.example/cb", HTTPS),
    ("A1 host and port", "app.example:80/cb", HTTPS),
    ("A1 wildcard host", "https://*.app.example/cb", "must not contain a wildcard"),
    ("A1 wildcard path", "https://app.example/*", "must not contain a wildcard"),
    ("A1 wildcard behind host", "https://app.example*", "must not contain a wildcard"),
    ("A3 userinfo", "https://evil@app.example/cb", "must not contain an @"),
    ("A3 user and password", "https://a:b@app.example/cb", "must not contain an @"),
    ("A3 empty userinfo", "https://@app.example/cb", "must not contain an @"),
    ("A3 several @", "https://a@b@app.example/cb", "must not contain an @"),
    ("A3 @ without path", "https://app.example@evil.example", "must not contain an @"),
    ("A3 @ before ?", "https://app.example@evil.example?a", "must not contain an @"),
    ("A3 @ encoded", "https://app.example%40evil.example/cb", ABSOLUTE),
    ("A3 backslash", r"https://app.example\cb", "must not contain a backslash"),
    ("A3 backslash @", r"https://evil.example\@app.example/cb", "must not contain a backslash"),
    ("A3 quote", 'https://app.example/"', ABSOLUTE),
    ("A3 angles", "https://app.example/<b>", ABSOLUTE),
    ("A3 braces", "https://app.example/{id}", ABSOLUTE),
    ("A3 bar", "https://app.example/a|b", ABSOLUTE),
    ("A3 caret", "https://app.example/a^b", ABSOLUTE),
    ("A3 backtick", "https://app.example/a`b", ABSOLUTE),
    ("A3 bracket in path", "https://app.example/a[0]", ABSOLUTE),
    ("A3 no host", "https:///cb", ABSOLUTE),
    ("A3 no host at all", "https://", ABSOLUTE),
    ("A3 port without host", "https://:443/cb", ABSOLUTE),
    ("A3 no slashes", "https:app.example/cb", ABSOLUTE),
    ("A3 one slash", "https:/app.example/cb", ABSOLUTE),
    ("A3 encoded host", "https://app%2eexample/cb", ABSOLUTE),
    ("A3 encoded slash in host", "https://app.example%2fcb", ABSOLUTE),
    ("A3 underscore in host", "https://a_b.example/cb", ABSOLUTE),
    ("A3 empty label", "https://app..example/cb", HOST),
    ("A3 dot first", "https://.app.example/cb", HOST),
    ("A3 hyphen first", "https://-app.example/cb", HOST),
    ("A3 hyphen last", "https://app-.example/cb", HOST),
    ("A3 label of 64", f"https://{'a' * 64}.example/cb", HOST),
    ("A3 host of 254", f"https://{'a.' * 126}aa/cb", HOST),
    ("A3 broken percent", "https://app.example/%zz", NEVER),
    ("A3 cut percent", "https://app.example/%4", NEVER),
    ("A4 trailing dot", "https://app.example./cb", HOST),
    ("A4 port 0", "https://app.example:0/cb", HOST),
    ("A4 port 65536", "https://app.example:65536/cb", HOST),
    ("A4 port of six digits", "https://app.example:000443/cb", ABSOLUTE),
    ("A4 port with letters", "https://app.example:a/cb", ABSOLUTE),
    ("A4 empty port", "https://app.example:/cb", ABSOLUTE),
    ("A5 /..", "https://app.example/a/../cb", DOTS),
    ("A5 /.. last", "https://app.example/..", DOTS),
    ("A5 /.", "https://app.example/./cb", DOTS),
    ("A5 . last", "https://app.example/cb/.", DOTS),
    ("A5 encoded ..", "https://app.example/%2e%2E/cb", DOTS),
    ("A5 half encoded", "https://app.example/.%2e/cb", DOTS),
    ("A5 encoded .", "https://app.example/%2E/cb", DOTS),
    ("A5 encoded twice", "https://app.example/%252e%252e/cb", DOTS),
    ("A5 ..;/", "https://app.example/..;/cb", DOTS),
    ("A5 ..;a=b/", "https://app.example/x/..;a=b/cb", DOTS),
    ("A5 ..%3b/", "https://app.example/..%3b/cb", DOTS),
    ("A5 encoded slash", "https://app.example/a%2f..%2Fcb", DOTS),
    ("A5 encoded backslash", "https://app.example/a%5c..%5Ccb", DOTS),
    ("A6 javascript", "javascript:alert(1)", NEVER),
    ("A6 javascript in capitals", "JaVaScRiPt:alert(1)", NEVER),
    ("A6 javascript like a URI", "javascript://app.example/%0aalert(1)", NEVER),
    ("A6 data", "data:text/html,x", NEVER),
    ("A6 DATA", "DATA:text/html;base64,eA==", NEVER),
    ("A6 vbscript", "VBScript:x", NEVER),
    ("A6 file", "file:///etc/passwd", NEVER),
    ("A6 File", "File:///C:/", NEVER),
    ("A6 blob", "blob:https://app.example/1", NEVER),
    ("A6 about", "about:blank", NEVER),
    ("A6 view-source", "view-source:https://app.example/", NEVER),
    ("A6 ws", "ws://app.example/", NEVER),
    ("A6 wss", "wss://app.example/", NEVER),
    ("A6 ftp", "ftp://app.example/", NEVER),
    ("A6 space before", " javascript:alert(1)", ASCII),
    ("A6 tab inside", "java\tscript:alert(1)", ASCII),
    ("A6 control before", "\x01javascript:alert(1)", ASCII),
    ("A6 HTTPS in capitals", "HTTPS://app.example/cb", ABSOLUTE),
    ("A7 full-width", "https://ａpp.example/cb", ASCII),
    ("A7 cyrillic", "https://аpp.example/cb", ASCII),
    ("A7 ideographic full stop", "https://app。example/cb", ASCII),
    ("A7 umlaut in path", "https://app.example/ü", ASCII),
    ("A7 non-ASCII encoded", "https://app.example/%c3%bc", NEVER),
    ("A7 overlong encoded", "https://app.example/%c0%af", NEVER),
    ("A7 not punycode", "https://xn--a.example/cb", HOST),
    ("A7 empty punycode", "https://xn--.example/cb", HOST),
    ("A7 punycode of ASCII", "https://xn--abc-.example/cb", HOST),
    ("A7 decimal address", "http://2130706433/cb", HOST),
    ("A7 hexadecimal address", "http://0x7f000001/cb", HOST),
    ("A7 hexadecimal part", "http://1.2.3.0x4/cb", HOST),
    ("A7 octal part", "http://0177.0.0.1/cb", HOST),
    ("A7 short address", "http://127.1/cb", HOST),
    ("A7 part above 255", "http://1.2.3.256/cb", HOST),
    ("A7 five parts", "http://1.2.3.4.5/cb", HOST),
    ("A7 address with a dot", "http://127.0.0.1./cb", HOST),
    ("A7 IPv6 cut", "http://[::1/cb", ABSOLUTE),
    ("A7 IPv6 malformed", "http://[:::1]/cb", HOST),
    ("A7 IPv6 zone", "http://[fe80::1%25eth0]/cb", ABSOLUTE),
    ("A7 IPv6 empty", "http://[]/cb", ABSOLUTE),
    ("A7 IPv6 too long", "http://[1:2:3:4:5:6:7:8:9]/cb", HOST),
    ("A8 LF behind", "https://app.example/cb\n", ASCII),
    ("A8 CR LF", "https://app.example/cb\r\nX: y", ASCII),
    ("A8 tab", "https://app\t.example/cb", ASCII),
    ("A8 NUL", "https://app.example/cb\0", ASCII),
    ("A8 DEL", "https://app.example/cb\x7f", ASCII),
    ("A8 BOM", "\ufeffhttps://app.example/cb", ASCII),
    ("A8 space", "https://app.example/c b", ASCII),
    ("A8 encoded CR", "https://app.example/%0D", NEVER),
    ("A8 encoded NUL", "https://app.example/%00", NEVER),
    ("A8 encoded DEL", "https://app.example/?%7F", NEVER),
    ("A9 code", "https://app.example/cb?code=1", NAME),
    ("A9 state encoded", "https://app.example/cb?a=b&%73tate", NAME),
    ("A10 fragment", "https://app.example/cb#", "must not contain a fragment"),
    ("A10 fragment with words", "https://app.example/#/cb", "must not contain a fragment"),
    ("longer than 2000", "https://app.example/".ljust(2001, "a"), "is longer than 2000 characters"),
    ("private-use scheme", "ig123://authorize", HTTPS),
]


@pytest.mark.parametrize(
    ("uri", "words"), [row[1:] for row in NOT_REGISTRABLE], ids=[row[0] for row in NOT_REGISTRABLE]
)
def test_what_a_web_app_cannot_register(uri: str, words: str) -> None:
    found = why_not_registrable(uri, native=False, plain_http=True)
    assert found is not None and found.startswith(words)


@pytest.mark.parametrize(
    ("uri", "words"),
    [(uri, words) for _, uri, words in NOT_REGISTRABLE if words != HTTPS]
    + [
        ("", OWN),
        ("/cb", OWN),
        ("cb", OWN),
        ("MyApp://cb", OWN),
        ("1app://cb", OWN),
        ("my_app://cb", OWN),
        ("myapp:cb", OWN),
        ("myapp://host:80/cb", OWN),
        ("myapp://host%41/cb", OWN),
        ("myapp://user@host/cb", "must not contain an @"),
        ("myapp:user@host", OWN),
        ("myapp://cb/..", OWN),
        ("myapp:/a/%2e%2e/b", OWN),
        ("myapp:/a[0]", OWN),
        ("myapp://cb?code=1", NAME),
        ("myapp://cb?<a>", NAME),
        ("https:authorize", ABSOLUTE),
    ],
)
def test_what_a_native_app_cannot_register(uri: str, words: str) -> None:
    found = why_not_registrable(uri, native=True, plain_http=True)
    assert found is not None and found.startswith(words)


REGISTRABLE = [
    "https://app.example?a=@b",
    "https://app.example",
    "https://app.example/",
    "https://app.example/cb",
    "https://app.example/cb/",
    "https://app.example:8443/cb",
    "https://app.example:1/cb",
    "https://app.example:65535/cb",
    "https://app.example/cb?this=that",
    "https://app.example/cb?this=that&another=true",
    "https://app.example?this=that",
    "https://app.example/a.b/c..d/...",
    "https://app.example/~me/%20/@me/a;b",
    "https://APP.Example/cb",
    "https://xn--bcher-kva.example/cb",
    "https://a--b.example/cb",
    "https://3com.example/cb",
    "https://intranet/cb",
    f"https://{'a' * 63}.example/cb",
    f"https://{'a.' * 126}a/cb",
    "https://127.0.0.1/cb",
    "https://[2001:db8::1]:8443/cb",
    "https://[1:2:3:4:5:6:7:8]/cb",
    "http://127.0.0.1/cb",
    "http://127.0.0.1:5000/cb",
    "http://localhost:3000/cb",
    "http://[::1]:3000/cb",
]
PLAIN_HTTP = [
    "http://app.example/cb",
    "http://yourcallback.com/",
    "http://192.0.2.1/cb",
    "http://127.0.0.2/cb",
    "http://localhost.example/cb",
    "http://LOCALHOST/cb",
    "http://[::2]/cb",
]
OF_A_NATIVE_APP = [
    "ig123://authorize",
    "com.example.app:/cb",
    "com.example.app://cb",
    "myapp://cb?this=that",
    "myapp://",
    "myapp:///cb",
    "my-app+1.0://a_b/cb",
]


@pytest.mark.parametrize("uri", REGISTRABLE)
def test_what_every_app_can_register(uri: str) -> None:
    for native in (False, True):
        for plain_http in (False, True):
            assert why_not_registrable(uri, native, plain_http) is None


@pytest.mark.parametrize("uri", PLAIN_HTTP)
def test_http_beyond_this_machine_is_for_classic_only(uri: str) -> None:
    assert why_not_registrable(uri, native=False, plain_http=True) is None
    found = why_not_registrable(uri, native=False, plain_http=False)
    assert found is not None and found.startswith("must start with https:// (http only for this machine")


@pytest.mark.parametrize("uri", OF_A_NATIVE_APP)
def test_a_scheme_of_its_own_is_for_native_apps_only(uri: str) -> None:
    assert why_not_registrable(uri, native=True, plain_http=False) is None
    found = why_not_registrable(uri, native=False, plain_http=True)
    assert found is not None and found.startswith(HTTPS)


@pytest.mark.parametrize(("length", "ok"), [(LONGEST, True), (LONGEST + 1, False)])
def test_how_long_it_may_be(length: int, ok: bool) -> None:
    assert (why_not_registrable("https://app.example/".ljust(length, "a"), False, False) is None) is ok


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1", True),
        ("[::1]", True),
        ("localhost", True),
        ("127.0.0.11", False),
        ("a.localhost", False),
    ],
)
def test_this_machine(host: str, ours: bool) -> None:
    assert loopback(host) is ours


@pytest.mark.parametrize(
    ("uri", "ours"),
    [
        ("http://127.0.0.1:9/cb", True),
        ("https://localhost/cb", True),
        ("http://[::1]:9/cb", True),
        ("http://127.0.0.1.app.test/cb", False),
        ("https://app.test/127.0.0.1", False),
        ("app://127.0.0.1/cb", False),
    ],
)
def test_what_leads_to_this_machine(uri: str, ours: bool) -> None:
    assert loops_back(uri) is ours
