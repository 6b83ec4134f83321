# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run tasks against the simulator: in this process, where pauses advance its clock, or in a real playbook."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import typing as t

import yaml
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import GitLabError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.clock import Clock
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import (
    gitlab_deployment_approval,
    gitlab_deployment_info,
    gitlab_job_action,
    gitlab_job_download,
    gitlab_job_info,
    gitlab_job_token_info,
    gitlab_pipeline,
    gitlab_pipeline_bridges,
    gitlab_pipeline_info,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.definition import TaskDefinition

from tests.unit.harness import filled

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "alice-token-0123456789"

INFO = gitlab_job_info.TASK
ACTION = gitlab_job_action.TASK
BRIDGES = gitlab_pipeline_bridges.TASK
PIPELINE = gitlab_pipeline.TASK
PIPELINE_INFO = gitlab_pipeline_info.TASK
DOWNLOAD = gitlab_job_download.TASK
TOKEN_INFO = gitlab_job_token_info.TASK
DEPLOYMENT_INFO = gitlab_deployment_info.TASK
APPROVAL = gitlab_deployment_approval.TASK


class SimulatedTime(Clock):
    """A clock whose pauses advance the stepped clock of a simulator, so that waiting takes no real time."""

    def __init__(self, simulator: t.Any) -> None:
        self._simulator = simulator
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def time(self) -> float:
        return 1_800_000_000.0 + self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self._simulator.advance(seconds)
        self._simulator.drain_hooks()
        if seconds >= 0.1:
            # the simulator may be away for some real time; this ends it when that much time of the task has passed
            self._simulator.come_back()


@dataclasses.dataclass
class Result:
    """The result that a task would pass to Ansible."""

    values: dict[str, t.Any]
    changed: bool = False
    failure: str | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0

    def __getitem__(self, name: str) -> t.Any:
        return self.values[name]


def run_task(
    simulator: t.Any,
    task: TaskDefinition,
    *,
    check_mode: bool = False,
    token: str | None = TOKEN,
    environ: t.Mapping[str, str] | None = None,
    progress: t.Any = None,
    **options: t.Any,
) -> Result:
    """Run a task against the simulator over HTTP, and return its result; errors become failures."""
    unknown = set(options) - set(task.spec.arguments)
    assert not unknown, f"{task.name} has no {unknown}"
    given = filled(task.spec.arguments, {"api_url": simulator.url, "api_token": token, **options})
    clock = SimulatedTime(simulator)
    context = TaskContext(check_mode=check_mode, environ=environ or {}, clock=clock)
    if progress is not None:
        context = dataclasses.replace(context, progress=progress)
    try:
        outcome = task.run(given, context)
    except GitLabError as exc:
        return Result(dict(task.empty_result), failure=str(exc), seconds=clock.seconds)
    return Result(outcome.values, outcome.changed, outcome.failure, outcome.warnings, clock.seconds)


@dataclasses.dataclass
class Play:
    """A finished ansible-playbook process.

    :param results: the result of each task, in order, by task name.
    """

    returncode: int
    output: str
    results: dict[str, dict[str, t.Any]]


def kill_playbook(process: subprocess.Popen[t.Any]) -> None:
    """Kill a running playbook and its workers, which have their own process groups and would outlive it."""
    if process.poll() is not None:
        return
    # a stopped process cannot start more workers
    process.send_signal(signal.SIGSTOP)
    if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT).si_code == os.CLD_STOPPED:
        for worker in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(worker), signal.SIGKILL)
    process.kill()
    process.wait(timeout=60)


def playbook_command(
    tasks: list[dict[str, t.Any]] | pathlib.Path,
    tmp_path: pathlib.Path,
    *options: str,
    url: str = "",
    token: str = TOKEN,
    environment: t.Mapping[str, str] | None = None,
    play_keywords: t.Mapping[str, t.Any] | None = None,
) -> tuple[list[str], dict[str, str]]:
    """Return the command and the environment to run these tasks or a playbook, isolated from the caller's settings."""
    playbook = tasks if isinstance(tasks, pathlib.Path) else tmp_path / "playbook.yml"
    if not isinstance(tasks, pathlib.Path):
        content = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            "tasks": tasks,
            **(play_keywords or {}),
        }
        playbook.write_text(yaml.safe_dump([content], sort_keys=False), encoding="utf-8")
    configuration = tmp_path / "ansible.cfg"
    configuration.touch()
    # remove the caller's GitLab settings, proxy and configuration
    foreign = ("GITLAB_", "GL_", "CI_", "JOBGATE_", "ANSIBLE_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    clean |= {
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        "ANSIBLE_HOME": str(ROOT / ".cache" / "ansible"),
        # Ansible finds the home folder in two ways, which differ if HOME is changed
        "ANSIBLE_ASYNC_DIR": str(tmp_path / "async"),
        "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_CALLBACK_PLUGINS": str(pathlib.Path(__file__).parent / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "results",
        "RESULTS_PATH": str(tmp_path / "results.jsonl"),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
    if "JOBGATE_TEST_RUN_MODE" in os.environ:
        clean |= {"JOBGATE_IN_PROCESS": str(os.environ["JOBGATE_TEST_RUN_MODE"] == "in_process")}
    if url:
        clean |= {"GITLAB_API_URL": url}
    if token:
        clean |= {"GITLAB_TOKEN": token}
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    return [str(program), str(playbook), *options], {**clean, **(environment or {})}


def play(
    tasks: list[dict[str, t.Any]] | pathlib.Path,
    tmp_path: pathlib.Path,
    *options: str,
    secrets: t.Sequence[str] = (TOKEN,),
    **how: t.Any,
) -> Play:
    """Run these tasks or a playbook with `ansible-playbook`, and fail if its output contains a secret.

    :param how: see `playbook_command`.
    """
    results_path = tmp_path / "results.jsonl"
    results_path.unlink(missing_ok=True)
    command, environment = playbook_command(tasks, tmp_path, *options, **how)
    done = subprocess.run(
        command,
        env=environment,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        # only for a playbook that hangs; long enough for slow machines
        timeout=1800,
        check=False,
    )
    output = done.stdout + done.stderr
    written = results_path.read_text(encoding="utf-8") if results_path.exists() else ""
    for secret in secrets:
        assert secret not in output + written, "a secret is in the output"
    lines = [json.loads(line) for line in written.splitlines()]
    return Play(done.returncode, output, {line["name"]: line["result"] for line in lines})


@contextlib.contextmanager
def running_in_thread(work: t.Callable[[threading.Event], None]) -> t.Iterator[None]:
    """Run a function in another thread, and set the event that it gets when it must stop."""
    is_over = threading.Event()
    thread = threading.Thread(target=work, args=(is_over,))
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def advancing_clock_per_poll(seconds: float, simulator: t.Any) -> t.ContextManager[None]:
    """Advance the stepped clock of a simulator each time that a playbook has sent requests.

    The playbook then sees every state that lasts longer, even on a busy machine.
    """

    def move(is_over: threading.Event) -> None:
        seen = 0
        while not is_over.wait(0.02):
            before, seen = seen, len(simulator.requests())
            if seen > before:
                simulator.advance(seconds)

    return running_in_thread(move)


def effects(simulator: t.Any) -> list[tuple[str, str]]:
    """Return action and job name of all changes on the server."""
    return [(effect["action"], effect["name"]) for effect in simulator.effects()]


def world(*jobs: dict[str, t.Any], **pipeline: t.Any) -> dict[str, t.Any]:
    """Return a scenario with one project, one pipeline with these jobs, and alice, who has all permissions."""
    return {
        "users": [
            {"username": "alice", "id": 2},
            {"username": "bob", "id": 3},
            {"username": "carol", "id": 4},
        ],
        "tokens": [
            {"token": TOKEN, "user": "alice"},
            {"token": "bob-token-0123456789", "user": "bob"},
            {"token": "carol-token-0123456789", "user": "carol"},
            {"token": "read-token-0123456789", "user": "alice", "scopes": ["read_api"]},
        ],
        "projects": [
            {"path": "group/app", "id": 7, "members": {"alice": "maintainer", "bob": "developer", "carol": "reporter"}}
        ],
        "pipelines": [
            {"id": 100, "project": "group/app", "ref": "main", "user": "bob", "jobs": list(jobs), **pipeline}
        ],
    }
