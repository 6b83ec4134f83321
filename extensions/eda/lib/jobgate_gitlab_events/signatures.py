# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a delivery comes from who knows the secrets: GitLab's token, and signatures by Standard Webhooks."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import hmac
import re
import typing as t

PREFIX = "whsec_"
VERSION = "v1,"
# Seconds since 1970, in digits that int() and GitLab agree about.
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Headers(t.Protocol):
    """Headers of a request; their names are compared without regard to case."""

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """Return all values of a header."""


def single(headers: Headers, name: str) -> str | None:
    """Return the value of a header, None unless there is exactly one."""
    values = headers.getall(name, [])
    return values[0] if len(values) == 1 else None


def key_of(signing_token: str) -> bytes:
    """Return the key that a signing token stands for.

    :raises ValueError: it is none; the text does not contain it.
    """
    if not signing_token.startswith(PREFIX):
        raise ValueError(f"a signing token begins with {PREFIX}")
    try:
        key = base64.b64decode(signing_token[len(PREFIX) :], validate=True)
    except binascii.Error:
        raise ValueError(f"what follows {PREFIX} is not base64") from None
    if len(key) < 16:
        raise ValueError("it is too short: copy the whole of it from GitLab")
    return key


def sign(key: bytes, delivery: str, timestamp: str, body: bytes) -> str:
    """Return a signature, as it stands in the header webhook-signature."""
    signed = b".".join((_encoded(delivery), _encoded(timestamp), body))
    return VERSION + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode("ascii")


def _encoded(header: str) -> bytes:
    """Return a header as it came: what is not UTF-8 has been read as surrogates."""
    return header.encode("utf-8", "surrogateescape")


@dataclasses.dataclass(frozen=True)
class Secrets:
    """The secrets of the hook; of each kind any one counts, and what there are secrets of must be right.

    :param tokens: what may stand in X-Gitlab-Token.
    :param keys: with which deliveries may be signed.
    :param tolerance: by how many seconds the time of a signed delivery may differ from ours.
    """

    tokens: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    keys: tuple[bytes, ...] = dataclasses.field(default=(), repr=False)
    tolerance: float = 300.0

    def refuse_headers(self, headers: Headers, now: float) -> str:
        """Return what is wrong with the headers, before the body is read; empty for nothing."""
        if self.tokens and not self._has_token(headers):
            return "the token is wrong or missing"
        if not self.keys:
            return ""
        timestamp = single(headers, "webhook-timestamp") or ""
        if not single(headers, "webhook-id") or not headers.getall("webhook-signature", []):
            return "it is not signed"
        if not _TIMESTAMP.fullmatch(timestamp) or abs(now - int(timestamp)) > self.tolerance:
            return "its time is too far from the time here"
        return ""

    def refuse_body(self, headers: Headers, body: bytes) -> str:
        """Return what is wrong with the signature of a delivery whose headers were not refused; empty for nothing."""
        if not self.keys:
            return ""
        delivery = single(headers, "webhook-id") or ""
        timestamp = single(headers, "webhook-timestamp") or ""
        given = [_encoded(one) for one in " ".join(headers.getall("webhook-signature", [])).split()]
        wanted = [_encoded(sign(key, delivery, timestamp, body)) for key in self.keys]
        # all are compared, so that the time taken does not tell which one was right
        matches = [hmac.compare_digest(one, other) for one in given for other in wanted]
        return "" if any(matches) else "the signature is wrong"

    def delivery_id(self, headers: Headers) -> str | None:
        """Return the id of the delivery, the signed one where deliveries are signed; None before GitLab 17.4."""
        if self.keys:
            return single(headers, "webhook-id")
        return single(headers, "Idempotency-Key") or single(headers, "webhook-id")

    def _has_token(self, headers: Headers) -> bool:
        given = _encoded(single(headers, "X-Gitlab-Token") or "")
        matches = [hmac.compare_digest(given, _encoded(token)) for token in self.tokens]
        return any(matches)
