# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flood a real event source: `PYTHONPATH=extensions/eda/lib python -m tests.eda.flood [--seconds 10]`.

The event source runs in its own process and receives 1,000 deliveries per second in real time, one in ten genuine.
`test_floods` counts the same without a network or a clock.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.parse

from multidict import CIMultiDict

from .port import head
from .support import JOB, OTHER_SIGNING, PUSH, SIGNING, changed, encoded, signed

PER_SECOND = 1000
MAX_BODY = 65536
# How long a sender that stops halfway waits.
ANSWER_TIMEOUT_SECONDS = 20.0
# The expected status for each kind; "none" means that the sender closed the connection.
EXPECTED: t.Mapping[str, str] = {
    "honest": "200",
    "repeated": "200",
    "forged": "401",
    "altered": "401",
    "old": "401",
    "other kind": "200",
    "unwanted": "200",
    "huge": "413",
    "slow": "408",
    "cut": "none",
}


def job(number: int, **values: t.Any) -> bytes:
    return encoded(changed(JOB, build_id=number, **values))


def delivery(kind: str, number: int) -> tuple[CIMultiDict[str], bytes]:
    """Return the headers and body of a delivery of this kind."""
    if kind == "repeated":
        # the delivery of a second ago
        return delivery("honest", number - PER_SECOND // 10 if number >= PER_SECOND // 10 else number)
    now, honest = time.time(), job(number)
    body = {
        "other kind": encoded(PUSH),
        "unwanted": job(number, build_status="running"),
        "altered": job(number + 10**6),
        "huge": b"x" * (MAX_BODY + 1),
    }.get(kind, honest)
    token = OTHER_SIGNING if kind == "forged" else SIGNING
    at = now - 600 if kind == "old" else now
    return signed(honest if kind == "altered" else body, f"{kind}-{number}", at=at, signing_token=token), body


async def send(address: urllib.parse.SplitResult, kind: str, whole: bytes) -> str:
    """Send one delivery and return the status of the response, or `none` without a response."""
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(whole[: len(whole) // 2] if kind in ("slow", "cut") else whole)
        if kind == "cut":
            await writer.drain()
            return "none"
        answer = await asyncio.wait_for(reader.read(), ANSWER_TIMEOUT_SECONDS)
        return answer.split()[1].decode() if answer else "none"
    except ConnectionError:
        # the source may close the connection without reading what it refuses
        return "none"
    finally:
        writer.close()


async def flood(url: str, seconds: int) -> tuple[collections.Counter[str], float]:
    """Send all deliveries on schedule. Return the number of each response by kind, and the longest response time."""
    address, answers, longest = urllib.parse.urlsplit(url), collections.Counter[str](), 0.0

    async def one(kind: str, whole: bytes) -> None:
        nonlocal longest
        began = time.monotonic()
        answers[f"{kind}: {await send(address, kind, whole)}"] += 1
        if kind != "slow":
            longest = max(longest, time.monotonic() - began)

    prepared = []
    for number in range(seconds * PER_SECOND // len(EXPECTED)):
        for kind in EXPECTED:
            headers, body = delivery(kind, number)
            prepared.append((kind, head(headers, len(body), path=address.path) + body))
    began = time.monotonic()
    tasks = []
    for count, (kind, whole) in enumerate(prepared):
        tasks.append(asyncio.create_task(one(kind, whole)))
        await asyncio.sleep(max(0.0, began + count / PER_SECOND - time.monotonic()))
    print(f"{len(tasks)} deliveries sent within {time.monotonic() - began:.1f} s")
    await asyncio.gather(*tasks)
    return answers, longest


async def receive(nudges: str) -> None:
    """Run the event source: print the URL, and the totals when the input ends."""
    from jobgate_gitlab_events import server
    from jobgate_gitlab_events.backlog import Backlog
    from jobgate_gitlab_events.options import read_options
    from jobgate_gitlab_events.receiver import Receiver

    options = read_options(
        {"port": 0, "signing_token": SIGNING, "statuses": "failed", "max_body": MAX_BODY, "nudges": nudges}
    )
    backlog = Backlog()
    queue: asyncio.Queue[dict[str, t.Any]] = asyncio.Queue()
    async with server.listening(options, Receiver(options, backlog), backlog) as url:
        task = asyncio.create_task(server.pass_on(backlog, queue))
        print(url, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        task.cancel()
        used = resource.getrusage(resource.RUSAGE_SELF)
        ids = [queue.get_nowait()["gitlab"]["id"] for _number in range(queue.qsize())]
        found = {
            "events": len(ids),
            "different": len(set(ids)),
            "waiting": backlog.events,
            "bytes": backlog.bytes,
            "peak_mebibytes": used.ru_maxrss // 1024,
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
            "nudges": sum(1 for _line in pathlib.Path(nudges).open(encoding="utf-8")),
        }
        print(json.dumps(found), flush=True)


def main() -> int:
    """Run a flood and print the results."""
    parser = argparse.ArgumentParser(prog="python -m tests.eda.flood", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="how long it lasts (default: %(default)s)")
    parser.add_argument("--receive", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        asyncio.run(receive(options.receive))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", __spec__.name, "--receive", f"{folder}/nudges"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, text=True, **pipes) as source:
            assert source.stdout is not None
            url, before = source.stdout.readline().split()
            answers, longest = asyncio.run(flood(url, options.seconds))
            found = json.loads(source.communicate()[0])
    print(json.dumps(answers, indent=1, sort_keys=True), f"longest answer: {longest:.2f} s", sep="\n")
    print(f"memory before: {before} MiB", json.dumps(found), sep="\n")
    share = options.seconds * PER_SECOND // len(EXPECTED)
    return int(answers != {f"{kind}: {status}": share for kind, status in EXPECTED.items()} or found["events"] != share)


if __name__ == "__main__":
    sys.exit(main())
