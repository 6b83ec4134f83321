# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Following a log: servers with and without offsets, logs cut anywhere, retries, erasing, faults, and refusals."""

from __future__ import annotations

import random
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.masking import Masker
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting import logs
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_action, gitlab_job_info

from ....harness import TOKEN, Call, FakeClock, FunctionTransport, Progress, bridge, job, pipeline, reply, run_task

LOG = "".join(f"line {number} of the log, ä€\n" for number in range(200)).encode()


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "PART_BYTES", 700)


def part_of(text: bytes, call: Call) -> bytes:
    """Return the part of a log that a request selects."""
    offset = int(call.query.get("byte_offset", ["0"])[0])
    limit = int(call.query.get("byte_limit", [str(len(text))])[0])
    return text[offset : offset + limit]


class GrowingLog:
    """A job that runs for 20 s, possibly in several attempts, and writes its log evenly.

    :param supports_offsets: whether the server supports byte_offset and byte_limit.
    """

    def __init__(self, log: bytes = LOG, *, supports_offsets: bool = True) -> None:
        self.clock = FakeClock()
        self.log = log
        self.supports_offsets = supports_offsets
        self.log_reads: list[Call] = []
        self.statuses = {42: [(0.0, "pending"), (3.0, "running"), (23.0, "success")]}
        self.transport = FunctionTransport(self.answer)

    def status(self, job_id: int) -> str:
        return [status for at, status in self.statuses[job_id] if at <= self.clock.seconds][-1]

    def written(self, job_id: int) -> bytes:
        begin, end = (at for at, status in self.statuses[job_id] if status != "pending")
        share = min(1.0, max(0.0, (self.clock.seconds - begin) / (end - begin)))
        return self.log[: int(len(self.log) * share)]

    def answer(self, call: Call) -> t.Any:
        if call.path.endswith("/trace"):
            self.log_reads.append(call)
            text = self.written(int(call.path.split("/")[-2]))
            return reply(part_of(text, call) if self.supports_offsets else text)
        if call.path.endswith("/jobs"):
            exist = [job_id for job_id, course in self.statuses.items() if course[0][0] <= self.clock.seconds]
            return [job(job_id, self.status(job_id)) for job_id in reversed(exist)]
        if call.path.endswith("/trigger_jobs"):
            return []
        return job(42, self.status(42))


def follow(server: GrowingLog, *, shown: bool = True, **options: t.Any) -> tuple[t.Any, list[str]]:
    progress = Progress(is_shown=shown)
    outcome = run_task(
        gitlab_job_info.TASK,
        {"pipeline_id": 6, "name": ["deploy"], "wait": True, "log_follow": True, **options},
        transport=server.transport,
        clock=server.clock,
        progress=progress,
    )
    return outcome, [line[len("deploy | ") :] for line in progress.others if line.startswith("deploy |")]


@pytest.mark.parametrize("supports_offsets", [True, False])
def test_each_line_is_shown_once_and_in_order(supports_offsets: bool):
    server = GrowingLog(supports_offsets=supports_offsets)
    outcome, lines = follow(server)
    assert outcome.failure is None and not outcome.warnings
    assert lines == LOG.decode().splitlines()
    # between the polls, too
    assert len(server.log_reads) >= 10
    offsets = [int(call.query.get("byte_offset", ["0"])[0]) for call in server.log_reads]
    assert offsets == sorted(offsets) and offsets[-1] > 0


def test_repetitive_log_is_followed_completely():
    for supports_offsets in (True, False):
        server = GrowingLog(b"tick\n" * 2000, supports_offsets=supports_offsets)
        _outcome, lines = follow(server)
        assert lines == ["tick"] * 2000


@pytest.mark.parametrize("supports_offsets", [True, False])
def test_burst_longer_than_a_part_loses_no_line(supports_offsets: bool):
    server = GrowingLog(supports_offsets=supports_offsets)
    # slightly more than a part, then all the rest, whose end is exactly a part
    sizes = [1000, len(LOG) - logs.PART_BYTES, len(LOG)]
    server.written = lambda job_id: LOG[: sizes[min(len(sizes) - 1, int(server.clock.seconds // 10))]]  # type: ignore[method-assign]
    _outcome, lines = follow(server)
    assert lines == LOG.decode().splitlines()


@pytest.mark.parametrize("supports_offsets", [True, False])
@pytest.mark.parametrize("seed", range(40))
def test_every_line_is_shown_once_for_random_pieces(seed: int, supports_offsets: bool):
    draw = random.Random(seed)
    lines = [draw.choice(["tick", "tick", "ä€", "x" * draw.randint(0, 300)]) for _number in range(draw.randint(0, 400))]
    log = "".join(f"{line}\n" for line in lines).encode()
    shown: list[str] = []
    text = logs._GrowingText(shown.append, Masker())

    def read(written: bytes, *, is_whole: bool) -> None:
        has_more = True
        while has_more:
            begin, size = text.offset or 0, logs.PART_BYTES if text.offset else len(written)
            answer = written[begin : begin + size] if supports_offsets else written
            text.restart()
            sent = 0
            while sent < len(answer):
                size = draw.choice([1, 50, 1000, 100_000])
                text.write(answer[sent : sent + size])
                sent += size
                if not is_whole and draw.random() < 0.2:
                    return  # the answer is cut off
            has_more = text.end_of_answer()

    for size in sorted(draw.randint(0, len(log)) for _number in range(draw.randint(0, 8))):
        read(log[:size], is_whole=False)
    read(log, is_whole=True)
    text.flush()
    assert shown == lines


def test_lines_are_cleaned_and_secrets_are_masked():
    raw = (
        b"section_start:1:x\r\x1b[0K\x1b[32;1m$ make\x1b[0;m\n"
        b"section_end:1:x\r\x1b[0K\n"
        b"10 %\r50 %\r100 %\n"
        b"2026-01-01T00:00:00.000000Z 00O   indented\n"
        b"\n" + f"token {TOKEN} \x1b[1mgl\x1b[0m\n".encode() + b"no end"
    )
    _outcome, lines = follow(GrowingLog(raw))
    assert lines == ["$ make", "100 %", "  indented", "", "token ******** gl", "no end"]


def test_log_is_not_followed_if_progress_is_hidden():
    server = GrowingLog()
    outcome, lines = follow(server, shown=False)
    assert (outcome.failure, lines, server.log_reads) == (None, [], [])


def test_retry_continues_with_the_log_of_the_new_attempt():
    server = GrowingLog(b"one\ntwo\n")
    server.statuses = {
        42: [(0.0, "running"), (10.0, "failed")],
        43: [(9.9, "pending"), (12.0, "running"), (30.0, "success")],
    }
    outcome, lines = follow(server)
    assert outcome.values["job"]["id"] == 43
    assert lines[-3:] == ["(retried: the log of the new attempt, job 43, follows)", "one", "two"]


class SuddenLog(GrowingLog):
    """A job that writes all but the first line of its log at its end."""

    def __init__(self, log: bytes = LOG) -> None:
        super().__init__(log)
        self.moments: list[tuple[int, float]] = []

    def moments_of(self, job_id: int) -> list[float]:
        """Return the times at which the log of an attempt was read."""
        return [at for read_id, at in self.moments if read_id == job_id]

    def written(self, job_id: int) -> bytes:
        self.moments.append((job_id, self.clock.seconds))
        has_ended = self.clock.seconds >= self.statuses[job_id][-1][0]
        return self.log if has_ended else self.log[: self.log.index(b"\n") + 1]


@pytest.mark.parametrize("begins", [0.0, 10.6])
def test_end_of_a_log_is_shown_before_an_immediate_retry(begins: float):
    # wherever the polls fall, some of these ends lie between the last read of the log and the next poll
    for end in range(110, 140, 3):
        server = SuddenLog(b"one\nERROR: no space left\n")
        server.statuses = {
            42: [(0.0, "pending"), (begins, "running"), (end / 10, "failed")],
            43: [(end / 10, "pending"), (20.0, "running"), (30.0, "success")],
        }
        _outcome, lines = follow(server)
        new = "(retried: the log of the new attempt, job 43, follows)"
        assert lines == ["one", "ERROR: no space left", new, "one", "ERROR: no space left"]


def test_log_of_a_retried_attempt_is_read_to_its_end_once():
    server = SuddenLog(b"one\ntwo\n")
    server.statuses = {
        42: [(0.0, "pending"), (3.0, "running"), (11.0, "failed")],
        43: [(11.0, "pending"), (30.0, "running"), (40.0, "success")],
    }
    _outcome, lines = follow(server)
    assert len(lines) == 5
    moments = server.moments_of(42)
    assert len(moments) == len(set(moments))


class OrderedProgress(Progress):
    """Keeps all lines in order."""

    def show(self, line: str, *, status: str = "") -> None:
        self.others.append(line)


def all_lines(server: GrowingLog) -> list[str]:
    """Return the output for a job whose log is followed, without times."""
    progress = OrderedProgress(is_shown=True)
    options = {"pipeline_id": 6, "name": ["deploy"], "wait": True, "log_follow": True}
    run_task(gitlab_job_info.TASK, options, transport=server.transport, clock=server.clock, progress=progress)
    return [line.partition(" after ")[0].replace("project 7 ", "") for line in progress.others]


@pytest.mark.parametrize("log", [b"one\ntwo\n", b"one\ntwo"])
@pytest.mark.parametrize("end", ["success", "failed"])
def test_log_is_shown_between_the_start_and_end_of_its_job(log: bytes, end: str):
    # wherever the polls fall, some of these ends lie between the last read of the log and the next poll
    for moment in range(200, 260, 7):
        server = SuddenLog(log)
        server.statuses = {42: [(0.0, "pending"), (3.0, "running"), (moment / 10, end)]}
        begin, *lines, last = all_lines(server)
        assert (begin, last) == ("deploy: pending -> running", f"deploy: running -> {end}")
        assert lines == ["deploy | one", "deploy | two"]


def test_rest_of_a_log_is_shown_before_the_new_attempt():
    for moment in range(110, 140, 7):
        server = SuddenLog(b"one\nERROR: no space left\n")
        end = moment / 10
        server.statuses = {
            42: [(0.0, "running"), (end, "failed")],
            43: [(end, "pending"), (20.0, "running"), (30.0, "success")],
        }
        lines = all_lines(server)
        at = lines.index("deploy: running -> pending")
        assert lines[:at] == ["deploy | one", "deploy | ERROR: no space left"]
        assert lines[at + 1 : at + 3] == [
            "deploy | (retried: the log of the new attempt, job 43, follows)",
            "deploy: pending -> running",
        ]


@pytest.mark.parametrize("supports_offsets", [True, False])
def test_lines_of_an_erased_log_are_not_shown_again(supports_offsets: bool):
    server = GrowingLog(supports_offsets=supports_offsets)
    written = server.written
    server.written = lambda job_id: b"" if 15 < server.clock.seconds < 20 else written(job_id)  # type: ignore[method-assign]
    outcome, lines = follow(server)
    assert outcome.failure is None
    assert lines == LOG.decode().splitlines()


def test_log_faults_do_not_fail_the_wait_or_lose_lines():
    server = GrowingLog()
    answer = server.answer
    failures = iter([False, True, True, False, True] + [False] * 100)

    def faulty(call: Call) -> t.Any:
        if call.path.endswith("/trace") and next(failures):
            return reply({"message": "502"}, status=502)
        return answer(call)

    server.transport = FunctionTransport(faulty)
    outcome, lines = follow(server)
    assert outcome.failure is None
    assert lines == LOG.decode().splitlines()
    assert len(outcome.warnings) == 1 and "may be incomplete because reading it failed" in outcome.warnings[0]


def test_unreadable_log_causes_one_warning_and_no_delay():
    server = GrowingLog()
    answer = server.answer
    server.transport = FunctionTransport(
        lambda call: (
            reply({"message": "500 Internal Server Error"}, status=500)
            if call.path.endswith("/trace")
            else answer(call)
        )
    )
    outcome, lines = follow(server)
    assert (outcome.failure, lines, len(outcome.warnings)) == (None, [], 1)
    assert server.clock.seconds < 35


def test_following_a_log_does_not_change_the_poll_interval():
    server = GrowingLog()
    server.statuses = {42: [(0.0, "pending"), (3.0, "running"), (90.0, "success")]}
    polls: list[float] = []

    def answer(call: Call) -> t.Any:
        polls.extend([server.clock.seconds] if call.path.endswith("/jobs") else [])
        return server.answer(call)

    server.transport = FunctionTransport(answer)
    follow(server)
    assert 8.0 <= max(after - before for before, after in zip(polls, polls[1:])) <= 10.0


def test_endless_line_is_shown_in_pieces():
    shown: list[str] = []
    text = logs._GrowingText(shown.append, Masker())
    for _number in range(100):
        text.write(b"x" * 10_000)
    assert len(text._line) <= logs.LONGEST_LINE
    text.flush()
    assert "".join(shown) == "x" * 1_000_000


def test_action_follows_the_log_of_the_played_job():
    server = GrowingLog()
    server.statuses = {42: [(0.0, "manual"), (3.0, "running"), (23.0, "success")]}
    server.written = lambda job_id: LOG  # type: ignore[method-assign]
    progress = Progress(is_shown=True)
    outcome = run_task(
        gitlab_job_action.TASK,
        {"action": "play", "pipeline_id": 6, "name": ["deploy"], "wait": True, "log_follow": True},
        transport=FunctionTransport(lambda call: job(42, "pending") if call.method == "POST" else server.answer(call)),
        clock=server.clock,
        progress=progress,
    )
    assert outcome.failure is None
    assert "deploy | line 199 of the log, ä€" in progress.others


@pytest.mark.parametrize("task", [gitlab_job_info.TASK, gitlab_job_action.TASK])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"wait": False}, "log_follow needs wait: true"),
        ({"name": ["*"]}, "follows the log of one job, but 2 jobs are selected"),
        ({"api_token": None, "api_job_token": "glcbt-0123456789"}, "job token"),
    ],
)
def test_impossible_log_follow_is_refused_before_any_write(task, options, words):
    transport = FunctionTransport(
        lambda call: [] if call.path.endswith("/trigger_jobs") else [job(), job(43, name="other")]
    )
    given = {"pipeline_id": 6, "name": ["deploy"], "wait": True, "log_follow": True, **options}
    if task is gitlab_job_action.TASK:
        given.update(action="play", multiple="all")
    with pytest.raises(errors.UsageError) as caught:
        run_task(task, given, transport=transport)
    assert words in str(caught.value)
    assert not transport.writes


def test_log_follow_is_refused_for_trigger_jobs_and_erase():
    def answer(call: Call) -> t.Any:
        return [bridge(downstream=pipeline(16))] if call.path.endswith("/trigger_jobs") else [job()]

    given = {"action": "play", "pipeline_id": 6, "name": ["trigger"], "wait": True, "log_follow": True}
    with pytest.raises(errors.UsageError, match="a trigger job, which has no log"):
        run_task(gitlab_job_action.TASK, given, transport=FunctionTransport(answer))
    with pytest.raises(errors.UsageError, match="log_follow can only be used with play, retry and cancel"):
        run_task(gitlab_job_action.TASK, {**given, "action": "erase"}, transport=FunctionTransport(answer))
