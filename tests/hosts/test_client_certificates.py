"""nginx as docs/guides/client-certificates.md shows it: TLS ends there, and whose certificate it was is handed on."""

import json
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace

from tests.certificates import escaped, name
from tests.cli.serving import Serving
from tests.hosts.programs import GUIDE, Program, block, nginx_of, put
from tests.publisher import NAMES, certified
from tests.signing import Signer
from valetkey import settings
from valetkey.cli.config import mistakes
from valetkey.protocol.changes import Save
from valetkey.protocol.model import Client, Registration
from valetkey.protocol.rules.certificate import thumbprint
from valetkey.store import open_store

CERTIFICATES = GUIDE.with_name("client-certificates.md")


@dataclass(frozen=True)
class Holder:
    """Somebody with a key, a certificate, and both in a file."""

    key: EllipticCurvePrivateKey
    subject: x509.Name
    file: Path
    der: bytes


def holder(place: Path, common_name: str, authority: Holder | None = None) -> Holder:
    """A certificate of this name, by an authority or of its own."""
    key, subject = generate_private_key(SECP256R1()), name(("O", "Photo Printer"), ("CN", common_name))
    start = datetime.now(UTC) - timedelta(hours=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .sign(authority.key if authority else key, hashes.SHA256())
    )
    file = place / f"{len(list(place.glob('*.pem')))}.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return Holder(key, subject, file, made.public_bytes(Encoding.DER))


def app(client_id: str, **registered: str) -> Client:
    said = Registration(**registered)
    return Client(client_id, 1, client_id, "service", "oauth21", (), 1_800_000_000, registered=said)


@pytest.fixture
def authority(tmp_path: Path) -> Holder:
    return holder(tmp_path, "Authority of apps")


@pytest.fixture
async def port(tmp_path: Path, fresh_sqlite: Path, authority: Holder) -> AsyncIterator[int]:
    """Where nginx listens, before a server whose settings are the guide's."""
    database = f"sqlite:///{fresh_sqlite}"
    store = open_store(database)
    await store.open()
    own = holder(tmp_path, "own")
    (tmp_path / "own.pem").symlink_to(own.file)
    await store.apply(
        (
            Save(
                app(
                    "named",
                    token_endpoint_auth_method="tls_client_auth",
                    tls_client_auth_subject_dn="CN=named,O=Photo Printer",
                )
            ),
            Save(
                app(
                    "own",
                    token_endpoint_auth_method="self_signed_tls_client_auth",
                    jwks=json.dumps({"keys": [Signer(more={"x5t#S256": thumbprint(own.der)}).jwk]}),
                )
            ),
        )
    )
    await store.close()
    file = tmp_path / "valetkey.toml"
    file.write_text(block("toml", CERTIFICATES))
    with Serving(database, "--config", str(file)) as server:
        front = before(server.port, tmp_path, authority)
        yield front.port
        front.stop()


def before(server: int, place: Path, authority: Holder) -> Program:
    """The guide's nginx before the server on this port."""
    certificate, key = certified(NAMES, place)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    words = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/mtls.id.example.org.pem": str(certificate),
        "/etc/ssl/mtls.id.example.org.key": str(key),
        "/etc/ssl/authorities-of-apps.pem": str(authority.file),
        "http://127.0.0.1:8000": f"http://127.0.0.1:{server}",
    }
    return nginx_of(place, port, put(block("nginx", CERTIFICATES), words))


async def ask(port: int, place: Path, client_id: str, who: Holder | None, **headers: str) -> tuple[int, str]:
    """A token request with this certificate: status and, unless it went well, what was said."""
    tls = ssl.create_default_context(cafile=place / "cert.pem")
    if who is not None:
        tls.load_cert_chain(who.file)
    async with httpx2.AsyncClient(verify=tls, trust_env=False) as client:
        fields = {"grant_type": "client_credentials", "client_id": client_id}
        answer = await client.post(f"https://localhost:{port}/oauth/token", data=fields, headers=headers)
    said = answer.json() if answer.headers["content-type"] == "application/json" else {}
    return answer.status_code, said.get("error_description", "")


async def test_the_certificate_of_the_connection_says_who_it_is(
    port: int, tmp_path: Path, authority: Holder
) -> None:
    good = holder(tmp_path, "named", authority)
    assert await ask(port, tmp_path, "named", good) == (200, "")
    assert await ask(port, tmp_path, "named", holder(tmp_path, "other", authority)) == (
        401,
        "the certificate is not the one of this client",
    )
    unverified = (401, "the certificate is of no authority that is trusted here")
    assert await ask(port, tmp_path, "named", holder(tmp_path, "named")) == unverified
    assert (
        await ask(port, tmp_path, "named", holder(tmp_path, "named", holder(tmp_path, "Else"))) == unverified
    )
    namesake = holder(
        tmp_path, "Authority of apps"
    )  # nginx itself stops what an authority would have signed wrong
    assert await ask(port, tmp_path, "named", holder(tmp_path, "named", namesake)) == (400, "")
    nothing = (401, "this client must authenticate with a certificate")
    assert await ask(port, tmp_path, "named", None) == nothing
    forged = {"X-Client-Cert": escaped(good.der), "X-Client-Verify": "SUCCESS"}
    assert await ask(port, tmp_path, "named", None, **forged) == nothing


async def test_a_certificate_that_nobody_vouches_for(port: int, tmp_path: Path, authority: Holder) -> None:
    own = Holder(authority.key, authority.subject, tmp_path / "own.pem", b"")
    assert await ask(port, tmp_path, "own", own) == (200, "")
    assert (await ask(port, tmp_path, "own", holder(tmp_path, "own")))[0] == 401
    assert (await ask(port, tmp_path, "own", holder(tmp_path, "own", authority)))[0] == 401


def test_the_settings_of_the_guide_are_settings(tmp_path: Path) -> None:
    file = tmp_path / "valetkey.toml"
    file.write_text(block("toml", CERTIFICATES))
    assert mistakes(replace(settings.load(file, {}), database=f"sqlite:///{tmp_path}/x.db")) == []
