"""What the console says about apps: their types, profiles, how long secrets overlap, examples of the redirect rule."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """How a choice is called and what it means."""

    title: str
    words: str


TYPES = {
    "web": Words(
        "Web app",
        "Runs on your server, which keeps a secret. Uses the server-side flow, the recommended one.",
    ),
    "spa": Words(
        "Browser app",
        "JavaScript with no server of its own. Gets no secret, since it could not keep one; in the classic profile it"
        " uses the implicit flow.",
    ),
    "native": Words(
        "Native app", "On a phone or a desktop. Gets no secret, and may come back to a URI scheme of its own."
    ),
    "service": Words("Service", "A program on a server, with no people in front of it. Keeps a secret."),
}

PROFILES = {
    "classic": Words(
        "Classic",
        "The photo platform's dialect of the early web, to the letter: extra query parameters on redirect URIs, the"
        " user in the token answer, the implicit flow if you allow it.",
    ),
    "oauth20": Words("OAuth 2.0", "The code flow of today: exact redirect URIs, https, PKCE if you send it."),
    "oauth21": Words("OAuth 2.1", "As OAuth 2.0, with PKCE for every app."),
    "mcp": Words("MCP", "For AI agents: as OAuth 2.1, and every token is for the servers it names."),
    "fapi2": Words("FAPI 2.0", "For money and health: pushed requests, signed clients, bound tokens."),
}

OVERLAPS = {0: "now", 3600: "in 1 hour", 86400: "in 24 hours", 604800: "in 7 days"}

# The table of the origin document: registered, sent, valid (classic.md D8).
EXAMPLES = (
    ("http://yourcallback.com/", "http://yourcallback.com/", True),
    ("http://yourcallback.com/", "http://yourcallback.com/?this=that", True),
    ("http://yourcallback.com/?this=that", "http://yourcallback.com/", False),
    ("http://yourcallback.com/?this=that", "http://yourcallback.com/?this=that&another=true", True),
    ("http://yourcallback.com/?this=that", "http://yourcallback.com/?another=true&this=that", False),
    ("http://yourcallback.com/callback", "http://yourcallback.com/", False),
    ("http://yourcallback.com/callback", "http://yourcallback.com/callback?type=mobile", True),
)
