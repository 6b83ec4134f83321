# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A listening socket that can be closed and opened again on the same port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import typing as t

# With this, closing sends a reset instead of a normal end of the connection.
_LINGER = struct.pack("ii", 1, 0)

Factory = t.Callable[[], asyncio.BaseProtocol]


def reset(transport: asyncio.BaseTransport | None) -> None:
    """Reset a connection; unsent data is lost."""
    if transport is None:
        return
    # A TLS connection that has ended has no socket any more.
    with contextlib.suppress(OSError, AttributeError):
        used = transport.get_extra_info("socket")
        if used is not None:
            used.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    t.cast(asyncio.WriteTransport, transport).abort()


class Listener:
    """Accepts connections itself, so that it can reset them before it reads a byte or starts TLS.

    :param refuses: called for each connection; true resets it.
    """

    def __init__(
        self,
        factory: Factory,
        *,
        host: str,
        port: int = 0,
        context: ssl.SSLContext | None = None,
        refuses: t.Callable[[], bool] = lambda: False,
    ) -> None:
        self._factory = factory
        self._host = host
        self._context = context
        self._refuses = refuses
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self._family: int = found[0]
        self._address: t.Any = found[4]
        # Bound, but never listening, so that no other process can take the port while it is closed.
        self._place_holder: socket.socket | None = None
        self._socket: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._opening: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._context else 'http'}://{host}:{self._address[1]}"

    def _bound(self) -> socket.socket:
        bound = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(self._address)
        except OSError:
            bound.close()
            raise
        return bound

    def open(self) -> None:
        """Start to listen unless it already does; must be called in the event loop."""
        if self._socket is not None:
            return
        if self._place_holder is None:
            self._place_holder = self._bound()
            self._address = self._place_holder.getsockname()
        self._socket = self._bound()
        self._socket.setblocking(False)
        self._socket.listen(128)
        self._accepting = asyncio.create_task(self._accept(self._socket))

    async def close(self) -> None:
        """Refuse connections from now on; existing ones continue."""
        listening, self._socket = self._socket, None
        if listening is None or self._accepting is None:
            return
        # first, because open() may be called while the tasks end, and only one socket can listen on the port
        asyncio.get_running_loop().remove_reader(listening)
        listening.close()
        tasks = [self._accepting, *self._opening]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def end(self) -> None:
        """Close, and free the port."""
        await self.close()
        if self._place_holder is not None:
            self._place_holder.close()
            self._place_holder = None

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                made, _peer = await loop.sock_accept(listening)
            except OSError:
                # The client has disconnected, or there are temporarily too many open files.
                await asyncio.sleep(0.01)
                continue
            if self._refuses():
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
                made.close()
                continue
            task = asyncio.create_task(self._begin(made))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _begin(self, made: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        # Clients that do not trust the certificate disconnect during the handshake.
        with contextlib.suppress(OSError):
            await loop.connect_accepted_socket(self._factory, made, ssl=self._context)
