# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The object storage behind the server: signed URLs that expire, ranges, and XML errors like S3."""

from __future__ import annotations

import hashlib
import re
import secrets
import urllib.parse

from . import artifacts
from .call import Reply, Request, content_reply
from .content import Content, Part
from .engine import Engine
from .model import Job

PREFIX = "/gitlab-artifacts/"
_SIGNATURE = "X-Amz-Signature"
_ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>'
_MODIFIED = "Mon, 05 Jan 2026 12:00:00 GMT"


def error(status: int, code: str, text: str) -> Reply:
    return Reply(status, _ERROR.format(code, text).encode(), content_type="application/xml")


def serve(content: Content, request: Request, headers: dict[str, str], *, etag: str) -> Reply:
    """Return an object, or the requested range of it."""
    more = {**headers, "ETag": f'"{etag}"', "Last-Modified": _MODIFIED, "Accept-Ranges": "bytes"}
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    if wanted is None or wanted[0] == "bytes=-" or request.headers.get("if-range", more["ETag"]) != more["ETag"]:
        return content_reply(content, more)
    size = content.size
    begin = int(wanted[1]) if wanted[1] else max(0, size - int(wanted[2]))
    end = min(size, int(wanted[2]) + 1) if wanted[1] and wanted[2] else size
    if begin >= end:
        reply = error(416, "InvalidRange", "The requested range is not satisfiable")
        reply.headers["Content-Range"] = f"bytes */{size}"
        return reply
    more["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    return content_reply(Part(content, begin, end), more, status=206)


def etag(job: Job) -> str:
    return hashlib.md5(f"{job.project.id}/{job.id}/{artifacts.archive(job).size}".encode()).hexdigest()


class Storage:
    """Signs URLs, and serves their objects while they are valid."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._secret = secrets.token_hex(16)
        # By path and query: the object, and when the signature ends.
        self._signed: dict[str, tuple[Job, float]] = {}

    def sign(self, job: Job, headers: dict[str, str]) -> str:
        """Return path and query of a URL that needs no credentials."""
        engine = self._engine
        seconds = engine.world.artifacts_url_seconds
        moment = engine.clock.moment(engine.time)
        folder = hashlib.sha256(str(job.project.id).encode()).hexdigest()
        path = f"{PREFIX}{folder[:2]}/{folder[2:4]}/{folder}/{moment:%Y_%m_%d}/{job.id}/{job.id}/artifacts.zip"
        query = {
            "response-content-disposition": headers["Content-Disposition"],
            "response-content-type": "application/octet-stream",
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"SIMULATOR/{moment:%Y%m%d}/us-east-1/s3/aws4_request",
            "X-Amz-Date": f"{moment:%Y%m%dT%H%M%SZ}",
            "X-Amz-Expires": f"{seconds:g}",
            "X-Amz-SignedHeaders": "host",
        }
        unsigned = f"{path}?{urllib.parse.urlencode(query)}"
        signature = hashlib.sha256(f"{self._secret} {unsigned} {engine.time}".encode()).hexdigest()
        url = f"{unsigned}&{_SIGNATURE}={signature}"
        self._signed[url] = (job, engine.time + seconds)
        return url

    def answer(self, request: Request) -> Reply:
        """Return the answer of the storage to a request, which may contain too many credentials."""
        if f"{_SIGNATURE}=" not in request.query:
            return error(403, "AccessDenied", "Access Denied")
        if "authorization" in request.headers:
            return error(400, "InvalidArgument", "Only one auth mechanism allowed")
        found = self._signed.get(f"{request.raw_path}?{request.query}")
        if found is None or request.method != "GET":
            text = "The request signature we calculated does not match the signature you provided."
            return error(403, "SignatureDoesNotMatch", text)
        job, expires = found
        if self._engine.time >= expires:
            return error(403, "AccessDenied", "Request has expired")
        if not job.has_archive:
            return error(404, "NoSuchKey", "The specified key does not exist.")
        disposition = dict(urllib.parse.parse_qsl(request.query))["response-content-disposition"]
        return serve(artifacts.archive(job), request, {"Content-Disposition": disposition}, etag=etag(job))
