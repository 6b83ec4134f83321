# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For any answers of a server, a task ends in time, with an outcome or a one-line error, and proves each write."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing as t
from unittest import mock

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import paging
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import (
    BadAnswerError,
    ConnectError,
    GitLabError,
    LostAnswerError,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Response
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.actions import ACTIONS
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs import bridges
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.statuses import STATUSES
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Outcome
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.pipelines.query import PipelineQuery
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.reads.lookup import LookupRequest, look_up, read_term
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.safe_output import SafeOutput
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import (
    gitlab_job_action,
    gitlab_job_info,
    gitlab_pipeline,
    gitlab_pipeline_bridges,
    gitlab_pipeline_info,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.options import session_of
from hypothesis import given
from hypothesis import strategies as st

from ..harness import (
    SERVER,
    TOKEN,
    FakeClock,
    FunctionTransport,
    PageRequester,
    Progress,
    TransportExtension,
    bridge,
    installed,
    job,
    list_of,
    pipeline,
    reply,
    run_task,
)
from .support import assert_line, control_codes_in, examples, hostile_text, nested

# ----- possible answers -----

weird_numbers = st.one_of(
    st.integers(-2, 100),
    st.sampled_from([0, -5, 2**31, 2**63, 2**64, 10**400, -(10**400), 1e400, -1e400, 0.5, float("nan"), 1e308, True]),
)
leaves = st.one_of(st.none(), st.booleans(), weird_numbers, hostile_text, st.just("42"))
weird_json = nested(leaves)
statuses = st.one_of(st.sampled_from(list(STATUSES)), hostile_text, st.sampled_from(["", "SUCCESS", "new_status"]))
_ABSENT = object()
addresses = st.sampled_from(
    [
        "http://[",
        SERVER + "/group/app/-/pipelines/9",
        "//",
        SERVER + "/../-/pipelines/1",
        SERVER + "/\ud800/x/pipelines/3",
    ]
)
summaries = st.one_of(
    weird_json,
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.one_of(st.integers(6, 12), weird_numbers, hostile_text),
            "project_id": st.one_of(st.integers(7, 8), weird_json),
            "status": st.one_of(statuses, weird_json),
            "web_url": st.one_of(addresses, weird_json),
            "ref": hostile_text,
        },
    ),
)
FIELDS: dict[str, t.Any] = {
    "id": st.one_of(st.integers(40, 60), weird_numbers, hostile_text),
    "name": st.one_of(st.sampled_from(["deploy", "test", "trigger"]), hostile_text),
    "status": statuses,
    "stage": hostile_text,
    "pipeline": summaries,
    "downstream_pipeline": summaries,
    "artifacts": st.lists(summaries, max_size=2),
    "failure_reason": st.one_of(hostile_text, st.just("script_failure")),
    "runner": st.fixed_dictionaries({}, optional={"description": st.one_of(hostile_text, weird_json)}),
    "tag_list": st.lists(st.one_of(hostile_text, weird_json), max_size=3),
    "queued_duration": weird_numbers,
    "erased_at": hostile_text,
    "started_at": hostile_text,
    "artifacts_expire_at": hostile_text,
    "artifacts_file": weird_json,
    "archived": st.booleans(),
    "allow_failure": st.booleans(),
    "project_id": weird_json,
    "web_url": addresses,
    "extra": weird_json,
}
changes = st.fixed_dictionaries(
    {}, optional={name: st.one_of(values, values, weird_json, st.just(_ABSENT)) for name, values in FIELDS.items()}
)
usual_changes = st.fixed_dictionaries({"status": st.sampled_from(list(STATUSES))})

header_values = st.one_of(
    hostile_text,
    st.sampled_from(
        ["0", "1", "7", "-1", "1e9", "9" * 30, "9" * 5000, "²", "٣", "nan", "", "Wed, 21 Oct 2015 07:28:00 GMT"]
        + ["Wed, 21 Oct 99999 07:28:00 GMT", "Fri, 31 Dec 0000 23:59:59 -9999", "Thu, 01 Jan 1970 00:00:00 -0000"]
        + ['<http://[>; rel="next"', f'<{SERVER}/x?page=2>; rel="next"', f'<{SERVER}/x?page=²>; rel="next"']
        + [f'<{SERVER}/x?cursor={"e" * 50}>; rel="next"', f"<?page={'9' * 5000}>; rel=next", "<>; rel=next"]
        + ["https://[", "/elsewhere", "https://other.example/x", "http://gitlab.example.com/x", "ftp://x/"]
    ),
)
HEADERS = ("link", "x-next-page", "x-page", "x-per-page", "retry-after", "ratelimit-reset", "location", "x-request-id")
headers = st.dictionaries(st.sampled_from([*HEADERS, "content-type", "content-length"]), header_values, max_size=3)

raw_bodies = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [
            b"",
            b"null",
            b"[[]]",
            b"{}",
            b"[{}]",
            b'{"id": ',
            b"\xff\xfe\x00",
            b'"\xc3"',
            b'[{"id": 1, "name": "\xff"}]',
            b"<html>" + TOKEN.encode(),
            b"[" * 100_000,
            b'{"a":' * 900 + b"1" + b"}" * 900,
            b'{"message":' + b"[" * 900 + b"]" * 900 + b"}",
            b'[{"id": ' + b"9" * 5000 + b"}]",
            b'[{"id": NaN, "status": Infinity}]',
            b'{"id": 42, "id": 43, "name": "\\ud800", "status": "manual"}',
        ]
    ),
)


@dataclasses.dataclass(frozen=True)
class ScriptedAnswer:
    """One answer of the server, whatever the request.

    :param records: changes to what a good server would answer; None to send `body`.
    """

    records: list[dict[str, t.Any]] | None = None
    body: bytes = b""
    status: int | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    is_endless: bool = False
    error: str = ""


error_statuses = st.sampled_from([100, 199, 200, 201, 202, 204, 206, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405])
later_statuses = st.sampled_from([409, 418, 422, 429, 499, 500, 502, 503, 504, 520, 599, 600, 999])
some_status = st.one_of(st.none(), st.none(), error_statuses, later_statuses)
scripted_answers = st.one_of(
    st.builds(ScriptedAnswer, records=st.lists(usual_changes, min_size=1, max_size=2)),
    st.builds(ScriptedAnswer, records=st.lists(changes, max_size=3), headers=headers),
    st.builds(ScriptedAnswer, records=st.lists(changes, min_size=1, max_size=2), is_endless=st.just(True)),
    st.builds(ScriptedAnswer, records=st.lists(changes, min_size=1, max_size=2), status=some_status, headers=headers),
    st.builds(
        ScriptedAnswer, body=st.one_of(raw_bodies, weird_json.map(lambda v: json.dumps(v).encode())), headers=headers
    ),
    st.builds(
        ScriptedAnswer,
        body=st.one_of(raw_bodies, hostile_text.map(lambda text: json.dumps({"message": text}).encode())),
        status=some_status,
        headers=headers,
    ),
    st.builds(ScriptedAnswer, error=st.sampled_from(["connect", "lost"])),
)
# Most scripts begin like GitLab, because otherwise nothing would ever be found.
scripts = st.lists(scripted_answers, min_size=1, max_size=6).flatmap(
    lambda answer: st.sampled_from(
        [
            answer,
            [ScriptedAnswer(records=[{}]), *answer],
            [ScriptedAnswer(records=[{}]), ScriptedAnswer(records=[{}]), *answer],
        ]
    )
)


class HostileServer(FunctionTransport):
    """Sends the answers of a script one after the other, in a loop; each answer takes its time."""

    def __init__(self, script: list[ScriptedAnswer], clock: FakeClock) -> None:
        super().__init__(self._respond)
        self._script = script
        self._clock = clock
        self.statuses: list[int] = []

    def _respond(self, call: t.Any) -> t.Any:
        if len(self.calls) > 5000:
            raise AssertionError("asked for ever")
        self._clock.now += 0.1
        answer = self._script[(len(self.calls) - 1) % len(self._script)]
        # a refused connection executed nothing, like a throttled request
        self.statuses.append(429 if answer.error == "connect" else answer.status or 200)
        if answer.error == "connect":
            raise ConnectError("it is away")
        if answer.error == "lost":
            raise LostAnswerError("it hung up")
        if answer.records is None:
            return Response(status=answer.status or _usual_status(call), headers=answer.headers, body=answer.body)
        return self._records(call, answer)

    def _records(self, call: t.Any, answer: ScriptedAnswer) -> Response:
        path = call.path
        is_list = path.endswith(("/jobs", "/pipelines", "bridges", "trigger_jobs", "/variables"))
        make = pipeline if "/pipeline" in path and not path.endswith(("/jobs", "bridges", "trigger_jobs")) else job
        if path.endswith(("bridges", "trigger_jobs")):
            make = bridge
        found = [{**make(), **change} for change in (answer.records or [{}])]
        more = {}
        if answer.is_endless:
            number = len(self.calls)
            found = [{**record, "id": 1000 + 10 * number + index} for index, record in enumerate(found)]
            for record in found:
                if "downstream_pipeline" in record:
                    record["downstream_pipeline"] = pipeline(10_000 + number)
            more = {"x-next-page": str(number + 1)}
        found = [{name: value for name, value in record.items() if value is not _ABSENT} for record in found]
        return reply(
            found if is_list else found[0],
            status=answer.status or _usual_status(call),
            headers={**more, **answer.headers},
        )


def _usual_status(call: t.Any) -> int:
    """Return GitLab's status for success, which differs between jobs and pipelines."""
    if "/pipelines/" in call.path:
        return 201 if call.path.endswith("/retry") else 200
    return 201 if call.path.endswith(("/cancel", "/retry", "/erase", "/pipeline")) else 200


@contextlib.contextmanager
def small_world() -> t.Iterator[None]:
    """Lower the limits so that they are reached soon."""
    with (
        mock.patch.object(paging, "MAX_PAGES", 12),
        mock.patch.object(bridges, "MAX_PIPELINES", 8),
        mock.patch.object(bridges, "DEEPEST_TREE", 5),
    ):
        yield


def assert_writes_are_proved(server: HostileServer) -> None:
    """Fail if a job is written to again without a read, unless the previous request was certainly not executed."""
    last: dict[str, int] = {}
    for number, call in enumerate(server.calls):
        if call.method == "GET":
            continue
        before = last.get(call.path)
        if before is not None and server.statuses[before] != 429:
            between = [other.method for other in server.calls[before + 1 : number]]
            assert "GET" in between, server.lines
        last[call.path] = number


def assert_clean(outcome: Outcome, progress: Progress) -> None:
    """Fail if any output contains a secret, a control code or an unexpected line break."""
    if outcome.failure is not None:
        assert_line(outcome.failure)
    for text in [*outcome.warnings, *progress.lines]:
        assert_line(text)
    assert TOKEN not in json.dumps(outcome.values) and TOKEN not in json.dumps(outcome.diff)
    for record in outcome.values.get("jobs") or ():
        for line in record.get("log_tail") or ():
            assert not control_codes_in(line) and "\n" not in line
    for result in outcome.values.get("results") or ():
        assert len(result["reason"].splitlines()) <= 1 and not control_codes_in(result["reason"])
    for part in (outcome.diff or {}).values():
        assert not control_codes_in(part)
    assert not control_codes_in(str(outcome.values.get("graph") or ""))


def run_and_check(task: t.Any, options: dict[str, t.Any], script: list[ScriptedAnswer], **more: t.Any) -> None:
    """Run a task against the server and check its outcome, output, writes and duration."""
    clock, progress = FakeClock(), Progress()
    server = HostileServer(script, clock)
    timeout = options.setdefault("wait_timeout", 40.0)
    with small_world():
        try:
            outcome = run_task(task, options, transport=server, clock=clock, progress=progress, **more)
        except GitLabError as exc:
            assert_line(str(exc))
        else:
            assert_clean(outcome, progress)
    assert_writes_are_proved(server)
    # one poll may still be active at the deadline, and it may read a whole tree of lists
    assert clock.seconds < timeout + 0.1 * 12 * 10 * 6


pipelines = st.sampled_from([{"pipeline_id": 6}, {"ref": "main"}, {"merge_request": 3}])
waits = st.sampled_from([{}, {"wait": True}, {"wait": True, "pending_timeout": 2.0, "on_timeout": "continue"}])


@examples(180)
@given(
    scripts,
    st.one_of(pipelines, st.sampled_from([{"job_id": 42}, {}])),
    waits,
    st.sampled_from(
        [
            {},
            {"name": ["deploy"]},
            {"name": ["*/t*", "deploy"], "include_downstream": True},
            {"log_lines": 3},
            {"fields": ["id", "pipeline.id", "runner.description.x"]},
            {"scope": ["manual"], "stage": ["deploy"]},
            {"include_retried": True, "limit": 0},
        ]
    ),
)
def test_job_info_survives_a_hostile_server(script, pipeline_options, wait, more):
    options = {**pipeline_options, **wait, **more}
    if not pipeline_options or "job_id" in options:
        options = {name: value for name, value in options.items() if name in ("job_id", "log_lines", "limit", "fields")}
    if "wait" in options:
        options.pop("include_retried", None)
    run_and_check(gitlab_job_info.TASK, options, script)


@pytest.mark.parametrize("action", ACTIONS)
@examples(55)
@given(
    scripts,
    st.one_of(st.just({"job_id": 42}), pipelines),
    waits,
    st.sampled_from([{}, {"multiple": "all"}, {"multiple": "latest", "include_downstream": True}]),
    st.sampled_from([{}, {"max_attempts": 2}, {"force": True}, {"replay": "always"}, {"retry_on": ["script_failure"]}]),
    st.booleans(),
)
def test_job_action_survives_a_hostile_server(action, script, where, wait, how, special, check_mode):
    options = {"action": action, **where, **wait}
    if "job_id" not in where:
        options.update(how, name=["*"])
    fitting = {"play": ("replay", "max_attempts"), "retry": ("force", "max_attempts", "retry_on"), "cancel": ("force",)}
    options.update({name: value for name, value in special.items() if name in fitting.get(action, ())})
    if "max_attempts" in options:
        options["wait"] = True
    if options.get("wait") and action == "play":
        options["on_timeout"] = "cancel"
    run_and_check(gitlab_job_action.TASK, options, script, check_mode=check_mode)


@examples(110)
@given(scripts, pipelines, waits, st.integers(0, 3), st.booleans(), st.sampled_from([{}, {"name": ["t*"]}]))
def test_pipeline_bridges_survives_a_hostile_server(script, where, wait, depth, include_jobs, more):
    wait = {name: value for name, value in wait.items() if name != "pending_timeout"}
    options = {**where, **wait, **more, "depth": depth, "include_jobs": include_jobs}
    run_and_check(gitlab_pipeline_bridges.TASK, options, script)


@examples(110)
@given(
    scripts,
    st.sampled_from(
        [
            {"action": "run", "ref": "main"},
            {"action": "run", "ref": "main", "variables": {"A": 1}, "reuse": "success"},
            {"action": "run", "ref": "main", "trigger_token": "glptt-0123456789", "reuse": "never"},
            {"action": "retry", "pipeline_id": 6},
            {"action": "cancel", "ref": "main"},
        ]
    ),
    waits,
    st.booleans(),
)
def test_pipeline_action_survives_a_hostile_server(script, what, wait, check_mode):
    run_and_check(gitlab_pipeline.TASK, {**what, **wait}, script, check_mode=check_mode)


@examples(80)
@given(scripts, pipelines, waits, st.sampled_from([[], ["variables", "test_report", "downstream", "jobs"]]))
def test_pipeline_info_survives_a_hostile_server(script, where, wait, include):
    run_and_check(gitlab_pipeline_info.TASK, {**where, **wait, "include": include}, script)


@examples(110)
@given(
    scripts,
    st.lists(st.sampled_from(["42", "deploy", "t*", "²", "٣", "9" * 5000, "no"]), min_size=1, max_size=3),
    st.sampled_from(["", "status", "pipeline.id", "runner.description"]),
    st.booleans(),
    st.booleans(),
)
def test_lookup_survives_a_hostile_server(script, terms, attribute, has_default, include_downstream):
    clock = FakeClock()
    server = HostileServer(script, clock)
    output = SafeOutput(TaskContext(environ={}, clock=clock))
    request = LookupRequest(
        pipeline=PipelineQuery("7", pipeline_id=6),
        terms=tuple(map(read_term, terms)),
        attribute=attribute,
        has_default=has_default,
        include_downstream=include_downstream,
    )
    options = {"api_url": SERVER, "api_token": TOKEN, "api_concurrency": 1, "extensions": ["the-transport"]}
    with small_world(), installed({"the-transport": TransportExtension(server)}):
        try:
            values = output.value(look_up(session_of(options, output.context), request))
        except GitLabError as exc:
            assert_line(str(output.error(exc)))
        else:
            assert TOKEN not in json.dumps(values)


@pytest.mark.parametrize("queued_duration", [10**400, float("nan"), float("inf"), -1, True, "1", None])
def test_invalid_queued_duration_is_tolerated(queued_duration):
    run_and_check(
        gitlab_job_info.TASK,
        {"pipeline_id": 6, "wait": True, "pending_timeout": 2.0},
        [ScriptedAnswer(records=[{"status": "pending", "queued_duration": queued_duration}])],
    )


@examples(80)
@given(hostile_text, hostile_text)
def test_graph_has_one_line_per_trigger_job(name, status):
    record = bridge(name=name, status=status, downstream=pipeline(9, ref=name))
    transport = FunctionTransport(lambda call: pipeline() if call.path.endswith("/6") else [record])
    outcome = run_task(gitlab_pipeline_bridges.TASK, {"pipeline_id": 6}, transport=transport)
    lines = outcome.values["graph"].splitlines()
    assert len(lines) == 3
    assert not control_codes_in("".join(lines))
    assert all(line.count('"') in (0, 2, 4) for line in lines)


def test_endless_list_is_an_error():
    positions = []

    def fetch(position):
        positions.append(position)
        return reply([{"id": len(positions)}], headers={"X-Next-Page": str(len(positions) + 1)})

    with pytest.raises(BadAnswerError, match="does not end"):
        for _record in list_of(PageRequester(fetch)).walk():
            pass
    assert len(positions) == paging.MAX_PAGES


def test_endless_tree_is_an_error():
    clock = FakeClock()
    transport = FunctionTransport(lambda call: [bridge(downstream=pipeline(1000 + len(transport.calls)))])
    with pytest.raises(GitLabError, match="does not end"):
        run_task(gitlab_pipeline_bridges.TASK, {"pipeline_id": 6, "depth": 0}, transport=transport, clock=clock)
    assert len(transport.calls) == bridges.DEEPEST_TREE + 1
