"""Names: one key for each, and none that deceives."""

import pytest

from valetkey.server import names


@pytest.mark.parametrize(
    "variant", ["SnoopDogg", " snoopdogg ", "SNOOPDOGG", "ｓｎｏｏｐｄｏｇｇ", "ＳnoopDogg\u2003"]
)
def test_I6_variants_of_a_name_have_one_key(variant: str):
    assert names.canonical(variant) == "snoopdogg"


@pytest.mark.parametrize(
    "name",
    ["", "a b", "snoop​dogg", "sn\u043eopdogg", ".a", "a.", "-a", "a" * 31, "a\n", "<b>", "a@b", "名前"],
)
def test_I6_usernames_that_could_be_taken_for_others_are_refused(name: str):
    assert names.why_not_username(name)


@pytest.mark.parametrize("name", ["a", "snoopdogg", "snoop.dogg", "snoop_dogg_", "S-1", "a" * 30, "1574083"])
def test_plain_usernames_are_fine(name: str):
    assert names.why_not_username(name) is None


@pytest.mark.parametrize(
    "text", ["Photo\u202ePrinter", "Photo\u200bPrinter", "a\tb", "a\x00b", "a\u2028b", "x" * 65, "  "]
)
def test_D6_deceiving_app_names_are_refused(text: str):
    assert names.why_not_line(text, 64, shortest=1)


def test_D6_names_of_all_languages_are_fine():
    for text in ("Foto-Drucker ä", "写真プリンター", "طابعة الصور", "<b>Bold</b> & Co"):
        assert names.why_not_line(text, 64, shortest=1) is None


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "//x.example", "https://a b", 'https://x/"', "ftp://x", "https://" + "a" * 300],
)
def test_websites_that_are_not_plain_links_are_refused(url: str):
    assert names.why_not_website(url)


def test_plain_websites_and_none_are_fine():
    assert names.why_not_website("") is None
    assert names.why_not_website("https://example.org/~me?x=1") is None


@pytest.mark.parametrize(
    "email", ["", "a", "@b.c", "a@", "a b@c.d", "a@b@c", "a" * 65 + "@b.c", "a@b.c" + "d" * 255, "<a>@b.c"]
)
def test_addresses_that_cannot_be_are_refused(email: str):
    assert names.why_not_email(email)


def test_one_spelling_is_kept():
    assert names.tidy("  Ame\u0301lie ") == "Am\u00e9lie"
