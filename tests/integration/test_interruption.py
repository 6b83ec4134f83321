# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks that are interrupted while they wait, by Ctrl-C or because Ansible's main process is killed."""

from __future__ import annotations

import functools
import os
import pathlib
import pty
import select
import signal
import subprocess
import threading
import time
import typing as t

import pytest

from .harness import effects, kill_playbook, playbook_command, world

DEPLOY: dict[str, t.Any] = {"name": "deploy", "when": "manual", "allow_failure": False, "outcome": "hang"}
ACTION: dict[str, t.Any] = {
    "name": "task",
    "jobgate.gitlab.gitlab_job_action": {
        "project": "group/app",
        "ref": "main",
        "name": "deploy",
        "action": "play",
        "wait": True,
        "wait_interval": 0.5,
    },
}
GATES: dict[str, t.Any] = {
    "name": "task",
    "jobgate.gitlab.gitlab_release_gate": {
        "projects": [{"project": "group/app", "ref": "main", "gates": [{"name": "deploy", "action": "play"}]}],
        "wait_interval": 0.5,
    },
}
PATIENCE_SECONDS = 1800


def run_and_interrupt(simulator: t.Any, tmp_path: pathlib.Path, task: dict[str, t.Any]) -> tuple[int, list[str]]:
    """Run a playbook in a terminal, press Ctrl-C once the job runs, and return exit code and lines."""
    simulator.load(world(DEPLOY), clock="scaled:60")
    command, environment = playbook_command([task], tmp_path, url=simulator.url)
    terminal, inside = pty.openpty()
    ends = {"stdin": inside, "stdout": inside, "stderr": inside}
    # handle SIGINT as in a terminal, because a shell makes background processes ignore it
    handle_sigint = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(
        command, env=environment, cwd=tmp_path, start_new_session=True, preexec_fn=handle_sigint, **ends
    )
    os.close(inside)
    output = b""
    is_sent = False
    try:
        while piece := _read(terminal):
            output += piece
            if not is_sent and b"-> running" in output:
                # Ansible would crash if a worker ended while it passes a line on
                _await_another_request(simulator)
                os.killpg(process.pid, signal.SIGINT)
                is_sent = True
        process.wait(timeout=PATIENCE_SECONDS)
    finally:
        kill_playbook(process)
        os.close(terminal)
    return process.returncode, output.decode().splitlines()


def _await_another_request(simulator: t.Any) -> None:
    """Wait until the task sends another request; it has no line to show after that."""
    before = len(simulator.requests())
    end = time.monotonic() + PATIENCE_SECONDS
    while len(simulator.requests()) == before and time.monotonic() < end:
        threading.Event().wait(0.01)


def _read(terminal: int) -> bytes:
    """Return the next output; empty at the end."""
    try:
        ready, _none, _none = select.select([terminal], [], [], PATIENCE_SECONDS)
        return os.read(terminal, 4096) if ready else b""
    except OSError:  # no process has the terminal open
        return b""


@pytest.mark.parametrize("task", [ACTION, GATES], ids=["action", "gates"])
def test_ctrl_c_reports_the_running_job_and_its_address(
    simulator: t.Any, tmp_path: pathlib.Path, task: dict[str, t.Any]
) -> None:
    returncode, lines = run_and_interrupt(simulator, tmp_path, task)
    assert returncode == 99, lines
    assert any("User interrupted execution" in line for line in lines)
    assert not any("Traceback" in line for line in lines), "\n".join(lines)
    address = f"{simulator.url}/group/app/-/jobs/1000"
    message = f"interrupted: group/app deploy is running and continues: {address}"
    assert lines.count(message) == 1, "\n".join(lines)
    # nothing else was done to the job
    assert effects(simulator) == [("play", "deploy")]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
@pytest.mark.parametrize("task", [ACTION, GATES], ids=["action", "gates"])
def test_killed_playbook_plays_nothing_later(
    simulator: t.Any, tmp_path: pathlib.Path, task: dict[str, t.Any], number: int
) -> None:
    """Closing the terminal sends SIGHUP, which Ansible does not pass on to its workers."""
    simulator.load(world({"name": "build", "stage": "build", "queue": 0, "duration": 100}, DEPLOY))
    command, environment = playbook_command([task], tmp_path, url=simulator.url)
    # handle SIGHUP as in a terminal, because `nohup` makes its processes ignore it
    heed = functools.partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)
    ends = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=environment, cwd=tmp_path, preexec_fn=heed, **ends)
    try:
        _await_another_request(simulator)
        # the first poll finds a job that cannot be played yet
        while "/jobs" not in simulator.requests()[-1]["path"]:
            _await_another_request(simulator)
        (number_of_worker,) = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        worker = os.pidfd_open(int(number_of_worker))
        process.send_signal(number)
        has_ended = bool(select.select([worker], [], [], PATIENCE_SECONDS)[0])
        os.close(worker)
    finally:
        kill_playbook(process)
    simulator.advance(101)
    assert has_ended and simulator.job("deploy")["status"] == "manual"
