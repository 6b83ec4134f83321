# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entity tags of artifacts that the server sends itself, as configured in the scenario (topic: caching)."""

from __future__ import annotations

import hashlib

from . import artifacts
from .call import Request
from .content import INLINE_MOST, sha256
from .engine import Engine
from .model import Job

# What older servers may send with every download, as if all were the same: the tag of an empty body.
BOGUS = 'W/"d41d8cd98f00b204e9800998ecf8427e"'


def of_archive(engine: Engine, job: Job) -> dict[str, str]:
    """Return the headers of an archive: its SHA-256, which is unknown for very large archives."""
    kind = engine.world.artifacts_etags
    if kind == "strong":
        digest = _digest(job)
        return {"ETag": f'"{digest}"'} if digest else {"Last-Modified": "0"}
    return {"ETag": BOGUS} if kind == "weak" else {}


def of_file(engine: Engine, job: Job, path: str) -> dict[str, str]:
    """Return the headers of a file: a hash over the archive's and its path."""
    kind = engine.world.artifacts_etags
    if kind == "strong":
        digest = _digest(job)
        text = f"{digest}:{path}".encode()
        return {"ETag": f'"{hashlib.sha256(text).hexdigest()}"'} if digest else {"Last-Modified": "0"}
    return {"ETag": BOGUS} if kind == "weak" else {}


def _digest(job: Job) -> str | None:
    archive = artifacts.archive(job)
    return sha256(archive) if archive.size <= INLINE_MOST else None


def is_known(request: Request, headers: dict[str, str]) -> bool:
    """Return whether the client already has the content with this entity tag."""
    given = request.headers.get("if-none-match", "")
    return "ETag" in headers and headers["ETag"] in [one.strip() for one in given.split(",")]
