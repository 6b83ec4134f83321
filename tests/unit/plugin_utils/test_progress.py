# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Output while a task waits: changes with their times, what blocks jobs, and signs of life."""

from __future__ import annotations

import contextlib
import pathlib
import re
import signal
import typing as t

import pytest
from ansible import constants
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import ProjectProgress
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.safe_output import SafeOutput
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_action, gitlab_job_info
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._in_process import _reporting_interruption
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._progress import DisplayProgress

from ..harness import FakeClock, FunctionTransport, Progress, job, pipeline, reply, run_task

JOBS = "GET /projects/7/pipelines/6/jobs"
Records = list[dict[str, t.Any]]


def shown(*polls: Records, manual: Records | None = None, is_shown: bool = True, **options: t.Any) -> Progress:
    """Return the progress of a task whose polls return these lists in turn, and then the last one forever."""
    left = list(polls)
    progress = Progress(is_shown=is_shown)

    def answer(call: t.Any) -> t.Any:
        if call.query.get("scope[]") == ["manual"]:
            return manual or []
        if call.line != JOBS:
            return []
        return left.pop(0) if len(left) > 1 else left[0]

    given = {"pipeline_id": 6, "name": ["*"], "wait": True, "wait_timeout": 60.0, **options}
    run_task(gitlab_job_info.TASK, given, transport=FunctionTransport(answer), progress=progress)
    return progress


def prod(status: str, **fields: t.Any) -> Records:
    return [job(42, status, "deploy:prod", **fields)]


def test_queue_and_run_times_come_from_gitlab():
    progress = shown(
        prod("pending"),
        prod("running", queued_duration=12.3, runner={"description": "X"}),
        prod("success", queued_duration=12.3, duration=74.2),
    )
    assert progress.lines == [
        "project 7 deploy:prod: pending -> running after 12 s on runner X",
        "project 7 deploy:prod: running -> success after 74 s (queued 12 s)",
    ]


@pytest.mark.parametrize("status", ["running", "success"])
def test_new_attempt_starts_in_the_queue_despite_different_clocks(status: str):
    attempt = job(43, status, "deploy:prod", queued_duration=12.3, runner=None, started_at="2001-01-01T00:00:00Z")
    progress = shown(prod("running"), [attempt], [{**attempt, "status": "success", "duration": 74.2}])
    first, *lines = progress.lines
    assert first.startswith("project 7 deploy:prod: running -> pending")
    assert "running -> running" not in " ".join(lines)
    assert lines[0].startswith(f"project 7 deploy:prod: pending -> {status}")


def test_times_missing_from_gitlab_are_measured():
    bare = {"queued_duration": None, "duration": None}
    pending = prod("pending", **bare)
    progress = shown(pending, pending, pending, prod("running", **bare), prod("success", **bare))
    # pauses of 1, 1.5 and 2.25 s, of which up to a fifth is random
    assert re.match(r"project 7 deploy:prod: pending -> running after [45] s", progress.lines[0])
    assert "queued" not in progress.lines[1]


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (
            job(42, "pending", "d", tag_list=["docker", "eu"]),
            "project 7 d: waits for a runner with the tags docker, eu",
        ),
        (job(42, "pending", "d", tag_list=["gpu"]), "project 7 d: waits for a runner with the tag gpu"),
        (job(42, "pending", "d"), "project 7 d: waits for a runner that takes untagged jobs"),
        (job(42, "waiting_for_resource", "d"), "project 7 d: waits for its resource group"),
        (job(42, "waiting_for_callback", "d"), "project 7 d: waits for a callback from an external service"),
        (job(42, "preparing", "d"), "project 7 d: waits for its prerequisites"),
        (job(42, "scheduled", "d"), "project 7 d: waits for its timer"),
        (job(42, "manual", "d"), "project 7 d: waits to be played (manual)"),
    ],
)
def test_blocker_of_a_job_is_shown_once(record: dict[str, t.Any], line: str):
    assert shown([record]).others == [line]
    assert shown([record], is_shown=False).others == []


def test_short_queue_time_is_not_shown():
    # four polls in five seconds, because pauses grow
    assert shown(*[prod("pending", tag_list=["eu"])] * 4, prod("running"), prod("success")).others == []
    # GitLab reports the earlier time in the queue
    old = [prod("pending", tag_list=["eu"], queued_duration=9.0)] * 4
    line = "project 7 deploy:prod: waits for a runner with the tag eu"
    assert shown(*old, prod("running"), prod("success")).others == []
    assert shown(*[prod("pending", tag_list=["eu"], queued_duration=10.5)] * 2, prod("success")).others == [line]


def test_job_that_failed_before_the_first_poll_is_shown_once():
    failed = job(1, "failed", "build", failure_reason="script_failure")
    progress = shown([failed, job(2, "running", "test")], [failed, job(2, "success", "test")], fail_on=[])
    assert (progress.lines[0], progress.others) == ("project 7 build: failed (script_failure)", [])
    many = [job(number, "failed", f"test {number}", failure_reason="api_failure") for number in range(5, 0, -1)]
    assert shown(many).lines == ["project 7 test 5, test 4, test 3 and 2 more jobs: each failed (api_failure)"]


def test_blocker_that_ends_before_the_second_poll_is_not_shown():
    assert shown(prod("pending"), prod("running"), prod("running"), prod("success")).others == []


def test_job_that_reached_its_target_has_no_blocker():
    assert shown(prod("manual"), wait_for=["playable"]).others == []


def test_job_behind_a_manual_job_names_it():
    gate = job(41, "manual", "approve", stage="gate")
    optional = job(40, "manual", "docs", stage="extras", allow_failure=True)
    created = job(42, "created", "deploy:prod", stage="deploy", pipeline=pipeline(status="manual"))
    line = "project 7 deploy:prod: waits for job approve (manual) of stage gate to be played"
    assert line in shown([created, gate, optional]).others
    # if only the one job is read, one extra request finds it
    assert shown([created], manual=[gate, optional], name=["deploy:prod"]).others == [line]
    # while other jobs run, the wait may end by itself
    waiting = job(42, "created", "deploy:prod", stage="deploy", pipeline=pipeline(status="running"))
    assert shown([waiting], manual=[gate], name=["deploy:prod"]).others == []


def test_manual_jobs_are_listed_once_and_the_request_may_fail():
    created = job(42, "created", "deploy", pipeline=pipeline(status="manual"))
    manual_requests = []

    def answer(call: t.Any) -> t.Any:
        if "scope[]" in call.query:
            manual_requests.append(call)
            return reply({"message": "403 Forbidden"}, status=403)
        return [created]

    outcome = run_task(
        gitlab_job_info.TASK,
        {"pipeline_id": 6, "name": ["deploy"], "wait": True, "wait_timeout": 60.0},
        transport=FunctionTransport(answer),
        progress=Progress(is_shown=True),
    )
    assert outcome.values["timed_out"] and len(manual_requests) == 1


def test_jobs_with_the_same_blocker_share_a_line():
    jobs = [job(number, "pending", f"test {number}", tag_list=["docker"]) for number in range(9, 0, -1)]
    assert shown(jobs).others == [
        "project 7 test 9, test 8, test 7 and 6 more jobs: each waits for a runner with the tag docker",
    ]


def test_still_waiting_line_appears_at_growing_intervals():
    jobs = [job(1, "running", "a"), job(2, "running", "b"), job(3, "running", "c"), job(4, "success", "d")]
    lines = shown(jobs, wait_timeout=3600.0).others
    assert lines == [
        "project 7: still waiting for 3 jobs (3 running), 5 min so far",
        "project 7: still waiting for 3 jobs (3 running), 10 min so far",
        "project 7: still waiting for 3 jobs (3 running), 20 min so far",
        "project 7: still waiting for 3 jobs (3 running), 40 min so far",
    ]


def test_action_shows_what_it_waits_for():
    progress = Progress(is_shown=True)
    clock = FakeClock()

    def answer(call: t.Any) -> t.Any:
        record = job(42, "pending" if clock.seconds < 20 else "success", "deploy", tag_list=["eu"])
        if call.method == "POST":
            return record
        if call.line == JOBS:
            return [job(42, "manual", "deploy") if clock.seconds == 0 else record]
        return record

    given = {"action": "play", "pipeline_id": 6, "name": ["deploy"], "wait": True}
    run_task(gitlab_job_action.TASK, given, transport=FunctionTransport(answer), clock=clock, progress=progress)
    assert progress.lines[0] == "project 7 deploy: manual -> pending (played)"
    assert progress.others == ["project 7 deploy: waits for a runner with the tag eu"]


def test_lines_have_the_host_as_a_prefix_if_there_are_several():
    for prefix, begin in (("", ""), ("web1", "[web1] ")):
        written: list[str] = []
        progress = DisplayProgress(lambda line, color, written=written: written.append(line), prefix)
        progress.show("a: manual -> pending (played)", status="pending")
        progress.show("a: waits for its timer")
        progress.still_waiting(text="still waiting for 1 job, 5 min so far")
        progress.log_line(name="a", line="  $ make")
        assert written == [
            f"{begin}a: manual -> pending (played)",
            f"{begin}a: waits for its timer",
            f"{begin}still waiting for 1 job, 5 min so far",
            f"{begin}a |   $ make",
        ]


@pytest.mark.parametrize(
    ("status", "color"),
    [
        ("success", constants.COLOR_OK),
        ("failed", constants.COLOR_ERROR),
        ("canceled", constants.COLOR_ERROR),
        ("pending", constants.COLOR_CHANGED),
        ("running", constants.COLOR_CHANGED),
        ("manual", None),
        ("skipped", None),
        ("a status of tomorrow", None),
    ],
)
def test_change_has_the_color_of_its_new_status(status: str, color: str | None):
    written: list[tuple[str, str | None]] = []
    progress = DisplayProgress(lambda line, color: written.append((line, color)))
    progress.show(f"a: created -> {status}", status=status)
    progress.show("a: waits for its timer")
    assert written == [(f"a: created -> {status}", color), ("a: waits for its timer", None)]


def test_failure_line_contains_the_reason():
    failed = {"failure_reason": "script_failure", "duration": 8.2}
    progress = shown(prod("running", queued_duration=0.3), prod("failed", queued_duration=0.3, **failed))
    assert progress.lines == ["project 7 deploy:prod: running -> failed after 8 s (script_failure)"]
    progress = shown(prod("running", queued_duration=5), prod("failed", queued_duration=5, **failed))
    assert progress.lines == ["project 7 deploy:prod: running -> failed after 8 s (script_failure, queued 5 s)"]
    progress = shown(prod("pending"), prod("failed", failure_reason="stuck_or_timeout_failure"))
    assert re.search(r"pending -> failed( after 1 s)? \(stuck_or_timeout_failure\)$", progress.lines[-1])


@pytest.mark.parametrize(("project", "name"), [("7", "project 7"), ("group/app", "group/app")])
def test_every_line_names_the_project_as_configured(project: str, name: str):
    progress = Progress(is_shown=True)
    named = ProjectProgress(progress, project)
    named.show("a: manual -> pending (played)", status="pending")
    named.show("a: waits for its timer")
    named.still_waiting(text="still waiting for 1 job, 5 min so far")
    named.still_waiting(text=f"waiting for the pipeline of ref v2 in project {project}")
    named.log_line(name="a", line="$ make")
    assert progress.lines == [f"{name} a: manual -> pending (played)"]
    assert progress.others == [
        f"{name} a: waits for its timer",
        f"{name}: still waiting for 1 job, 5 min so far",
        f"waiting for the pipeline of ref v2 in project {project}",
        "a | $ make",
    ]


@pytest.mark.parametrize(
    ("jobs", "left"),
    [
        (prod("running", web_url="https://g/1"), ["project 7 deploy:prod is running and continues: https://g/1"]),
        (prod("manual", web_url="https://g/1"), ["project 7 deploy:prod is manual: https://g/1"]),
        (
            [
                job(
                    number,
                    "pending",
                    f"t{number}",
                    web_url=f"https://g/{number}",
                    pipeline=pipeline(web_url="https://g/p"),
                )
                for number in range(5, 0, -1)
            ],
            [
                *(f"project 7 t{number} is pending and continues: https://g/{number}" for number in (5, 4, 3)),
                "project 7 has 2 more jobs that the task waited for: https://g/p",
            ],
        ),
    ],
)
def test_jobs_that_continue_after_an_interruption_are_known(jobs: Records, left: list[str]):
    assert shown(jobs, wait_timeout=5.0).left == left
    assert shown(jobs, wait_timeout=5.0, is_shown=False).left == []


def test_nothing_continues_after_the_wait_ends():
    assert shown(prod("running"), prod("success")).left == []


def test_interruption_is_written_to_the_terminal(tmp_path: pathlib.Path):
    terminal = tmp_path / "terminal"
    terminal.touch()
    progress = DisplayProgress(lambda line, color: None, "web1", terminal=str(terminal))
    progress.note_remaining(wait=1, what=["group/app a is running and continues: https://g/1"])
    progress.note_remaining(wait=2, what=["group/app b is pending and continues: https://g/2"])
    progress.note_remaining(wait=1, what=[])
    progress.interrupted()
    assert terminal.read_text() == "\n[web1] interrupted: group/app b is pending and continues: https://g/2\n"
    # a closed terminal causes no error
    DisplayProgress(lambda line, color: None, terminal=str(tmp_path / "none" / "x")).interrupted()


SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def recorded_signals() -> t.Iterator[list[t.Any]]:
    happened: list[t.Any] = []
    before = {number: signal.signal(number, lambda number, frame: happened.append(number)) for number in SIGNALS}
    try:
        yield happened
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class SlowReporter(DisplayProgress):
    """Records that it has reported, and is slower than the main process of Ansible."""

    def __init__(self, happened: list[t.Any], second: signal.Signals) -> None:
        super().__init__(lambda line, color: None)
        self._happened = happened
        self._second = second

    def interrupted(self) -> None:
        signal.raise_signal(self._second)
        self._happened.append("reported")


@pytest.mark.parametrize("first, second", [SIGNALS, SIGNALS[::-1]])
def test_interruption_is_reported_before_the_worker_ends(first: signal.Signals, second: signal.Signals):
    with recorded_signals() as happened:
        with _reporting_interruption(SlowReporter(happened, second)):
            signal.raise_signal(first)
        signal.raise_signal(second)
    assert happened == ["reported", first, second]


def test_two_signals_at_once_are_both_handled():
    with recorded_signals() as happened, _reporting_interruption(DisplayProgress(lambda line, color: None)):
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for number in SIGNALS:
            signal.raise_signal(number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    assert sorted(happened) == sorted(SIGNALS)


@pytest.mark.parametrize("handler", [None, signal.SIG_IGN])
@pytest.mark.parametrize("number", SIGNALS)
def test_ignored_and_foreign_signal_handlers_are_kept(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, handler: t.Any
):
    before = {other: signal.getsignal(other) for other in SIGNALS}
    with monkeypatch.context() as patched:
        patched.setattr(signal, "getsignal", {**before, number: handler}.get)
        with _reporting_interruption(DisplayProgress(lambda line, color: None)):
            pass
    assert {other: signal.getsignal(other) for other in SIGNALS} == before


def test_interruption_is_written_once(tmp_path: pathlib.Path):
    terminal = tmp_path / "terminal"
    terminal.touch()
    progress = DisplayProgress(lambda line, color: None, terminal=str(terminal))
    progress.note_remaining(wait=1, what=["group/app a is running and continues: https://g/1"])
    with recorded_signals(), _reporting_interruption(progress):
        for number in SIGNALS:
            signal.raise_signal(number)
    assert terminal.read_text() == "\ninterrupted: group/app a is running and continues: https://g/1\n"


def test_progress_is_masked_and_has_no_control_codes():
    progress = Progress(is_shown=True)
    output = SafeOutput(TaskContext(progress=progress))
    output.context.register_secret("glpat-0123456789")
    safe = output.context.progress
    assert safe.is_shown
    bad = "\x1b[31mglpat-01\x1b[0m23456789\n"
    safe.show(f"{bad.strip()}: a -> b {bad}", status="b")
    safe.show(f"job: {bad}")
    safe.still_waiting(text=bad)
    safe.log_line(name="job", line="  " + bad)
    assert progress.lines == ["******** a -> b ********"]
    assert progress.others == ["job: ********", "********", "job |   ********"]


def test_progress_of_a_module_is_hidden():
    silent = TaskContext().progress
    assert not silent.is_shown
    silent.show("a: b -> c", status="c")
    silent.still_waiting(text="a")
    silent.log_line(name="a", line="b")
