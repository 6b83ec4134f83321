# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verification of GitLab's secret token and of Standard Webhooks signatures."""

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
# Seconds since 1970, in digits that int() and GitLab read alike.
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Headers(t.Protocol):
    """Headers of a request; their names are compared without regard to case."""

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """Return all values of a header."""


def single(headers: Headers, name: str) -> str | None:
    """Return the value of a header, None unless it has exactly one."""
    values = headers.getall(name, [])
    return values[0] if len(values) == 1 else None


def key_of(signing_token: str) -> bytes:
    """Return the key in a signing token.

    :raises ValueError: if the token is invalid; the message does not contain it.
    """
    if not signing_token.startswith(PREFIX):
        raise ValueError(f"a signing token begins with {PREFIX}")
    try:
        key = base64.b64decode(signing_token[len(PREFIX) :], validate=True)
    except binascii.Error:
        raise ValueError(f"the part after {PREFIX} is not base64") from None
    if len(key) < 16:
        raise ValueError("it is too short: copy all of it from GitLab")
    return key


def sign(key: bytes, delivery: str, timestamp: str, body: bytes) -> str:
    """Return a signature in the form of the header webhook-signature."""
    signed = b".".join((_encoded(delivery), _encoded(timestamp), body))
    return VERSION + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode("ascii")


def _encoded(header: str) -> bytes:
    """Return the original bytes of a header, whose invalid UTF-8 was decoded to surrogates."""
    return header.encode("utf-8", "surrogateescape")


@dataclasses.dataclass(frozen=True)
class Secrets:
    """The secrets of the hook. If tokens and keys are set, a delivery must match one of each.

    :param tokens: accepted values of X-Gitlab-Token.
    :param keys: keys that deliveries may be signed with.
    :param tolerance: maximum difference in seconds between the time of a signed delivery and the local time.
    """

    tokens: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    keys: tuple[bytes, ...] = dataclasses.field(default=(), repr=False)
    tolerance: float = 300.0

    def refuse_headers(self, headers: Headers, now: float) -> str:
        """Return why the headers are refused, before the body is read; empty if they are accepted."""
        if self.tokens and not self._has_token(headers):
            return "the token is wrong or missing"
        if not self.keys:
            return ""
        timestamp = single(headers, "webhook-timestamp") or ""
        if not single(headers, "webhook-id") or not headers.getall("webhook-signature", []):
            return "the delivery is not signed"
        if not _TIMESTAMP.fullmatch(timestamp) or abs(now - int(timestamp)) > self.tolerance:
            return "the time of the delivery differs too much from the local time"
        return ""

    def refuse_body(self, headers: Headers, body: bytes) -> str:
        """Return why the signature is refused, after the headers were accepted; empty if it is accepted."""
        if not self.keys:
            return ""
        delivery = single(headers, "webhook-id") or ""
        timestamp = single(headers, "webhook-timestamp") or ""
        given = [_encoded(one) for one in " ".join(headers.getall("webhook-signature", [])).split()]
        wanted = [_encoded(sign(key, delivery, timestamp, body)) for key in self.keys]
        # all are compared, so that the duration does not reveal which one matches
        matches = [hmac.compare_digest(one, other) for one in given for other in wanted]
        return "" if any(matches) else "the signature is wrong"

    def delivery_id(self, headers: Headers) -> str | None:
        """Return the id of the delivery, the signed one if deliveries are signed; None before GitLab 17.4."""
        if self.keys:
            return single(headers, "webhook-id")
        return single(headers, "Idempotency-Key") or single(headers, "webhook-id")

    def _has_token(self, headers: Headers) -> bool:
        given = _encoded(single(headers, "X-Gitlab-Token") or "")
        matches = [hmac.compare_digest(given, _encoded(token)) for token in self.tokens]
        return any(matches)
