# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test the event source on a real port: https and the log."""

from __future__ import annotations

import asyncio
import collections.abc as c
import logging
import re
import ssl
import typing as t

import pytest
from multidict import CIMultiDict

from tests.simulator.certificates import Authority

from .port import deliver, exchange, head, source
from .support import JOB, SECRETS, TOKEN, encoded, signed

BODY = encoded(JOB)


@pytest.fixture
def authority() -> c.Iterator[Authority]:
    made = Authority()
    yield made
    made.stop()


def test_source_serves_https(authority: Authority) -> None:
    async def scene() -> None:
        certificate, key = authority.client_files()
        queue: asyncio.Queue[t.Any] = asyncio.Queue()
        async with source(queue, certfile=str(certificate), keyfile=str(key)) as (url, backlog):
            assert url.startswith("https://127.0.0.1:")
            trusting = ssl.create_default_context(cafile=str(authority.ca_path))
            assert await deliver(url, signed(BODY), BODY, tls=trusting) == 200
            assert await queue.get()
            # no response without TLS
            assert await deliver(url, signed(BODY, "plain"), BODY) == 0
            assert queue.empty()

    asyncio.run(scene())


BAD_REQUESTS = [
    head(CIMultiDict({"X-Gitlab-Token": TOKEN, "X\x00": TOKEN}), 0),
    head(CIMultiDict({"X-Gitlab-Token": TOKEN + "\x00"}), 0),
    head(CIMultiDict({"X-Gitlab-Token": TOKEN, "Content-Length": "x"}), 0),
    head(CIMultiDict({"X-Gitlab-Token": TOKEN * 1000}), 0),
    head(CIMultiDict({"X-Gitlab-Token": TOKEN}), 0, path=f"/{TOKEN}?token={TOKEN}"),
    head(CIMultiDict({"X-Gitlab-Token": TOKEN}), 0, path=f"http://[{TOKEN}"),
    TOKEN.encode() * 1000,
    b"\x16\x03\x01\x02\x00" + TOKEN.encode() + b"\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", BAD_REQUESTS, ids=range(len(BAD_REQUESTS)))
def test_no_secret_is_in_the_log(request_bytes: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def scene() -> None:
        async with source(token=TOKEN) as (url, backlog):
            await exchange(url, request_bytes)
            good = signed(BODY, X_Gitlab_Token=TOKEN)
            assert await deliver(url, good, BODY) == 200
            assert await deliver(url, good, BODY + b" ") == 401

    asyncio.run(scene())
    assert "401: the signature is wrong" in caplog.text
    assert not [secret for secret in SECRETS if secret in caplog.text]
    assert not re.search("v1,|whsec_", caplog.text)
