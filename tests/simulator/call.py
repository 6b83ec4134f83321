# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request and one answer, independent of the HTTP library."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from .content import INLINE_MOST, Content, Plain, read
from .engine import Engine
from .model import Job
from .roles import ANONYMOUS, Identity
from .versions import Features

if t.TYPE_CHECKING:
    from .endpoint import Endpoint
    from .simulation import Simulation


@dataclasses.dataclass(slots=True)
class Reply:
    """An answer; a large body is generated from `source` while it is sent."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    content_type: str | None = "application/json"
    source: Content | None = None

    @property
    def content(self) -> Content:
        return Plain(self.body) if self.source is None else self.source

    @property
    def size(self) -> int:
        return self.content.size


def content_reply(
    content: Content, headers: dict[str, str], *, status: int = 200, content_type: str = "application/octet-stream"
) -> Reply:
    """Return an answer; only a small body is kept in memory."""
    if content.size <= INLINE_MOST:
        return Reply(status, read(content), headers, content_type)
    return Reply(status, b"", headers, content_type, content)


def json_reply(data: t.Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(data).encode(), headers or {})


@dataclasses.dataclass(slots=True)
class Request:
    """A request. Header names are in lower case; the path is as it was sent, without the query."""

    method: str
    raw_path: str
    query: str
    headers: dict[str, str]
    body: bytes
    base_url: str
    peer: str = "127.0.0.1"
    origin: str = "server"


@dataclasses.dataclass(slots=True)
class Call:
    """A request for which an endpoint was found."""

    request: Request
    simulation: Simulation
    endpoint: Endpoint
    path_params: dict[str, str]
    params: dict[str, t.Any]
    identity: Identity = ANONYMOUS

    @property
    def engine(self) -> Engine:
        return self.simulation.engine

    @property
    def features(self) -> Features:
        return self.engine.world.features

    def note(self, action: str, job: Job, *, new: Job | None = None) -> None:
        """Record in the effects that the caller changed a job."""
        self.simulation.effects.note(self.engine, action, job, self.identity.user, new=new)

    @property
    def is_form(self) -> bool:
        """Return whether all parameters are strings, as in form data and queries."""
        return not self.request.headers.get("content-type", "").startswith("application/json")

    @property
    def raw_path(self) -> str:
        return self.request.raw_path

    @property
    def base_url(self) -> str:
        """The server's own address: the configured host, whatever name the client used."""
        return self.engine.world.external_url or self.request.base_url
