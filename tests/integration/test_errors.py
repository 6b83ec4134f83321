# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors as users see them: one sentence that says what to do, exit code 2, and no traceback."""

from __future__ import annotations

import pathlib
import socket
import typing as t

import pytest

from . import harness
from .approvals import approval_world
from .harness import TOKEN, effects, play, run_task, world

PLAY = {"project": "group/app", "pipeline_id": 100, "action": "play", "name": "deploy:prod"}
READ = {"project": "group/app", "pipeline_id": 100}
ACTION = "jobgate.gitlab.gitlab_job_action"
INFO = "jobgate.gitlab.gitlab_job_info"

JOBS: list[dict[str, t.Any]] = [
    {"name": "build", "status": "success"},
    {"name": "deploy:prod", "stage": "deploy", "when": "manual", "allow_failure": False},
    {"name": "deploy:staging", "stage": "deploy", "when": "manual"},
    {"name": "deploy:locked", "stage": "deploy", "when": "manual", "environment": "production"},
    {
        "name": "deploy:approval",
        "stage": "deploy",
        "when": "manual",
        "environment": "live",
        "deployment": {"approval": "waiting"},
    },
    {"name": "endless", "stage": "deploy", "when": "manual", "queue": None},
    {"name": "no runner", "stage": "deploy", "when": "manual", "queue": None},
]


def scenario() -> dict[str, t.Any]:
    made = world(*JOBS)
    made["projects"][0] |= {
        "protected_environments": {"production": ["carol"]},
        "variables_minimum_override_role": "no_one_allowed",
    }
    return made


def check_message(result: dict[str, t.Any], *words: str) -> None:
    """Check the form and the words of the message of a failed task."""
    message = str(result["msg"])
    assert "\n" not in message and len(message) < 700, message
    assert message[-1] in ".?!", message
    for word in words:
        assert word.lower() in message.lower(), f"{word!r} is not in: {message}"


# name, module, options, token, words of the message
CASES: list[tuple[str, str, dict[str, t.Any], str, tuple[str, ...]]] = [
    ("bad token", INFO, READ, "no-such-token-0123456789", ("401", "check the token")),
    ("no token", INFO, {"project": "group/app", "job_id": 1000}, "", ("401", "api_token")),
    ("read-only token", ACTION, PLAY, "read-token-0123456789", ("403", "scope api")),
    ("reporter", ACTION, PLAY, "carol-token-0123456789", ("403", "role")),
    (
        "project not found",
        INFO,
        {**READ, "project": "group/none"},
        TOKEN,
        ("404", "Project Not Found", "check project"),
    ),
    ("path without a slash", INFO, {**READ, "project": "app"}, TOKEN, ("no slash", "full path")),
    ("encoded path", INFO, {**READ, "project": "group%2Fapp"}, TOKEN, ("URL-encoded", "plain path")),
    ("pipeline not found", INFO, {**READ, "pipeline_id": 999}, TOKEN, ("404", "pipelines/999")),
    (
        "ref without a pipeline",
        INFO,
        {"project": "group/app", "ref": "nope"},
        TOKEN,
        ("no pipeline of ref nope", "wait"),
    ),
    (
        "unknown job",
        ACTION,
        {**PLAY, "name": "deploy:prdo"},
        TOKEN,
        ("no job 'deploy:prdo'", "did you mean 'deploy:prod'"),
    ),
    ("two jobs", ACTION, {**PLAY, "name": "deploy:*"}, TOKEN, ("4 jobs match", "deploy:staging", "multiple: all")),
    ("unplayable", ACTION, {**PLAY, "name": "deploy:approval"}, TOKEN, ("waits for approvals", "wait_for_approval")),
    ("protected environment", ACTION, {**PLAY, "name": "deploy:locked"}, TOKEN, ("403", "protected")),
    ("restricted variables", ACTION, {**PLAY, "job_variables": {"A": "b"}}, TOKEN, ("403", "pipeline variables")),
    ("non-scalar variable", ACTION, {**PLAY, "job_variables": {"A": ["b"]}}, TOKEN, ("A is a list", "to_json")),
    (
        "bad combination",
        ACTION,
        {**PLAY, "action": "cancel", "replay": "always"},
        TOKEN,
        ("replay can only be used with play",),
    ),
    ("version without quotes", INFO, {"project": "group/app", "ref": 1.1}, TOKEN, ("ref is the number 1.1", "quotes")),
    ("two ways", INFO, {**READ, "ref": "main"}, TOKEN, ("mutually exclusive", "pipeline_id", "ref")),
    (
        "two tokens",
        INFO,
        {**READ, "api_token": "a-token-1", "api_oauth_token": "b-token-2"},
        "",
        ("mutually exclusive",),
    ),
    ("password", INFO, {**READ, "api_username": "alice", "api_password": "secret-word"}, TOKEN, ("set api_token",)),
    (
        "unknown extension",
        INFO,
        {**READ, "extensions": ["frezze"]},
        TOKEN,
        ("unknown extension 'frezze'", "entry point"),
    ),
    (
        "timeout",
        ACTION,
        {**PLAY, "name": "endless", "wait": True, "wait_timeout": 1.5},
        TOKEN,
        ("still pending", "wait_timeout"),
    ),
    (
        "pending timeout",
        ACTION,
        {**PLAY, "name": "no runner", "wait": True, "pending_timeout": 0.5},
        TOKEN,
        ("has been pending", "runner"),
    ),
    ("bad URL", INFO, {**READ, "api_url": "gitlab.example.com"}, TOKEN, ("not a web address", "https://")),
    ("unknown host", INFO, {**READ, "api_url": "http://no-such-host.invalid"}, TOKEN, ("host name", "check api_url")),
    (
        "wrong path",
        INFO,
        {**READ, "api_url": "{{ lookup('ansible.builtin.env', 'GITLAB_API_URL') }}/no"},
        TOKEN,
        ("404", "api_url"),
    ),
    (
        "TLS to a server without it",
        INFO,
        {**READ, "api_url": "{{ lookup('ansible.builtin.env', 'GITLAB_API_URL') | replace('http:', 'https:') }}"},
        TOKEN,
        ("TLS failed", "scheme"),
    ),
]


def test_each_error_is_one_sentence(simulator: t.Any, tmp_path: pathlib.Path, run_mode: str) -> None:
    simulator.load(scenario(), clock="real")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        options = {**READ, "api_url": f"http://127.0.0.1:{unused.getsockname()[1]}", "api_retries": 1}
        words = ("refuses the connection", "after 2 attempts", "check api_url")
        cases = [*CASES, ("nobody listens", INFO, options, TOKEN, words)]
        # Ansible prints lines of the playbook, which must not contain tokens
        of = {token: f"TOKEN_{number}" for number, token in enumerate({token for *_case, token, _words in cases})}
        given = {
            token: {"jobgate_gitlab_api_token": f"{{{{ lookup('ansible.builtin.env', '{name}') }}}}"} if token else {}
            for token, name in of.items()
        }
        tasks = [
            {"name": name, module: options, "ignore_errors": True, "vars": given[token]}
            for name, module, options, token, _words in cases
        ]
        secrets = [*filter(None, of), "secret-word", "a-token-1", "b-token-2"]
        environment = {name: token for token, name in of.items()}
        result = play(tasks, tmp_path, "-vvv", url=simulator.url, token="", secrets=secrets, environment=environment)
    assert "Traceback" not in result.output
    assert f"ignored={len(cases)}" in result.output
    assert ("EXEC" in result.output) is (run_mode == "module")
    assert list(result.results) == [name for name, *_case in cases]
    for name, *_case, words in cases:
        check_message(result.results[name], *words)
    # the tasks that timed out played their jobs first
    assert effects(simulator) == [("play", "endless"), ("play", "no runner")]


@pytest.mark.usefixtures("run_mode")
def test_html_instead_of_json_fails_the_task(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    simulator.inject(kind="html", status=200)
    result = play([{"name": "task", INFO: READ}], tmp_path, url=simulator.url)
    assert result.returncode == 2, result.output
    assert "Traceback" not in result.output
    words = ("an HTML page with the title 'Sign in', not JSON", "a login page answers instead of GitLab")
    check_message(result.results["task"], *words)


def test_missing_library_is_reported(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    """A broken library of the same name comes first in the module's path."""
    simulator.load(scenario())
    proxy = {"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "", "no_proxy": ""}
    needs: t.Any = {"requests": (READ, proxy), "pluggy": ({**READ, "extensions": ["some"]}, {})}
    tasks = []
    for library, (options, environment) in needs.items():
        hidden = tmp_path / library
        hidden.mkdir()
        (hidden / f"{library}.py").write_text("raise ImportError('not installed')\n", encoding="utf-8")
        environment = {"PYTHONPATH": str(hidden), **environment}
        tasks.append({"name": library, INFO: options, "environment": environment, "ignore_errors": True})
    result = play(tasks, tmp_path, url=simulator.url)
    assert "Traceback" not in result.output
    assert f"ignored={len(needs)}" in result.output
    for library in needs:
        check_message(result.results[library], f"required python library ({library})")
    assert simulator.requests() == []


def test_lookup_error_is_shown_without_a_traceback(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    message = "{{ lookup('jobgate.gitlab.gitlab_job', 'deploy:prdo', project='group/app', pipeline_id=100) }}"
    result = play([{"name": "task", "ansible.builtin.debug": {"msg": message}}], tmp_path, url=simulator.url)
    assert result.returncode == 2
    assert "did you mean 'deploy:prod'" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("is_readable", [True, False])
@pytest.mark.parametrize(
    ("task", "options", "reads_before"),
    [
        (harness.ACTION, {"pipeline_id": 100, "name": ["deploy"], "action": "play"}, 3),
        (harness.APPROVAL, {"pipeline_id": 100, "state": "approved"}, 3),
        (harness.PIPELINE, {"pipeline_id": 100, "action": "cancel"}, 4),
        (harness.PIPELINE, {"ref": "main", "action": "run"}, 3),
    ],
    ids=["play", "approval", "cancel", "run"],
)
def test_unknown_outcome_is_reported_before_the_request(
    simulator: t.Any, task: t.Any, options: t.Any, reads_before: int, is_readable: bool
) -> None:
    made = approval_world()
    if "state" not in options:
        made = world({"name": "deploy", "when": "manual", "allow_failure": False}, {"name": "unit", "outcome": "hang"})
    simulator.load(made)
    simulator.inject(kind="status", status=500, body={"message": "oops"}, method="POST")
    if not is_readable:
        nth = list(range(reads_before + 1, 60))
        simulator.inject(kind="status", status=403, body={"message": "403 Forbidden"}, method="GET", nth=nth)
    text = str(run_task(simulator, task, project="group/app", api_retries=1, **options).failure)
    phrases = ("no effect", "is unknown", "is not known")
    assert 0 < max(map(text.find, phrases)) < text.index("(POST") and text.endswith("status 500)"), text
