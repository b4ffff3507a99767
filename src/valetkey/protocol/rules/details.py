"""authorization_details: what is asked for beyond a scope, entry by entry, and in words (RFC 9396)."""

import json
import re
from collections.abc import Mapping

from valetkey.protocol.errors import InvalidAuthorizationDetails
from valetkey.protocol.model import Authorization, Client
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import strict_json
from valetkey.protocol.rules.rulebook import Rulebook
from valetkey.protocol.rules.scope import ascii_words

LONGEST = 8 * 1024
MOST = 20
DEEPEST = 6
LISTS = ("locations", "actions", "datatypes", "privileges")  # RFC 9396 2.2
COMMON = frozenset({"type", "identifier", *LISTS})
FIELD = re.compile(r"\{([A-Za-z0-9_.\-]+)\}")
SHOWN = 300  # characters of one value on a page
Entry = Mapping[str, object]


def read(params: Params, client: Client, profile: Profile, book: Rulebook) -> str:
    """What a request asks for, as JSON of one spelling; "" for nothing. Raises InvalidAuthorizationDetails."""
    text = params.get("authorization_details") if profile.details else None
    if text is None:
        return ""
    found = entries(text)
    for entry in found:
        check(entry, client, book)
    return spelled(found)


def narrowed(params: Params, root: Authorization, client: Client, profile: Profile, book: Rulebook) -> str:
    """What a token is for of all that its authorization is for (RFC 9396 6); "" for all of it.

    What an app asks for itself, nobody has been shown: it must have registered these types. Raises
    InvalidAuthorizationDetails.
    """
    asked = read(params, client, profile, book)
    if not asked:
        return ""
    named = entries(asked)
    if root.own:
        allowed = {entry["type"] for entry in named} <= set(client.registered.authorization_details_types)
    else:
        granted = entries(root.terms.details) if root.terms.details else []
        allowed = all(entry in granted for entry in named)
    if not allowed:
        raise wrong("details_beyond", "asks for what was not allowed before")
    return "" if asked == root.terms.details else asked


def entries(text: str) -> list[Entry]:
    """A JSON array of objects, within bounds. Raises InvalidAuthorizationDetails."""
    try:
        found = strict_json.read(text) if len(text) <= LONGEST else None
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise wrong("details_malformed", f"must be a JSON array of objects, of at most {LONGEST} characters")
    if not 0 < len(found) <= MOST or depth(found) > DEEPEST:
        raise wrong("details_many", f"must have 1 to {MOST} entries that are not nested too deep")
    return found


def check(entry: Entry, client: Client, book: Rulebook) -> None:
    """One entry is as its type says, and the client may use that. Raises InvalidAuthorizationDetails."""
    name = entry.get("type")
    kind = book.details.get(name) if isinstance(name, str) else None
    registered = client.registered.authorization_details_types
    if kind is None or (registered and kind.type not in registered):
        raise wrong("details_type", "has a type that this client cannot ask for")
    for field in entry:
        if field not in COMMON and field not in kind.fields:
            raise wrong("details_field", f"has a field that its type does not know: {ascii_words(field)}")
    for field in kind.required:
        if entry.get(field) in (None, "", [], {}):
            raise wrong("details_missing", f"lacks a field that its type needs: {ascii_words(field)}")
    if not isinstance(entry.get("identifier", ""), str):
        raise wrong("details_identifier", "has an identifier that is no string")
    for field in LISTS:
        value = entry.get(field, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise wrong("details_list", f"has {field} that are no list of strings")


def depth(value: object) -> int:
    """How deep lists and objects are nested."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def spelled(found: list[Entry]) -> str:
    """As it is kept and told."""
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False)


def wrong(reason: str, words: str) -> InvalidAuthorizationDetails:
    """The refusal."""
    return InvalidAuthorizationDetails(reason, f"authorization_details {words}")


# --- in words ---------------------------------------------------------------------------------------------------------


def in_words(text: str, book: Rulebook) -> list[tuple[str, str]]:
    """Each entry as its type puts it, and everything it says; a type that has no words lets it speak for itself."""
    return [(worded(entry, book), everything(entry)) for entry in (entries(text) if text else [])]


def worded(entry: Entry, book: Rulebook) -> str:
    """The words of its type, with what was asked in their places."""
    kind = book.details.get(str(entry["type"]))
    if kind is None or not kind.words:
        return everything(entry)
    return FIELD.sub(lambda field: shown(inside(entry, field[1])), kind.words)


def inside(value: object, path: str) -> object:
    """What stands at a.b.c, if anything does."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def everything(entry: Entry) -> str:
    """All fields, in the order they came."""
    return "; ".join(f"{printable(name)}: {shown(value)}" for name, value in entry.items())


def shown(value: object) -> str:
    """A value for people. What is not there is said not to be."""
    if isinstance(value, dict):
        return ", ".join(f"{printable(str(name))} {shown(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    if value is None:
        return "(not said)"
    return printable(value if isinstance(value, str) else json.dumps(value))


def printable(text: str) -> str:
    """Nothing that turns the line around or hides in it (D6), and no more than fits."""
    plain = "".join(c if c.isprintable() else "?" for c in text[:SHOWN])
    return plain + "..." * (len(text) > SHOWN)
