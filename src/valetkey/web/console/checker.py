"""The redirect checker: the verdict of every registered URI, the first difference marked, the rule named."""

from dataclasses import dataclass
from itertools import takewhile

from valetkey.protocol.model import Client
from valetkey.protocol.profile import Profile
from valetkey.server import clients
from valetkey.server.authorization_server import AuthorizationServer

LONGEST = 2000
EXACT = "Rule: the same, character by character."
PORTS = "Rule: the same, character by character; only the port may be another, on 127.0.0.1 and [::1]."
EXTRA = "Rule: the same, character by character; only further query parameters may follow."


@dataclass(frozen=True, slots=True)
class Marked:
    """A verdict; what was sent is cut in two where it begins to differ."""

    registered: str
    ok: bool
    words: str
    same: str
    differs: str
    rule: str


def check(server: AuthorizationServer, client: Client, given: str) -> list[Marked]:
    """What each registered URI says to the one that was pasted."""
    given = given[:LONGEST]
    profile = server.book.profiles[client.profile]
    ports = PORTS if profile.loopback_ports and client.type == "native" else EXACT
    rule = EXTRA if allows_more(profile) else ports
    marked = []
    for verdict in clients.check_redirect_uri(server, client, given):
        same = given if verdict.ok else common(verdict.registered, given)
        words = verdict.words[:1].upper() + verdict.words[1:] + "."
        marked.append(Marked(verdict.registered, verdict.ok, words, same, given[len(same) :], rule))
    return marked


def common(one: str, other: str) -> str:
    """What both begin with."""
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def allows_more(profile: Profile) -> bool:
    """Whether the profile lets query parameters follow: it is asked, not recognised by its name."""
    return profile.redirect_matches("https://app.example/", "https://app.example/?this=that")
