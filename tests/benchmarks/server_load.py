# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure how many requests per second the benchmark server answers."""

from __future__ import annotations

import select
import socket
import time
from urllib.parse import urlsplit

from . import world
from .server import Server

_SECONDS = 2.0
# The required requests per second, by latency in ms: with latency, the number of connections is the limit.
_LEAST = {0: 10_000, 20: 1_500, 100: 1_500}


def self_test() -> int:
    """Print the rates. Return 1 if one is too low."""
    status = 0
    target = f"{world.API}/projects/7/jobs/{world.ONE_JOB}"
    with Server(jobs=100, mebibytes=1024) as server:
        for latency_ms, connections in ((0, 1), (0, 16), (20, 100), (100, 400)):
            server.forget(latency_ms=latency_ms)
            rate = measure(server.http, target, connections)
            least = _LEAST[latency_ms] if connections > 1 else 0
            status = status or int(rate < least)
            wanted = f", at least {least} are wanted" if least else ""
            print(f"{latency_ms} ms, {connections} connections: {rate:.0f} requests/s{wanted}")
        server.forget()
        log = f"{world.API}/projects/7/jobs/{world.LARGE_JOB}/trace"
        seconds = min(_read(server.http, log) for _time in range(3))
        print(f"one log of {server.mebibytes} MiB: {seconds * 1024 / server.mebibytes:.2f} s per GiB")
    return status


def measure(base: str, target: str, connections: int, seconds: float = _SECONDS) -> float:
    """Return the number of requests answered per second, with one active request per connection."""
    address = (urlsplit(base).hostname or "", urlsplit(base).port or 0)
    request = f"GET {target} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n\r\n".encode()
    length = _length(address, request)
    epoll = select.epoll()
    clients: dict[int, socket.socket] = {}
    missing: dict[int, int] = {}
    for _number in range(connections):
        client = socket.create_connection(address)
        clients[client.fileno()] = client
        epoll.register(client.fileno(), select.EPOLLIN)
        missing[client.fileno()] = length
        client.sendall(request)
    answered = 0
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        for descriptor, _event in epoll.poll(1):
            missing[descriptor] -= len(clients[descriptor].recv(65536))
            if missing[descriptor] <= 0:
                answered += 1
                missing[descriptor] = length
                clients[descriptor].send(request)
    passed = time.monotonic() - started
    for client in clients.values():
        client.close()
    epoll.close()
    return answered / passed


def _length(address: tuple[str, int], request: bytes) -> int:
    """Return the length of the complete response."""
    with socket.create_connection(address) as client:
        client.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += client.recv(65536)
    head, _separator, _body = data.partition(b"\r\n\r\n")
    return len(head) + 4 + int(head.lower().partition(b"content-length:")[2].split()[0])


def _read(base: str, target: str) -> float:
    """Return how long the server takes to send a response to a client that discards it."""
    address = (urlsplit(base).hostname or "", urlsplit(base).port or 0)
    buffer = bytearray(1024 * 1024)
    with socket.create_connection(address) as client:
        started = time.monotonic()
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
        # MSG_TRUNC discards received data without copying it
        while client.recv_into(buffer, 0, socket.MSG_TRUNC):
            pass
        return time.monotonic() - started
