# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one plugin against one hostile response, within limits of time and memory, and return the problems."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import resource
import shutil
import tempfile
import time
import typing as t
from unittest import mock

from ansible_collections.jobgate.gitlab.plugins.module_utils._api import requester
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.clock import Clock
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.wire import exchange
from ansible_collections.jobgate.gitlab.plugins.plugin_utils import _shared

from tests.unit.faces import IS_CONTROLLER, TASKS, Options, as_lookup, as_module, in_process
from tests.unit.harness import TOKEN
from tests.unit.module_utils._api.loopback import LoopbackProxy

from . import answers, framing, records
from .plugins import PLUGINS, TIMEOUT_SECONDS, VARIABLE, WRITING, Plugin
from .server import HostileServer, ReceivedRequest, Reply
from .table import Row

ROWS: dict[str, Row] = {**framing.ROWS, **answers.ROWS, **records.ROWS}
FACES: dict[str, t.Callable[..., Options]] = {
    **({"in process": in_process} if IS_CONTROLLER else {}),
    "module": as_module,
}
# Which responses are hostile, by method and number of the request.
PHASES: dict[str, t.Callable[[str, int], bool]] = {
    "all": lambda method, number: True,
    "first": lambda method, number: number == 1,
    "later": lambda method, number: number > 1,
    "writes": lambda method, number: method != "GET",
    # all responses, through a proxy
    "proxy": lambda method, number: True,
}
# In addition to the memory already in use. A log may have 128 MiB, and is decoded.
MAX_BYTES = 768 * 1024 * 1024
# CPU time, which other processes do not affect. The second limit is elapsed time, and ends a case that hangs.
MAX_SECONDS = 20.0
MAX_ELAPSED_SECONDS = 120.0
# long enough for a name of any length
LONGEST_SENTENCE = 10_500
# The time allowed for slow and endless responses, instead of ten times the timeout.
SHORT_SECONDS = 0.3
# A download without a length only ends after an hour, which passes in two seconds.
FAST = 1800.0
_VOLATILE = ("elapsed", "requests", "timeline", "invocation", "warnings", "mtime", "atime")


@dataclasses.dataclass
class Outcome:
    """The outcome of a run.

    :param text: everything that was returned, as a string.
    :param was_hostile: whether the hostile response was sent at all.
    :param seconds: CPU time.
    :param skipped: the total length of all pauses.
    :param files: content of the files that exist afterwards.
    """

    result: Options
    text: str
    was_hostile: bool
    seconds: float
    elapsed_seconds: float
    skipped: float
    writes: int
    is_played: bool
    files: dict[str, bytes]
    url: str

    @property
    def comparable_parts(self) -> t.Any:
        """Return the parts that must match the result from a correct server."""
        kept = {name: value for name, value in self.result.items() if name not in _VOLATILE}
        text = json.dumps(kept, sort_keys=True, default=str).replace(self.url, "URL")
        return text, sorted(self.files), self.files.get("dest")


class _SkippingClock:
    """Real time, optionally faster, with skipped pauses."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def sleep(self, seconds: float) -> None:
        self.skipped += seconds


@contextlib.contextmanager
def _skipped_pauses(speed: float) -> t.Iterator[_SkippingClock]:
    skipping, monotonic, unix = _SkippingClock(), time.monotonic, time.time
    started = monotonic()
    with (
        mock.patch.object(Clock, "sleep", lambda self, seconds: skipping.sleep(seconds)),
        mock.patch.object(Clock, "monotonic", lambda self: (monotonic() - started) * speed + skipping.skipped),
        mock.patch.object(Clock, "time", lambda self: unix() + skipping.skipped),
    ):
        yield skipping


@contextlib.contextmanager
def _short_answers(is_short: bool) -> t.Iterator[None]:
    """Limit the time of a response, but not of each read, so that a busy machine does not break the test."""
    with contextlib.ExitStack() as stack:
        for file in (exchange, requester) if is_short else ():
            stack.enter_context(mock.patch.object(file, "SLOWEST_ANSWER", SHORT_SECONDS / TIMEOUT_SECONDS))
        yield


@contextlib.contextmanager
def _bounded_memory() -> t.Iterator[None]:
    """Limit the memory of the process."""
    status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    (now,) = (int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData"))
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (now + MAX_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def run_row(plugin: Plugin, face: t.Callable[..., Options], row: Row | None, phase: str = "all") -> Outcome:
    """Return the outcome of a row; None for a correct server."""
    sent: list[str] = []

    def respond(received: ReceivedRequest) -> Reply:
        reply = row.respond(received) if row else received.answer.raw
        if reply != received.answer.raw:
            sent.append(received.target)
        return reply

    folder = tempfile.mkdtemp()
    try:
        with contextlib.ExitStack() as stack:
            is_slow = bool(row and row.is_slow)
            is_endless = is_slow and "download" in plugin.task
            clock = stack.enter_context(_skipped_pauses(FAST if is_endless else 1.0))
            stack.enter_context(_short_answers(is_slow))
            # each server has its own port, and shared transports would be kept forever
            stack.enter_context(mock.patch.dict(_shared._TRANSPORTS, clear=True))
            refuses = bool(row and row.refuses)
            server = stack.enter_context(HostileServer(respond, PHASES[phase], refuses=refuses))
            if phase == "proxy":
                proxy = stack.enter_context(LoopbackProxy())
                stack.enter_context(mock.patch.dict(os.environ, {"HTTP_PROXY": proxy.url, "NO_PROXY": ""}))
            stack.enter_context(_bounded_memory())
            started = time.process_time(), time.monotonic()
            result = plugin.run(face, server.url, folder)
            seconds, elapsed_seconds = time.process_time() - started[0], time.monotonic() - started[1]
        files = {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}
    finally:
        shutil.rmtree(folder)
    text = json.dumps(result, ensure_ascii=False, default=str).replace(folder, "FOLDER")
    return Outcome(
        result=json.loads(text),
        text=text,
        was_hostile=bool(sent),
        seconds=seconds,
        elapsed_seconds=elapsed_seconds,
        skipped=clock.skipped,
        writes=server.writes,
        is_played=server.is_played,
        files=files,
        url=server.url,
    )


@functools.cache
def _correct_parts(name: str, face_name: str) -> t.Any:
    outcome = run_row(PLUGINS[name], face_of(name, face_name), None)
    if outcome.result.get("failed"):
        raise AssertionError(outcome.result["msg"])
    return outcome.comparable_parts


def face_of(plugin_name: str, face_name: str) -> t.Callable[..., Options]:
    """Return the face; the lookup has only one."""
    return FACES[face_name] if PLUGINS[plugin_name].task else as_lookup


def cases(*, is_whole: bool) -> t.Iterator[tuple[str, str, str, str]]:
    """Yield row, plugin, face and phase: all of them, or each row with one face and only the plugins it concerns."""
    for number, (row_name, row) in enumerate(ROWS.items()):
        concerned = row.concerns[:1] if row.is_slow else row.concerns
        for plugin_name in PLUGINS if is_whole else concerned:
            faces = list(FACES) if is_whole else [list(FACES)[number % len(FACES)]]
            if not PLUGINS[plugin_name].task:
                faces = ["in process"] if IS_CONTROLLER else []
            for face_name in faces:
                yield row_name, plugin_name, face_name, "all"
            for phase in _further_phases(row_name, plugin_name) if is_whole and faces else ():
                yield row_name, plugin_name, faces[number % len(faces)], phase


def _further_phases(row_name: str, plugin_name: str) -> t.Iterator[str]:
    yield "later"
    if plugin_name in WRITING:
        yield "writes"
    # a proxy forwards correctly framed responses
    if row_name in framing.ROWS:
        yield "proxy"


def problems_of(row_name: str, plugin_name: str, face_name: str, phase: str) -> list[str]:
    """Return what is wrong with the outcome of a case."""
    row, plugin = ROWS[row_name], PLUGINS[plugin_name]
    outcome = run_row(plugin, face_of(plugin_name, face_name), row, phase)
    found = [*_limit_problems(outcome), *_secret_problems(outcome), *_effect_problems(outcome, plugin_name)]
    if outcome.result.get("failed"):
        found += _sentence_problems(outcome, plugin)
    is_right = not outcome.result.get("failed") and outcome.comparable_parts == _correct_parts(plugin_name, face_name)
    end = row.end if phase in ("all", "proxy") else "right" if row.end == "right" else "either"
    if (end == "right" or not outcome.was_hostile) and not is_right:
        found.append(f"it is not the right result: {outcome.text[:500]}")
    if end == "sentence" and outcome.was_hostile and not outcome.result.get("failed"):
        found.append(f"it is a success: {outcome.text[:500]}")
    return found


def _limit_problems(outcome: Outcome) -> t.Iterator[str]:
    if outcome.seconds > MAX_SECONDS or outcome.elapsed_seconds > MAX_ELAPSED_SECONDS:
        yield f"it took {outcome.seconds:.1f} s, and {outcome.elapsed_seconds:.1f} s of real time"
    if [name for name in outcome.files if name.startswith(".")]:
        yield f"files were left behind: {sorted(outcome.files)}"
    if outcome.result.get("failed") and "dest" in outcome.files:
        yield "a download that failed has written to dest"


def _secret_problems(outcome: Outcome) -> t.Iterator[str]:
    for secret in (TOKEN, VARIABLE):
        if secret in outcome.text:
            yield "a secret is in the result"
        if any(secret.encode() in content for name, content in outcome.files.items() if name != "dest"):
            yield "a secret is in a file"


def _effect_problems(outcome: Outcome, plugin_name: str) -> t.Iterator[str]:
    if outcome.writes > (plugin_name in WRITING):
        yield f"{outcome.writes} writes"
    if outcome.result.get("changed") and plugin_name in WRITING and not outcome.is_played:
        yield "it says that the job was played, which it was not"


def _sentence_problems(outcome: Outcome, plugin: Plugin) -> t.Iterator[str]:
    text = str(outcome.result["msg"])
    if not text.isprintable() or len(text) > LONGEST_SENTENCE:
        yield f"it is not one line: {ascii(text)[:500]}"
    if "nexpected" in text or "Traceback" in text or "Error(" in text:
        yield f"it is a mistake of ours: {text[:500]}"
    if plugin.task and not text.endswith((".", "?", "!")):
        yield f"it is no sentence: {text[:500]}"
    if not any(
        word in text.lower() for word in (outcome.url, "127.0.0.1", "pipeline", "job", "deployment", "dest", "path")
    ):
        yield f"it names neither what nor where: {text[:500]}"
    missing = set(TASKS[plugin.task].empty_result) - set(outcome.result) if plugin.task else ()
    if missing:
        yield f"the result has no {sorted(missing)}"
