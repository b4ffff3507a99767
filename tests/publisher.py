"""Somebody else's https server on this machine: its own authority, and answers byte for byte.

async with Publisher() as site:
    site.say("/keys", b"HTTP/1.1 200 OK\\r\\n...")
    site.url("/keys")               https://localhost:PORT/keys
    site.heads                      what it was asked, as it came
    await site.asked.acquire()      until it is asked once more
"""

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = ("localhost", "keys.example", "127.0.0.1")
PEM = serialization.Encoding.PEM


def document(body: bytes, kind: str = "application/json", *more: str, status: str = "200 OK") -> bytes:
    """A whole answer; more: further header lines."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def certified(names: tuple[str, ...], folder: Path) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key, as two files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Publisher")])
    start = datetime.now(UTC) - timedelta(days=1)
    known = [
        x509.IPAddress(ip_address(n)) if n.replace(".", "").isdigit() else x509.DNSName(n) for n in names
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(known), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(PEM))
    secret = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    return folder / "cert.pem", folder / "key.pem"


class Publisher:
    """One site. `held` stops every answer until it is set, so that a test sees what happens meanwhile."""

    def __init__(self, names: tuple[str, ...] = NAMES) -> None:
        self.names = names
        self.answers: dict[str, list[bytes]] = {}
        self.heads: list[str] = []
        self.asked = asyncio.Semaphore(0)
        self.served: list[str] = []
        self.held = asyncio.Event()
        self.held.set()
        self.after: asyncio.Event | None = None

    def say(self, path: str, *answers: bytes) -> None:
        """What is answered there: one after the other, and the last one from then on."""
        self.answers[path] = list(answers)

    def url(self, path: str, host: str = "localhost") -> str:
        return f"https://{host}:{self.port}{path}"

    @property
    def ca(self) -> str:
        return str(self.certificate)

    async def __aenter__(self) -> Self:
        self.stack = contextlib.ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.certificate, key = certified(self.names, folder)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate, key)
        tls.sni_callback = lambda _, name, __: self.served.append(name)
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=tls)
        self.port: int = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.held.set()
        if self.after is not None:
            self.after.set()
        self.server.close()
        await self.server.wait_closed()
        self.stack.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.heads.append(head)
            self.asked.release()
            await self.held.wait()
            answers = self.answers.get(head.split(" ")[1], [document(b"{}", status="404 Not Found")])
            writer.write(answers.pop(0) if len(answers) > 1 else answers[0])
            await writer.drain()
            if self.after is not None:
                await self.after.wait()
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()


@pytest.fixture
async def site() -> AsyncIterator[Publisher]:
    """A site that publishes nothing yet."""
    async with Publisher() as made:
        yield made
