# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Valid and invalid certificates, created at run time by a private authority."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib
import ssl
import tempfile
import typing as t

if t.TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

TLS_KINDS: t.Final = ("valid", "expired", "wrong_host", "self_signed")

_DAY = datetime.timedelta(days=1)


class Authority:
    """Creates a certificate of each kind on first use, in a temporary folder."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._signer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None
        self._client: tuple[pathlib.Path, pathlib.Path] | None = None

    @property
    def ca_path(self) -> pathlib.Path:
        """Return the file that a client must trust."""
        return self._path("ca.pem", _pem(self._ca()[0]))

    def context(self, kind: str) -> ssl.SSLContext:
        """Return the context of a listener.

        :raises ValueError: if there is no such kind.
        """
        if kind not in TLS_KINDS:
            raise ValueError(f"tls {kind!r} is not one of {', '.join(TLS_KINDS)}")
        if kind not in self._contexts:
            certificate, key = self._leaf(kind)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._path(f"{kind}.pem", _pem(certificate) + _key_pem(key)))
            self._contexts[kind] = context
        return self._contexts[kind]

    def demanding_context(self) -> ssl.SSLContext:
        """Return the context of a listener that requires a client certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = self._leaf("valid")
        context.load_cert_chain(self._path("demanding.pem", _pem(certificate) + _key_pem(key)))
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.ca_path)
        return context

    def client_files(self) -> tuple[pathlib.Path, pathlib.Path]:
        """Return a client certificate of this authority, and its private key."""
        if self._client is None:
            certificate, key = self._leaf("valid")
            self._client = self._path("client.pem", _pem(certificate)), self._path("client.key", _key_pem(key))
        return self._client

    def stop(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _path(self, name: str, content: bytes) -> pathlib.Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="simulator-")
        path = pathlib.Path(self._folder.name, name)
        if not path.exists():
            path.write_bytes(content)
        return path

    def _ca(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        if self._signer is None:
            self._signer = _make("Simulator CA", signer=None, is_ca=True)
        return self._signer

    def _leaf(self, kind: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        return _make(
            "simulator",
            signer=None if kind == "self_signed" else self._ca(),
            host="elsewhere.example.com" if kind == "wrong_host" else None,
            expired=kind == "expired",
        )


def _make(
    common_name: str,
    *,
    signer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    host: str | None = None,
    is_ca: bool = False,
    expired: bool = False,
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return a certificate and its key.

    :param signer: the certificate and key of the authority; None means self-signed.
    :param host: None is this machine.
    """
    # The simulator does not require it otherwise.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signing_key = signer[1] if signer else key
    now = datetime.datetime.now(datetime.UTC)
    loopback = [x509.IPAddress(ipaddress.ip_address(one)) for one in ("127.0.0.1", "::1")]
    names = [x509.DNSName(host)] if host else [x509.DNSName("localhost"), *loopback]
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(signer[0].subject if signer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * _DAY)
        .not_valid_after(now - _DAY if expired else now + 3 * _DAY)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        # Newer Python versions require the following three.
        .add_extension(_usage(is_ca=is_ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()),
            critical=False,
        )
    )
    if not is_ca:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signing_key, hashes.SHA256()), key


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    from cryptography import x509

    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
              "decipher_only")  # fmt: skip
    return x509.KeyUsage(
        digital_signature=not is_ca, key_cert_sign=is_ca, crl_sign=is_ca, **dict.fromkeys(others, False)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
