"""Certificates as an office makes them for its own broker: an authority of its own, and what it issues."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["LONG_AGO", "NOW", "Authority"]

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=400)
_LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Authority:
    """A self-made CA; its certificate lies in `file`."""

    file: Path
    _name: x509.Name
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def made(cls, folder: Path, name: str = "hall CA") -> "Authority":
        """A new one."""
        key, who = ec.generate_private_key(ec.SECP256R1()), _called(name)
        built = _builder(who, who, key, LONG_AGO, LONG_AGO + timedelta(days=3650))
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        path = folder / f"{name.replace(' ', '-')}.pem"
        path.write_bytes(built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return cls(path, who, key)

    def issue(self, host: str, folder: Path, since: datetime = NOW - timedelta(days=1)) -> tuple[Path, Path]:
        """Certificate and key of `host`, a name or an address, good for a month."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            named: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            named = x509.DNSName(host)
        built = _builder(_called(host), self._name, key, since, since + _LIFE)
        built = built.add_extension(x509.SubjectAlternativeName([named]), critical=False)
        cert, secret = folder / "broker.pem", folder / "broker.key"
        cert.write_bytes(built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return cert, secret


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )
