"""The floor's tables, one shape for both databases: whole numbers that grow are the keys, so that new rows append."""

import hashlib
import secrets
import time
from collections.abc import Iterator

CLIENT, SECRET, REDIRECT = "bench", "bench-secret", "https://rp.test/cb"
LIFETIME, YEAR = 3600, 365 * 24 * 3600
ACCOUNTS, TOKENS = 1000, 1000

SCHEMA = """
CREATE TABLE client(name TEXT PRIMARY KEY, digest BYTEA NOT NULL);
CREATE TABLE account(id BIGINT PRIMARY KEY, username TEXT NOT NULL, full_name TEXT NOT NULL, picture TEXT NOT NULL);
CREATE TABLE code(id BIGINT PRIMARY KEY, digest BYTEA NOT NULL, client TEXT NOT NULL, account BIGINT NOT NULL,
    redirect_uri TEXT NOT NULL, scope TEXT NOT NULL, expires BIGINT NOT NULL, spent BIGINT);
CREATE TABLE token(id BIGINT PRIMARY KEY, digest BYTEA NOT NULL, client TEXT NOT NULL, account BIGINT NOT NULL,
    scope TEXT NOT NULL, created BIGINT NOT NULL, expires BIGINT NOT NULL);
"""
TABLES = ("client", "account", "code", "token")


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def rows(codes: int) -> Iterator[list[tuple[object, ...]]]:
    """The rows of each of TABLES; the secret of a code or a token is its name and its number."""
    now = int(time.time())
    end, people = now + YEAR, range(1, ACCOUNTS + 1)
    yield [(CLIENT, digest(SECRET))]
    yield [(n, f"user{n}", f"The Real User {n}", f"https://rp.test/{n}.jpg") for n in people]
    owned = [(n, n % ACCOUNTS + 1) for n in range(1, codes + 1)]
    yield [(n, digest(f"code{n}"), CLIENT, who, REDIRECT, "basic", end, None) for n, who in owned]
    yield [(n, digest(f"token{n}"), CLIENT, who, "basic", now, end) for n, who in owned[:TOKENS]]
