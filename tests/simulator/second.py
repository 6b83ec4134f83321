# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A second origin: another server that must never receive credentials. It records all requests.

It also serves the object storage.
"""

from __future__ import annotations

import copy
import io
import json
import threading
import typing as t
import zipfile

from aiohttp import web

from .call import Reply, Request, json_reply
from .certificates import Authority
from .listener import Listener
from .storage import PREFIX
from .wire import response

Row = dict[str, t.Any]
Storage = t.Callable[[web.BaseRequest, Request], t.Awaitable[web.StreamResponse]]


def _archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("from-the-second-origin.txt", "This is not what you asked for.\n")
    return packed.getvalue()


def _answer(method: str, path: str) -> Reply:
    """Return an answer that a careless client would take for the server's."""
    record = {"id": 1000, "name": "second origin", "status": "success", "stage": "test", "pipeline": {"id": 100}}
    last = path.rstrip("/").rpartition("/")[2]
    if last in ("artifacts", "download") or last.endswith(".zip"):
        return Reply(200, _archive(), content_type="application/zip")
    if last == "trace":
        return Reply(200, b"The log of another server.\n", content_type="text/plain")
    if last in ("jobs", "bridges", "trigger_jobs", "pipelines", "tree") and method == "GET":
        return json_reply([record])
    return json_reply(record)


class SecondOrigin:
    """Listens once its address is requested, and over TLS on another port."""

    def __init__(self, authority: Authority, *, host: str, storage: Storage) -> None:
        self._authority = authority
        self._host = host
        self._storage = storage
        self._server: web.Server | None = None
        self._listeners: dict[str, Listener] = {}
        self._rows: list[Row] = []
        self._lock = threading.Lock()

    async def url(self) -> str:
        return self._open("http")

    async def tls_url(self) -> str:
        return self._open("https")

    def _open(self, scheme: str) -> str:
        if self._server is None:
            self._server = web.Server(self._handle, access_log=None)
        if scheme not in self._listeners:
            context = self._authority.context("valid") if scheme == "https" else None
            listener = Listener(self._server, host=self._host, context=context)
            listener.open()
            self._listeners[scheme] = listener
        return self._listeners[scheme].url

    def requests(self) -> list[Row]:
        """Return all requests with every header as received, including credentials."""
        with self._lock:
            return copy.deepcopy(self._rows)

    def clear(self) -> None:
        with self._lock:
            self._rows.clear()

    async def stop(self) -> None:
        for listener in self._listeners.values():
            await listener.end()
        if self._server is not None:
            await self._server.shutdown(0.1)

    async def _handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        body = await incoming.content.read()
        path, _mark, query = incoming.raw_path.partition("?")
        names = dict.fromkeys(name.lower() for name in incoming.headers)
        row: Row = {
            "scheme": incoming.scheme,
            "method": incoming.method,
            "path": path,
            "query": query,
            "headers": {name: ", ".join(incoming.headers.getall(name)) for name in names},
            "body": body.decode(errors="replace"),
        }
        # The admin path can only return JSON.
        json.dumps(row)
        with self._lock:
            self._rows.append(row)
        if path.startswith(PREFIX):
            base = f"{incoming.scheme}://{incoming.host}"
            request = Request(incoming.method, path, query, row["headers"], body, base, origin="second")
            return await self._storage(incoming, request)
        return response(_answer(incoming.method, path))
