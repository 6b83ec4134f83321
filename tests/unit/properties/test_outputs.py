# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a server does with a secret, no plugin outputs it: in results, errors, lines, files or the invocation."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
import typing as t
from unittest import mock

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.clock import Clock
from ansible_collections.jobgate.gitlab.plugins.plugin_utils import _shared
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._in_process import InProcessAction
from hypothesis import given
from hypothesis import strategies as st

from ..faces import TASKS, Options, as_lookup, as_module, in_process
from ..harness import SERVER, FunctionTransport, Progress, TransportExtension, bridge, installed, job, pipeline, reply
from .support import examples
from .test_secrets import CODES, FORMS, PLAIN, readings

OF_PIPELINE = {"project": "7", "pipeline_id": 6}
WAIT = {"wait": True, "wait_timeout": 30.0}
GATE = {"name": ["*"], "action": "play", "multiple": "all", "wait_timeout": 30.0}
PLUGINS: dict[str, list[Options]] = {
    "gitlab_job_info": [
        {**OF_PIPELINE, "log_lines": 3, **WAIT, "fail_on": ["failed"]},
        {**OF_PIPELINE, "name": ["none"]},
    ],
    "gitlab_job_action": [
        {**OF_PIPELINE, "name": ["*"], "multiple": "all", "action": "play", **WAIT},
        {**OF_PIPELINE, "name": ["*"], "multiple": "all", "action": "erase", "_ansible_check_mode": True},
        {**OF_PIPELINE, "name": ["*"], "multiple": "all", "action": "cancel"},
    ],
    "gitlab_pipeline_bridges": [{**OF_PIPELINE, "depth": 0, "include_jobs": True}, {**OF_PIPELINE, **WAIT}],
    "gitlab_pipeline": [
        {"project": "7", "action": "run", "ref": "main", "variables": {"A": "b"}, **WAIT},
        {**OF_PIPELINE, "action": "retry", **WAIT},
        {**OF_PIPELINE, "action": "cancel", "_ansible_check_mode": True},
    ],
    "gitlab_pipeline_info": [
        {**OF_PIPELINE, "include": ["variables", "test_report", "downstream", "jobs"], "log_lines": 3, **WAIT}
    ],
    "gitlab_deployment_info": [{"project": "7"}],
    "gitlab_deployment_approval": [
        {"project": "7", "deployment_id": 5, "state": "approved"},
        {"project": "7", "deployment_id": 5, "state": "rejected", "_ansible_check_mode": True},
    ],
    "gitlab_job_download": [
        {"project": "7", "job_id": 42, "content": "log", "dest": "{folder}/dest", "checksum": "sha256:" + "0" * 64},
        {"project": "7", "job_id": 42, "content": "archive", "dest": "{folder}/dest"},
        {"project": "7", "job_id": 42, "content": "report", "report_type": "junit", "dest": "{folder}/dest"},
        {"project": "7", "job_id": 42, "content": "report", "report_type": "sast", "dest": "{folder}/dest"},
        {"project": "7", "job_id": 42, "content": "list"},
    ],
    "gitlab_job_token_info": [{"agents": True}],
    "gitlab_release_gate": [
        {
            "projects": [{**OF_PIPELINE, "gates": [GATE]}],
            "record": "{folder}/record",
            "report": "{folder}/report",
            "summary": "{folder}/summary",
            "junit": "{folder}/junit",
        }
    ],
    "lookup": [
        {**OF_PIPELINE, "terms": ["*"]},
        {**OF_PIPELINE, "terms": ["none"]},
        {"project": "7", "terms": ["42"], "log": True},
        {"project": "7", "terms": ["42"], "artifact": "a.json", "parse": "json"},
        {"project": "7", "terms": ["42"], "artifact": "a.env", "parse": "dotenv"},
    ],
}
FILES = ("dest", "record", "report", "summary", "junit")
EVERY = [(name, number) for name, variants in PLUGINS.items() for number in range(len(variants))]
SECRET = "glpat-\"o'ne\\two&three/4567890"
# Options with secrets; values that are passed to a job are masked as well.
GIVEN: dict[str, Options] = {
    "api_token": {"api_token": SECRET},
    "api_oauth_token": {"api_oauth_token": SECRET},
    "api_job_token": {"api_job_token": SECRET},
    "http_headers": {"api_token": "glpat-0123456789", "http_headers": {"X-Gateway": SECRET}},
}
statuses = st.sampled_from([200, 200, 200, 200, 201, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503])


def server(echo: str, status: int, state: str) -> FunctionTransport:
    """Return a server that includes this string in all its answers."""

    def answer(call: t.Any) -> t.Any:
        if status >= 300 and (call.method != "GET" or "/jobs" not in call.path or status not in (400, 409, 422)):
            headers = {"Location": f"https://elsewhere.example/{echo}", "X-Request-Id": echo, "Retry-After": "0"}
            return reply({"message": {"base": [f"{echo} is wrong"]}}, status=status, headers=headers)
        fields = {
            "name": f"deploy {echo}",
            "stage": echo,
            "failure_reason": echo,
            "ref": echo,
            "tag_list": [echo],
            "artifacts": [{"file_type": kind, "filename": echo, "file_format": echo} for kind in ("junit", echo)],
            "runner": {"description": echo},
            "user": {"username": echo, "id": 1},
            "web_url": f"https://gitlab.example.com/{echo}",
            "commit": {"message": echo, echo: echo},
        }
        record = job(42, "pending" if call.method == "POST" else state, **fields)
        made = pipeline(6, ref=echo, source=echo, web_url=f"https://gitlab.example.com/{echo}", yaml_errors=echo)
        if "/deployments" in call.path:
            made = deployment_of(echo)
            return [made] if call.path.endswith("/deployments") else made
        if call.path.endswith("/variables"):
            return [{"key": echo, "value": echo, "variable_type": "env_var"}]
        if call.path.endswith("/test_report_summary"):
            return {"total": {"count": 1, "suite_error": echo}, "test_suites": [{"name": echo, "suite_error": echo}]}
        if call.path.endswith("/trace"):
            return f"one\n{echo}\n{echo} three"
        if call.path.endswith(("/bridges", "/trigger_jobs")):
            return [bridge(50, state, downstream=pipeline(9, ref=echo), **fields)] if "/6/" in call.path else []
        if "/artifacts" in call.path:
            listed = [{"name": echo, "path": echo, "type": "file"}]
            return listed if call.path.endswith("/tree") else json.dumps({"A": echo}).encode()
        if call.path.endswith("/allowed_agents"):
            return {"allowed_agents": [{"id": 1, "config_project": {"path": echo}}], "user": {"username": echo}}
        if call.path.endswith("/jobs"):
            return [record]
        return record if "/job" in call.path else made

    return FunctionTransport(answer)


def deployment_of(echo: str) -> dict[str, t.Any]:
    """Return a deployment with this string in all its fields."""
    given = {"user": {"id": 2, "username": echo}, "status": "approved", "comment": echo}
    rule = {"id": 1, "access_level_description": echo, "required_approvals": 2, "deployment_approvals": [given]}
    return {
        "id": 5,
        "iid": 1,
        "status": "blocked",
        "ref": echo,
        "environment": {"id": 1, "name": echo},
        "deployable": {"id": 42, "name": echo, "status": "manual"},
        "pending_approval_count": 1,
        "approvals": [given],
        "approval_summary": {"rules": [rule]},
    }


def everything_of(name: str, options: Options, transport: FunctionTransport, face: str) -> t.Iterator[str]:
    """Yield everything that a plugin returns, shows and writes."""
    progress = Progress(is_shown=True)
    skipped = [0.0]
    with tempfile.TemporaryDirectory() as folder:
        given_options = {key: value.format(folder=folder) if key in FILES else value for key, value in options.items()}
        with (
            installed({"the-transport": TransportExtension(transport)}),
            mock.patch.object(InProcessAction, "_progress", lambda self, variables: progress),
            mock.patch.object(Clock, "sleep", lambda self, seconds: skipped.append(skipped.pop() + seconds)),
            mock.patch.object(Clock, "monotonic", lambda self: 1000.0 + skipped[0]),
            mock.patch.dict(_shared._TRANSPORTS, clear=True),
        ):
            if name == "lookup":
                result = as_lookup(given_options)
            else:
                result = (in_process if face == "in process" else as_module)(TASKS[name], given_options)
        yield json.dumps(result)
        yield json.dumps(result, ensure_ascii=False)
        yield from strings_in(result)
        yield from (*progress.lines, *progress.others, *progress.left)
        for path in pathlib.Path(folder).iterdir():
            # a download is unmasked content of the server
            if path.name != "dest":
                yield path.read_text(encoding="utf-8")


def strings_in(value: t.Any) -> t.Iterator[str]:
    """Yield every string in a value, including keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in (*value, *value.values()):
            yield from strings_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from strings_in(each)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("GITLAB_", "CI_", "JOBGATE_")):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(("name", "variant"), EVERY, ids=[f"{name}-{number}" for name, number in EVERY])
@examples(16)
@given(
    st.data(),
    st.sampled_from(list(FORMS)),
    st.sampled_from(list(GIVEN)),
    st.sampled_from(["", "x" * 280, "y" * 9_480, " ", "é"]),
    statuses,
    st.sampled_from(["manual", "failed", "success", "running", "canceled"]),
    st.sampled_from(["in process", "module"]),
)
def test_no_output_contains_a_secret(name, variant, data, form, given_as, before, status, state, face):
    if given_as == "api_job_token" and name != "gitlab_job_token_info":
        given_as = "api_token"
    if name == "gitlab_job_token_info" and given_as != "http_headers":
        given_as = "api_job_token"
    encoded = FORMS[form](SECRET)
    if form in PLAIN:
        at = data.draw(st.integers(0, len(encoded)))
        encoded = encoded[:at] + data.draw(st.one_of(st.just(""), CODES)) + encoded[at:]
    options = {
        "api_url": SERVER,
        "api_retries": 1,
        **PLUGINS[name][variant],
        **GIVEN[given_as],
        "extensions": ["the-transport"],
    }
    if name == "gitlab_job_token_info" and given_as == "http_headers":
        options["api_job_token"] = options.pop("api_token")
    echo = before + encoded + "z" * data.draw(st.integers(0, 700))
    for text in everything_of(name, options, server(echo, status, state), face):
        assert SECRET not in text and json.dumps(SECRET)[1:-1] not in text
        assert SECRET not in readings(text)


def test_every_module_is_tested():
    assert set(PLUGINS) == {"lookup", *TASKS}
