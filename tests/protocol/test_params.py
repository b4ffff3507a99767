"""Parameters: each name at most once, an empty value is absent, nothing but clean UTF-8 (RFC 6749 3.1, F1-F3, R17)."""

from collections.abc import Callable
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.protocol.errors import InvalidRequest
from valetkey.protocol.params import FIELDS, NAME_BYTES, SEVERAL, VALUE_BYTES, Params, parse, printable

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=10)

# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "pairs"),
    [
        (b"", []),
        (b"a=b", [("a", "b")]),
        (b"a=b&c=d", [("a", "b"), ("c", "d")]),
        (b"&&a=b&", [("a", "b")]),
        (b"a", [("a", "")]),
        (b"a=", [("a", "")]),
        (b"=b", [("", "b")]),
        (b"a=b=c", [("a", "b=c")]),
        (b"a=b;c=d", [("a", "b;c=d")]),
        (b"a+b=c+d", [("a b", "c d")]),
        (b"%61%20=%2b%25%3D%26", [("a ", "+%=&")]),
        ("ä=ö".encode(), [("ä", "ö")]),
        (b"a=%C3%A4", [("a", "ä")]),
        (b"a=%0d%0A", [("a", "\r\n")]),
        (b"a=\xef\xbb\xbfb", [("a", "\ufeffb")]),
        (b"a[]=1&a[0]=2", [("a[]", "1"), ("a[0]", "2")]),
    ],
)
def test_a_query_is_read(data: bytes, pairs: list[tuple[str, str]]) -> None:
    assert list(parse(data).items()) == pairs


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"a=b&a=c", "parameter_twice", "the parameter a is there twice"),
        (b"a=b&a=b", "parameter_twice", "the parameter a is there twice"),
        (b"a=&a=b", "parameter_twice", "the parameter a is there twice"),
        (b"a&a", "parameter_twice", "the parameter a is there twice"),
        (b"a=b&%61=c", "parameter_twice", "the parameter a is there twice"),
        (b"a=\xff", "not_utf8", "the request is not UTF-8"),
        (b"a=%ff", "not_utf8", "the request is not UTF-8"),
        (b"%ff=a", "not_utf8", "the request is not UTF-8"),
        (b"a=%c0%af", "not_utf8", "the request is not UTF-8"),
        (b"a=%ed%a0%80", "not_utf8", "the request is not UTF-8"),
        (b"a=%C3", "not_utf8", "the request is not UTF-8"),
        (b"a=%zz", "percent_broken", "a percent-encoding is broken"),
        (b"a=%", "percent_broken", "a percent-encoding is broken"),
        (b"a=%4", "percent_broken", "a percent-encoding is broken"),
        (b"%4=a", "percent_broken", "a percent-encoding is broken"),
        (b"a=%+41", "percent_broken", "a percent-encoding is broken"),
        (b"a=b\0", "parameter_nul", "a parameter holds a NUL character"),
        (b"a=%00", "parameter_nul", "a parameter holds a NUL character"),
        (b"a%00=b", "parameter_nul", "a parameter holds a NUL character"),
        (b"a=" + b"b" * (VALUE_BYTES + 1), "parameter_long", "the parameter a is too long"),
        (b"b" * (NAME_BYTES + 1), "parameter_long", f"the parameter {'b' * 40} is too long"),
        (b"&".join(b"a%d" % n for n in range(FIELDS + 1)), "parameters_many", "more than 100 parameters"),
        (b'"<a>"=&"<a>"=', "parameter_twice", "the parameter ??a?? is there twice"),
    ],
)
def test_what_is_not_clean_is_refused(data: bytes, reason: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(data)
    assert (caught.value.code, caught.value.reason, caught.value.description) == (
        "invalid_request",
        reason,
        words,
    )


def test_what_is_just_within_bounds() -> None:
    data = b"&".join(
        [b"b" * NAME_BYTES + b"=" + b"c" * VALUE_BYTES, *(b"a%d" % n for n in range(FIELDS - 1))]
    )
    params = parse(data)
    assert params.get("b" * NAME_BYTES) == "c" * VALUE_BYTES
    assert len(list(params.items())) == FIELDS


def test_what_the_bounds_are() -> None:
    assert (FIELDS, VALUE_BYTES, NAME_BYTES) == (100, 4096, 256)


def test_repeating_is_bounded_too() -> None:
    assert parse(b"&".join([b"sig=1"] * FIELDS), repeated="sig").get("sig") == "1"
    with pytest.raises(InvalidRequest, match="more than 100 parameters"):
        parse(b"&".join([b"sig=1"] * (FIELDS + 1)), repeated="sig")


def test_a_form_may_bound_its_values_otherwise() -> None:
    assert parse(b"a=12345", longest=5).get("a") == "12345"
    with pytest.raises(InvalidRequest, match="the parameter a is too long"):
        parse(b"a=123456", longest=5)


@pytest.mark.parametrize("count", [FIELDS, FIELDS + 1])
def test_how_many_fields_a_multipart_form_may_have(count: int) -> None:
    pairs = [(f"a{n}", "") for n in range(count)]
    if count > FIELDS:
        with pytest.raises(InvalidRequest, match="more than 100 parameters"):
            Params(pairs)
    else:
        assert list(Params(pairs).items()) == pairs


@pytest.mark.parametrize(
    ("data", "ok"),
    [
        (b"sig=1&sig=1", True),
        (b"sig=1&a=b&sig=1&sig=1", True),
        (b"sig=1&sig=2", False),
        (b"sig=1&sig=%31", False),
        (b"sig&sig", False),
        (b"sig=1&sig=1&a=b&a=b", False),
        (b"sign=1&sign=1", False),
    ],
)
def test_one_name_may_be_repeated_with_the_same_value(data: bytes, ok: bool) -> None:
    if ok:
        assert parse(data, repeated="sig").get("sig") == "1"
    else:
        with pytest.raises(InvalidRequest, match="there twice"):
            parse(data, repeated="sig")
    with pytest.raises(InvalidRequest, match="there twice"):
        parse(data)


def test_an_empty_value_is_absent_yet_sent() -> None:
    params = parse(b"a=&b=1")
    assert params.get("a") is None
    assert "a" in params
    assert params.get("b") == "1"
    assert params.get("c") is None
    assert "c" not in params
    assert list(params.items()) == [("a", ""), ("b", "1")]


@given(st.lists(st.tuples(NAMES, TEXT), unique_by=lambda pair: pair[0], max_size=8))
def test_what_was_encoded_is_read_back(pairs: list[tuple[str, str]]) -> None:
    assert list(parse(urlencode(pairs).encode()).items()) == pairs
    assert list(parse(urlencode(pairs, quote_via=quote).encode()).items()) == pairs


@given(st.binary(max_size=60) | st.text("a=&;%+41\0é", max_size=30).map(str.encode))
def test_any_bytes_are_read_as_the_standard_library_reads_them_or_refused(data: bytes) -> None:
    try:
        found = list(parse(data).items())
    except InvalidRequest:
        return
    assert found == parse_qsl(data.decode(), keep_blank_values=True, errors="strict")


# --- state, as it was sent --------------------------------------------------------------------------------------------


@given(TEXT, st.sampled_from([quote, quote_plus, lambda text: quote(text, safe="")]))
def test_what_was_encoded_goes_back_as_it_came(text: str, encode: Callable[[str], str]) -> None:
    sent = encode(text)
    back = parse(f"state={sent}".encode()).as_sent("state")
    assert back == sent
    assert unquote_plus(back) == text


@given(TEXT)
def test_any_text_goes_back_and_decodes_to_the_same(text: str) -> None:
    """Also what a careless client did not encode; nothing that ends a header or a parameter is ever sent raw."""
    for raw in (text.replace("&", "%26").replace("%", "%25"), quote(text, safe="/?:@!$'()*,;="), text):
        try:
            params = parse(b"state=" + raw.encode())
        except InvalidRequest:
            assert "%" in raw
            continue
        back = params.as_sent("state")
        assert unquote_plus(back) == (params.get("state") or "")
        assert back.isascii() and back.isprintable()
        assert not set(back) & set(' "#<>\\^`{|}&\r\n')


@pytest.mark.parametrize(
    ("raw", "back"),
    [
        ("abc", "abc"),
        ("a+b", "a+b"),
        ("a%20b", "a%20b"),
        ("a%2fb", "a%2fb"),
        ("a%2Fb", "a%2Fb"),
        ("a/b?c=d", "a/b?c=d"),
        ("%61", "%61"),
        ("a'b;c,d", "a'b;c,d"),
        ("%0d%0aSet-Cookie:%20a", "%0d%0aSet-Cookie:%20a"),
        ("a\r\nb", "a%0D%0Ab"),
        ('a"b', "a%22b"),
        ("a#b", "a%23b"),
        ("<a>+b", "%3Ca%3E%20b"),
        ("é", "%C3%A9"),
        ("a b", "a%20b"),
        ("", ""),
    ],
)
def test_the_spelling_is_kept_where_it_is_safe(raw: str, back: str) -> None:
    assert parse(f"state={raw}".encode()).as_sent("state") == back


@pytest.mark.parametrize(
    ("params", "back"),
    [
        (parse(b"st%61te=a+b"), "a%20b"),
        (parse(b"other=a"), ""),
        (Params([("state", "a b&c=d\r\n")]), "a%20b%26c%3Dd%0D%0A"),
        (Params([]), ""),
    ],
)
def test_without_a_spelling_it_is_encoded_anew(params: Params, back: str) -> None:
    assert params.as_sent("state") == back
    assert unquote(back) == (params.get("state") or "")


@given(st.text(max_size=80))
def test_a_name_is_shown_short_and_plain(name: str) -> None:
    shown = printable(name)
    assert len(shown) <= 40
    assert set(shown) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-?")


@pytest.mark.parametrize("data", [b"Count=1&Count=2", b"Count=" + b"a" * 5000])
def test_a_refusal_names_the_parameter(data: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(data)
    assert caught.value.subject == "Count" and "parameter Count is" in caught.value.description


def test_a_slash_is_encoded_anew_where_nothing_is_spelled() -> None:
    assert Params([("state", "a/b?c")]).as_sent("state") == "a%2Fb%3Fc"


def test_long_values_have_the_bound_that_was_said() -> None:
    text = "a" * 5000
    assert parse(f"a={text}&b=%20".encode(), longest=5000).get("a") == text
    assert parse(f"a={text}".encode(), longest=5000).get("a") == text


# --- names that may be there several times (RFC 8707 2) --------------------------------------------------------------


def test_several_values_of_the_names_that_may_have_them() -> None:
    sent = parse(b"resource=a&x=1&resource=b%20c&resource=a&resource=&audience=d", several=SEVERAL)
    assert sent.all("resource") == ("a", "b c") and sent.get("resource") == "a"
    assert (sent.all("audience"), sent.all("x"), sent.all("y")) == (("d",), ("1",), ())
    assert list(sent.items()) == [
        ("resource", "a"), ("x", "1"), ("audience", "d"), ("resource", "b c"), ("resource", "a"), ("resource", "")
    ]  # fmt: skip
    again = parse("&".join(sent.spelled()).encode(), several=SEVERAL)
    assert again.all("resource") == ("a", "b c") and again.get("audience") == "d"
    with pytest.raises(InvalidRequest, match="resource is there twice"):
        sent.check_once()
    parse(b"resource=a", several=SEVERAL).check_once()


def test_further_values_are_spelled_anew() -> None:
    sent = parse(b"resource=a/b&resource=c/d&n/m=1", several=SEVERAL)
    assert sent.spelled() == ["resource=a/b", "n%2Fm=1", "resource=c%2Fd"]


def test_no_other_name_may_and_nowhere_else() -> None:
    for sent, several in ((b"x=1&resource=a&x=2", SEVERAL), (b"resource=a&resource=b", ())):
        with pytest.raises(InvalidRequest, match="is there twice"):
            parse(sent, several=several)


def test_their_number_is_bounded_too() -> None:
    with pytest.raises(InvalidRequest, match="more than"):
        Params([("resource", str(n)) for n in range(FIELDS + 1)], several=SEVERAL)
