"""Mutual TLS between the parts of the embedded S3 server: their ports, but for S3's own, ask for a certificate.

SeaweedFS is several servers in one process, which speak HTTP and gRPC with each other on loopback. Without this, every
local user reads, writes and deletes objects there, past the keys of S3.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta, timezone
from pathlib import Path

from journey.services.state import write_private

FOLDER = "tls"
SETTINGS = "security.toml"  # SeaweedFS looks for it in the folder that it is started in
YEARS = 20  # it never leaves this folder, and goes with it
GRPC = ("master", "volume", "filer", "s3", "admin", "worker", "msg_broker", "msg_agent", "mq")
HTTPS = ("master", "volume", "filer", "admin")


def set_up(folder: Path) -> Path:
    """Make the certificate, its key and the settings that name them, unless they are there.

    Args:
        folder: private folder of the services.

    Returns:
        The folder to start the server in.
    """
    ours = folder / FOLDER
    ours.mkdir(mode=0o700, exist_ok=True)
    if not (ours / SETTINGS).exists():
        certificate, key = _self_signed()
        write_private(ours / "certificate.pem", certificate)
        write_private(ours / "key.pem", key)
        write_private(ours / SETTINGS, _settings(ours))  # last: it says that the others are whole
    return ours


def is_set_up(folder: Path) -> bool:
    """Whether a server that was started from this folder asks for the certificate."""
    return (folder / FOLDER / SETTINGS).exists()


def _settings(ours: Path) -> str:
    pair = f'cert = "{ours / "certificate.pem"}"\nkey = "{ours / "key.pem"}"\n'
    trusted = f'ca = "{ours / "certificate.pem"}"\n'
    sections = [f"[grpc]\n{trusted}", f"[grpc.client]\n{pair}", f"[https.client]\nenabled = true\n{pair}{trusted}"]
    sections += [f"[grpc.{part}]\n{pair}" for part in GRPC]
    sections += [f"[https.{part}]\n{pair}{trusted}" for part in HTTPS]
    return "\n".join(sections)


def _self_signed() -> tuple[str, str]:
    """A certificate that signs itself, for both ends of a connection, and its key; both as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "data-journey, embedded S3")])
    hosts = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()
