# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that may be reused for a moment, and the connection that lookups share."""

from __future__ import annotations

from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import (
    Request,
    Response,
    StreamingTransport,
    Transport,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.wire.requests_transport import RequestsTransport
from ansible_collections.jobgate.gitlab.plugins.plugin_utils import _shared
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._shared import LARGEST_BODY, CachingTransport

from ..harness import API, FakeClock


class CountingTransport:
    """Answers each request with the number of requests so far."""

    def __init__(self, status: int = 200, size: int = 0) -> None:
        self.status = status
        self.size = size
        self.sent: list[str] = []

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        self.sent.append(f"{request.method} {request.url}")
        return Response(self.status, body=b"x" * self.size or str(len(self.sent)).encode(), url=request.url)


def read(transport: Transport, url: str = "/jobs", method: str = "GET") -> bytes:
    return transport.send(Request(method, API + url), timeout_seconds=1.0).body


def test_identical_reads_share_a_fresh_answer():
    clock, inner = FakeClock(), CountingTransport()
    transport = CachingTransport(inner, seconds=2.0, clock=clock)
    assert [read(transport), read(transport), read(transport, "/jobs?page=2")] == [b"1", b"1", b"2"]
    clock.sleep(1.9)
    assert read(transport) == b"1"
    clock.sleep(0.2)
    assert read(transport) == b"3"


def test_cache_of_zero_seconds_keeps_nothing():
    transport = CachingTransport(CountingTransport(), seconds=0.0, clock=FakeClock())
    assert [read(transport), read(transport)] == [b"1", b"2"]


def test_writes_errors_and_large_answers_are_not_cached():
    for inner, method in (
        (CountingTransport(), "POST"),
        (CountingTransport(status=404), "GET"),
        (CountingTransport(size=LARGEST_BODY + 1), "GET"),
    ):
        transport = CachingTransport(inner, seconds=2.0, clock=FakeClock())
        read(transport, method=method)
        read(transport, method=method)
        assert len(inner.sent) == 2


def test_expired_answers_are_removed():
    clock, inner = FakeClock(), CountingTransport()
    transport = CachingTransport(inner, seconds=1.0, clock=clock)
    for number in range(100):
        read(transport, f"/jobs/{number}")
        clock.sleep(0.5)
    assert len(transport._kept) <= 3


def test_connection_is_shared_only_by_equal_settings(monkeypatch):
    monkeypatch.setattr(_shared, "_TRANSPORTS", {})
    made: list[CountingTransport] = []

    def make() -> CountingTransport:
        made.append(CountingTransport())
        return made[-1]

    def shared(cache_seconds: float = 2.0, **settings: object) -> Transport:
        connection = ConnectionSettings(api_url=API, **settings)  # type: ignore[arg-type]
        return _shared.shared_transport(connection, make, cache_seconds=cache_seconds)

    first = shared(credential={"PRIVATE-TOKEN": "a"})
    assert shared(credential={"PRIVATE-TOKEN": "a"}) is first
    assert shared(credential={"PRIVATE-TOKEN": "b"}) is not first
    for settings in (
        {"validate_certs": False},
        {"client_cert": "/c"},
        {"client_key": "/k"},
        {"http_headers": {"A": "b"}},
    ):
        assert shared(credential={"PRIVATE-TOKEN": "a"}, **settings) is not first
    assert len(made) == 6
    assert shared(credential={"PRIVATE-TOKEN": "a"}, timeout_seconds=5.0, retries=1) is first
    assert shared(credential={"PRIVATE-TOKEN": "a"}, variables={"token": "GITLAB_TOKEN"}) is first
    assert shared(0.0, credential={"PRIVATE-TOKEN": "a"}) is made[0]
    assert isinstance(first, CachingTransport) and first.within is made[0]


def test_loop_items_share_a_connection_unless_extensions_are_used(monkeypatch):
    monkeypatch.setattr(_shared, "_TRANSPORTS", {})
    monkeypatch.delenv("https_proxy", raising=False)
    plain = ConnectionSettings(api_url=API)
    extended = ConnectionSettings(api_url=API, extensions=("gateway",))
    first = _shared.shared_transport(plain, CountingTransport)
    assert _shared.shared_transport(plain, CountingTransport) is first
    assert _shared.shared_transport(extended, CountingTransport) is not _shared.shared_transport(
        extended, CountingTransport
    )
    kept = _shared.shared_transport(extended, CountingTransport, cache_seconds=2.0)
    assert _shared.shared_transport(extended, CountingTransport, cache_seconds=2.0) is kept
    # tasks in the loop may have different environments
    for name in ("HTTPS_PROXY", "no_proxy", "SSL_CERT_DIR"):
        with monkeypatch.context() as changed:
            changed.setenv(name, "http://127.0.0.1:3128")
            assert _shared.shared_transport(plain, CountingTransport) is not first


def test_worker_does_not_use_the_connection_of_the_main_process(monkeypatch):
    monkeypatch.setattr(_shared, "_TRANSPORTS", {})
    settings = ConnectionSettings(api_url=API)

    first = _shared.shared_transport(settings, CountingTransport)
    monkeypatch.setattr(_shared.os, "getpid", lambda: 4711)
    assert _shared.shared_transport(settings, CountingTransport) is not first


def test_task_does_not_cache_on_the_connection_of_a_lookup(monkeypatch):
    monkeypatch.setattr(_shared, "_TRANSPORTS", {})
    settings = ConnectionSettings(api_url=API)
    looked_up = _shared.shared_transport(settings, CountingTransport, cache_seconds=2.0)
    assert [read(looked_up), read(looked_up)] == [b"1", b"1"]
    of_task = _shared.shared_transport(settings, CountingTransport)
    assert isinstance(looked_up, CachingTransport) and of_task is looked_up.within
    assert [read(of_task), read(of_task)] == [b"2", b"3"]
    assert read(looked_up) == b"1"


def test_shared_transport_of_a_task_can_stream(monkeypatch):
    monkeypatch.setattr(_shared, "_TRANSPORTS", {})
    settings = ConnectionSettings(api_url=API)
    transport = _shared.shared_transport(settings, lambda: RequestsTransport(settings, lambda session: None))
    assert isinstance(transport, StreamingTransport)
