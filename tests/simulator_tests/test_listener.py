# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test closing and reopening a port."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from tests.simulator.listener import Listener


async def _is_open(listener: Listener) -> bool:
    try:
        _reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(listener.url).port)
    except ConnectionError:
        return False
    writer.close()
    return True


def test_listener_can_be_reopened_while_it_closes() -> None:
    async def run() -> None:
        listener = Listener(asyncio.Protocol, host="127.0.0.1")
        listener.open()
        url = listener.url
        closing = asyncio.create_task(listener.close())
        await asyncio.sleep(0)  # start closing
        listener.open()
        await closing
        assert listener.url == url
        assert await _is_open(listener)
        await listener.close()
        assert not await _is_open(listener)
        await listener.end()

    asyncio.run(run())
