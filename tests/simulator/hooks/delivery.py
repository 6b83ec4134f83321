# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A delivery: the body of an event, and the headers that GitLab sends with it (topic: delivery headers)."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import secrets
import time
import typing as t
import uuid

from ..log import MASK
from ..versions import Features
from .config import EVENTS, Fault, Hook

# The headers below that older servers do not send.
_SINCE: t.Final = {
    "X-Gitlab-Event-UUID": "hooks.event_uuid",
    "X-Gitlab-Instance": "hooks.instance",
    "X-Gitlab-Webhook-UUID": "hooks.webhook_uuid",
    "Idempotency-Key": "hooks.idempotency_key",
    "webhook-id": "hooks.signature",
    "webhook-timestamp": "hooks.signature",
}


@dataclasses.dataclass(eq=False)
class Delivery:
    """One event for one hook. It is sent once, unless a fault changes this.

    :ivar at: the time of the event, on the scenario's clock.
    :ivar stamped_at: the signed time, in Unix seconds of the real clock, which receivers use.
    """

    hook: Hook
    event: str
    status: str
    subject: int
    body: bytes
    instance: str
    features: Features
    fault: Fault | None
    at: float
    key: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))
    event_uuid: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))
    stamped_at: int = dataclasses.field(default_factory=lambda: int(time.time()))

    @property
    def kind(self) -> str | None:
        """The kind of its fault."""
        return self.fault.kind if self.fault else None

    @property
    def delay(self) -> float:
        return self.fault.seconds if self.fault else 0.0

    def headers(self) -> dict[str, str]:
        """Return the headers of one request; if it is sent again, only its own UUID differs."""
        kind = self.kind
        stamp = self.stamped_at - (int(self.delay) if kind == "old" else 0)
        headers = {
            **self.hook.custom_headers,
            "Content-Type": "application/json",
            "User-Agent": f"GitLab/{self.features.text}",
            "Idempotency-Key": self.key,
            "X-Gitlab-Event": EVENTS[self.event],
            "X-Gitlab-Webhook-UUID": str(uuid.uuid4()),
            "X-Gitlab-Instance": self.instance,
            "X-Gitlab-Event-UUID": self.event_uuid,
            "webhook-id": self.key,
            "webhook-timestamp": str(stamp),
        }
        headers = {n: value for n, value in headers.items() if n not in _SINCE or self.features.has(_SINCE[n])}
        if self.hook.token is not None:
            headers["X-Gitlab-Token"] = secrets.token_hex(8) if kind == "wrong_token" else self.hook.token
        if self.hook.key is not None:
            key = secrets.token_bytes(32) if kind == "wrong_signature" else self.hook.key
            headers["webhook-signature"] = sign(key, self.key, stamp, self.body)
        return headers


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a message as in Standard Webhooks."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def masked(headers: dict[str, str]) -> dict[str, str]:
    """Return headers for a log, without the secret."""
    return {name: MASK if name == "X-Gitlab-Token" else value for name, value in headers.items()}
