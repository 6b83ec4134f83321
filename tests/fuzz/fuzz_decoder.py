# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fuzz the code that reads a server's bytes: decoders, redirects, next-page links, Retry-After, and the end of a log.

    python tests/fuzz/fuzz_decoder.py --seconds 20 --seed 1
    python tests/fuzz/fuzz_decoder.py --replay FILE

An input consists of header lines, an empty line and a body. Every input must produce a value or a one-line
`GitLabError`. Anything else is a crash, and its input is saved to a file. If atheris is installed, `--atheris` passes
the same target and all further arguments to it.
"""

# The collection can only be imported after its path is set.
# ruff: noqa: E402

from __future__ import annotations

import argparse
import gzip
import json
import pathlib
import random
import sys
import tempfile
import time
import typing as t
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    import conftest

    conftest.link_checkout()  # make this checkout importable under the name of the collection

from ansible_collections.jobgate.gitlab.plugins.module_utils._api import decoding
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.catalogue import CATALOGUE
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.endpoints import Endpoint
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import GitLabError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Response, parse_address, resolve
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.masking import Masker
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.retry import retry_after_seconds
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.paging import next_position
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.wire.requests_transport import BodyDecoder
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.log_tails import tail_of

TOKEN = "glpat-0123456789abcdef"
MASKER = Masker([TOKEN])
SETTINGS = ConnectionSettings("https://gitlab.example.com/api/v4")
LONGEST_INPUT = 20_000
NOW = 1_700_000_000.0

_JOB = {
    "id": 42,
    "status": "manual",
    "stage": "deploy",
    "name": "deploy: [eu, 1/2]",
    "ref": "main",
    "allow_failure": True,
    "created_at": "2026-01-01T00:00:00.000Z",
    "duration": None,
    "queued_duration": 1.5,
    "pipeline": {"id": 6, "project_id": 7, "status": "running"},
    "artifacts": [{"file_type": "trace", "size": 481, "filename": "job.log", "file_format": None}],
    "tag_list": ["docker", "ü"],
}
_LINK = '<https://gitlab.example.com/api/v4/projects/7/jobs?cursor=eyJpZCI6IjQyIn0%3D&per_page=100>; rel="next"'


def _input(body: bytes, *headers: str) -> bytes:
    return "\n".join(headers).encode() + b"\n\n" + body


CORPUS: tuple[bytes, ...] = (
    _input(json.dumps(_JOB).encode(), "Content-Type: application/json", "X-Request-Id: 01HXYZ"),
    _input(json.dumps([_JOB, {**_JOB, "id": 41}]).encode(), "Content-Type: application/json", f"Link: {_LINK}"),
    _input(b"[]", "X-Page: 1", "X-Next-Page: 2", "X-Per-Page: 100", "X-Total: 101"),
    _input(b'[{"id": 1}]', "X-Next-Page: ", 'Link: <https://gitlab.example.com/x?page=1>; rel="first"'),
    _input(b'{"message": "403 Forbidden - Unplayable Job"}', "Content-Type: application/json"),
    _input(b'{"message": {"base": ["Job is not retryable"]}}', "Content-Type: application/json"),
    _input(b'{"error": "invalid_token", "error_description": "Token was revoked."}', "WWW-Authenticate: Bearer"),
    _input(b"<!DOCTYPE html><html><body>502</body></html>", "Content-Type: text/html; charset=utf-8"),
    _input(b"Retry later\n", "Retry-After: 60", "RateLimit-Reset: 1700000060"),
    _input(b"", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"),
    _input(TOKEN.encode(), f"X-Request-Id: {TOKEN}"),
    _input(b"", "Location: https://storage.example.com:8443/bucket/file?X-Signature=abc#top"),
    _input(gzip.compress(b"[]" * 100, mtime=0), "Content-Encoding: gzip"),
    _input(zlib.compress(b"[]" * 100), "Content-Encoding: deflate"),
    _input(
        b"section_start:1560896352:prepare[collapsed=true]\r\x1b[0K\x1b[0;m\x1b[32;1m$ make\x1b[0;m\n"
        b"2026-01-01T00:00:00.000000Z 00O one\n10%\r50%\r100%\nsection_end:1560896353:prepare\r\x1b[0K\n"
        b"\x1b[31;1mERROR: Job failed: exit code 1\n\x1b[0;m"
    ),
)
_PIECES: tuple[bytes, ...] = (
    *(b"[", b"]", b"{", b"}", b'"', b"\\", b",", b":", b"\n", b"\r", b"\x00", b"\xff", b"\xed\xa0\x80", b"\\ud800"),
    *(b"null", b"true", b"NaN", b"Infinity", b"-1", b"1e999", b"9" * 4301, b"\xef\xbb\xbf", b"\xff\xfe", b"[" * 500),
    *(b"\x1b[", b"\x1b]0;", b"\x07", b"\x1b\\", b"\x1bP", b"\xc2\x9b", b"\xc2\x85", "\u2028".encode(), b"<html>"),
    *(
        b"Link: ",
        b"X-Next-Page: ",
        b"X-Per-Page: ",
        b"Retry-After: ",
        b"RateLimit-Reset: ",
        b'; rel="next"',
        b"<",
        b">",
    ),
    *(
        b"Location: ",
        b"Content-Encoding: deflate\n",
        b"https://",
        b"//",
        b"@",
        b":443",
        b"\\",
        b";",
        b"\x1f\x8b\x08\x00",
    ),
    *(b"http://[", b"?page=", b"?cursor=", b"&id_after=", b"section_start:1:", TOKEN.encode(), "²".encode(), b"%"),
)


def target(data: bytes) -> None:
    """Read the input in every way that the collection reads responses.

    :raises AssertionError: if a promise is broken. Any other exception is a crash, too.
    """
    head, _blank, body = data[:LONGEST_INPUT].partition(b"\n\n")
    lines = (line.partition(":") for line in head.decode("latin-1").splitlines())
    headers = {name.strip().lower(): value.strip() for name, _colon, value in lines}
    response = Response(status=200, headers=headers, body=body)

    for endpoint in (
        Endpoint("get_thing", "GET", "/thing"),
        Endpoint("list_things", "GET", "/things", answer="records"),
    ):
        try:
            json.dumps(MASKER.mask_value(decoding.decode(endpoint, response)))
        except GitLabError as exc:
            exc.rewrite(MASKER.line)
            _check_line(str(exc))
    text = decoding.decode_text(response)
    error = decoding.status_error(CATALOGUE[0], {}, response, SETTINGS, MASKER)
    _check_line(error.server_text, longest=300)
    _check_line(error.request_id, longest=64)
    decoding.is_html(response)

    _check_redirect(headers.get("location", ""))
    _check_content(headers.get("content-encoding", ""), body)

    current: dict[str, t.Any] = {"per_page": 100}
    for count in (100, 1, 0):
        try:
            following = next_position(current, count, response)
        except GitLabError as exc:
            _check_line(str(exc))
            continue
        if following is not None:
            _check(count > 0, "a page after the last one")
            _check(str(following.get("page", 1)).isdecimal(), "a page that is no number")
            current = following

    for status in (200, 429, 503):
        pause = retry_after_seconds(status, headers, NOW)
        _check(pause is None or pause >= 0, "a negative pause")

    for number in (0, 1, 20):
        tail = tail_of(text, number, Masker())
        _check(len(tail) <= number, "a tail that is too long")
        for line in tail:
            _check(line == "" or (_is_printable(line) and "\n" not in line), "a control code in a tail")


def _check_redirect(location: str) -> None:
    try:
        url = resolve("https://gitlab.example.com/api/v4/x", location).url
    except ValueError:
        return
    _check(parse_address(url).url == url, "an address that changes when it is read again")
    _check(url.isascii() and _is_printable(url) and not set(url) & set("\\ "), "an ambiguous address")


def _check_content(encoding: str, body: bytes) -> None:
    """Decode a compressed body in two ways that must have the same outcome."""
    outcomes = []
    for size, max_size in ((len(body) or 1, 100_000), (7, 50)):
        try:
            pieces = iter([body[start : start + size] for start in range(0, len(body), size)])
            decoder = BodyDecoder(encoding, lambda _size, pieces=pieces: next(pieces, b""))
            content = b""
            while piece := decoder.read(max_size):
                _check(len(piece) <= max_size, "more than was asked for")
                content += piece
            outcomes.append(content)
        except GitLabError as exc:
            _check_line(str(exc))
            outcomes.append(b"")
    _check(outcomes[0] == outcomes[1], "content that depends on how it comes")


def _check(holds: bool, problem: str) -> None:
    if not holds:
        raise AssertionError(problem)


def _check_line(text: str, longest: int = LONGEST_INPUT) -> None:
    _check(len(text.splitlines()) <= 1 and _is_printable(text), f"not one clean line: {text!r}")
    _check(TOKEN not in text, f"a secret: {text!r}")
    _check(len(text) <= longest, f"too long: {len(text)}")


def _is_printable(text: str) -> bool:
    return not any((ord(char) < 32 and char != "\t") or 127 <= ord(char) < 160 for char in text)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return the input with a few changes."""
    changed = bytearray(data)
    for _change in range(rng.choice((1, 1, 2, 4, 8))):
        at, end = sorted(rng.randrange(len(changed) + 1) for _side in range(2))
        end = min(end, at + rng.choice((1, 2, 8, 64)))
        kind = rng.randrange(6)
        if kind == 0:
            changed[at:end] = b""
        elif kind == 1:
            changed[at:end] = bytes(rng.randrange(256) for _byte in range(rng.randrange(1, 5)))
        elif kind == 2:
            changed[at:at] = changed[at:end] * rng.choice((1, 2, 40))
        elif kind == 3 and changed:
            changed[min(at, len(changed) - 1)] ^= 1 << rng.randrange(8)
        elif kind == 4:
            other = rng.choice(CORPUS)
            start = rng.randrange(len(other))
            changed[at:end] = other[start : start + rng.randrange(1, 200)]
        else:
            changed[at:at] = rng.choice(_PIECES)
    return bytes(changed[:LONGEST_INPUT])


class Crash(Exception):
    """An input on which the target fails, and the cause."""

    def __init__(self, data: bytes, cause: BaseException) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}")
        self.data = data


def fuzz(*, seed: int, seconds: float | None = None, limit: int | None = None) -> int:
    """Try inputs until the time or the number is reached, and return how many were tried.

    :raises Crash: for the first input on which the target fails.
    """
    rng = random.Random(seed)
    pool = list(CORPUS)
    until = None if seconds is None else time.monotonic() + seconds
    count = 0
    while (limit is None or count < limit) and (until is None or time.monotonic() < until):
        data = CORPUS[count] if count < len(CORPUS) else mutate(rng.choice(pool), rng)
        try:
            target(data)
        except Exception as exc:
            raise Crash(data, exc) from exc
        count += 1
        # without coverage as a guide, keep some changed inputs and change them again
        if rng.random() < 0.02:
            pool[len(CORPUS) :] = [*pool[len(CORPUS) :][-200:], data]
    return count


def main(arguments: list[str]) -> int:
    """Run the program and return its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to try")
    parser.add_argument("--seed", type=int, default=None, help="seed of the random numbers; random without it")
    parser.add_argument("--replay", type=pathlib.Path, help="try only the input in this file")
    parser.add_argument("--atheris", action="store_true", help="let atheris choose the inputs")
    options, rest = parser.parse_known_args(arguments)
    if options.atheris:
        return _with_atheris(rest)
    if rest:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    if options.replay:
        target(options.replay.read_bytes())
        print("1 input, no crash")
        return 0
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    try:
        count = fuzz(seed=seed, seconds=options.seconds)
    except Crash as crash:
        with tempfile.NamedTemporaryFile(prefix="crash-", suffix=".bin", delete=False) as file:
            file.write(crash.data)
        print(f"{crash}\nreplay it with --replay {file.name}", file=sys.stderr)
        return 1
    print(f"{count} inputs, no crash")
    return 0


def _with_atheris(arguments: list[str]) -> int:
    try:
        import atheris
    except ImportError:
        print("atheris is not installed; leave --atheris out, or install it with pip", file=sys.stderr)
        return 2
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *arguments], target)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
