# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the unit tests share: a clock that advances only by sleeping, scripted exchanges, records like GitLab's, and
a way to run tasks against them through extension hooks."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import queue
import threading
import types
import typing as t
from unittest import mock
from urllib.parse import parse_qs, urlsplit

from ansible_collections.jobgate.gitlab.plugins.module_utils._api.endpoints import Endpoint
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import GitLabError, LostAnswerError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request, Response
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.clock import Clock, Deadline
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.paging import PagedList
from ansible_collections.jobgate.gitlab.plugins.module_utils._app import outcome
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Outcome
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import Session, TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions import manager as plugin_manager
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.hookspecs import hookimpl
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.definition import TaskDefinition
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.options import session_of
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.waiting import wait_options

SERVER = "https://gitlab.example.com"
API = SERVER + "/api/v4"
TOKEN = "glpat-0123456789abcdef"
NOT_FOUND = {"message": "404 Not found"}
NO_ROUTE = {"error": "404 Not Found"}
Record = dict[str, t.Any]
T = t.TypeVar("T")


class FakeClock(Clock):
    """A clock on which time passes only by sleeping."""

    def __init__(self, unix_time: float = 1_700_000_000.0) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []
        self._unix_offset = unix_time - self.now

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now + self._unix_offset

    def sleep(self, seconds: float) -> None:
        if seconds < 0:
            raise AssertionError(f"slept for {seconds} s")
        self.sleeps.append(seconds)
        self.now += seconds

    @property
    def seconds(self) -> float:
        """Return the seconds since the clock was created."""
        return self.now - 1000.0


class SharedClock(FakeClock):
    """A clock for the threads of a scheduler: time passes only when all of them sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.at_work: t.Callable[[], int] = lambda: 0
        self.max_asleep = 0
        self._changed = threading.Condition()
        self._wakes: list[float] = []
        self._decides = threading.current_thread()

    def sleep(self, seconds: float) -> None:
        with self._changed:
            wake = self.now + seconds
            if threading.current_thread() is self._decides:
                self.now = wake
                return
            self._wakes.append(wake)
            self.max_asleep = max(self.max_asleep, len(self._wakes))
            self._changed.wait_for(lambda: self.now >= wake)
            self._wakes.remove(wake)

    def next_of(self, items: queue.Queue[T], seconds: float) -> T | None:
        end = self.now + seconds
        while True:
            with contextlib.suppress(queue.Empty):
                return items.get(timeout=0.001)
            with self._changed:
                # a thread that has just woken counts as asleep until it has left
                if len(self._wakes) == self.at_work() and min(self._wakes) > self.now:
                    self.now = min(end, *self._wakes)
                    self._changed.notify_all()
            if self.now >= end:
                return None


# ----- answers -----


def reply(content: t.Any = None, *, status: int = 200, headers: t.Mapping[str, str] | None = None) -> Response:
    """Return a response: strings and bytes as they are, anything else as JSON."""
    if isinstance(content, bytes):
        kind, body = "application/octet-stream", content
    elif isinstance(content, str):
        kind, body = "text/html" if content.startswith("<") else "text/plain", content.encode()
    else:
        kind, body = "application/json", json.dumps(content).encode()
    named = {name.lower(): value for name, value in (headers or {}).items()}
    return Response(status=status, headers={"content-type": kind, **named}, body=body)


def lost() -> LostAnswerError:
    """Return the error for a request whose answer was lost."""
    return LostAnswerError("the connection broke")


# What may come instead of the answer to a write that GitLab may have executed.
LOST_ANSWERS: t.Mapping[str, t.Callable[[], t.Any]] = {
    "lost": lost,
    "500": lambda: reply({"message": "500 Internal Server Error"}, status=500),
    "502": lambda: reply("<html>Bad Gateway</html>", status=502),
    "HTML": lambda: reply("<html>Sign in</html>"),
    "cut": lambda: reply(b'{"id": 4'),
}


def _as_response(answer: t.Any, request: Request, status: int = 200) -> Response:
    if isinstance(answer, BaseException):
        raise answer
    response = answer if isinstance(answer, Response) else reply(answer, status=status)
    return response if response.url else dataclasses.replace(response, url=request.url)


# ----- transports -----


@dataclasses.dataclass(frozen=True)
class Call:
    """A request in a form that tests can compare: the quoted path below the API, and the decoded query and body."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: t.Any
    request: Request

    @classmethod
    def of(cls, request: Request) -> Call:
        parts = urlsplit(request.url)
        base = urlsplit(API)
        is_own = (parts.scheme, parts.netloc) == (base.scheme, base.netloc) and parts.path.startswith(base.path)
        path = parts.path[len(base.path) :] if is_own else f"{parts.scheme}://{parts.netloc}{parts.path}"
        query = parse_qs(parts.query, keep_blank_values=True)
        if query.get("per_page") == ["100"]:
            del query["per_page"]
        return cls(request.method, path, query, json.loads(request.body) if request.body else None, request)

    @property
    def line(self) -> str:
        """Return the method and the path."""
        return f"{self.method} {self.path}"


@dataclasses.dataclass(frozen=True)
class Exchange:
    """An expected request and its answer.

    :param line: method, path below the API as sent, and query; `per_page=100` may be omitted.
    :param answer: a Response, an exception to raise, or a value to send as JSON or text.
    """

    line: str
    answer: t.Any
    status: int = 200
    body: t.Any = None

    def expected(self) -> tuple[str, str, dict[str, list[str]], t.Any]:
        method, _blank, target = self.line.partition(" ")
        path, _mark, query = target.partition("?")
        return method, path, parse_qs(query, keep_blank_values=True), self.body


class WrongTestError(BaseException):
    """A request that the test did not expect; not an Exception, which a task would blame on an extension."""


class RecordingTransport:
    """Keeps every request; subclasses provide the answers."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        call = Call.of(request)
        self.calls.append(call)
        try:
            return self.answer(call)
        except GitLabError:
            raise
        except Exception as exc:
            raise WrongTestError(f"{call.line}: {type(exc).__name__}: {exc}") from exc

    def answer(self, call: Call) -> Response:
        raise NotImplementedError

    @property
    def lines(self) -> list[str]:
        """Return the method and the path of each request."""
        return [call.line for call in self.calls]

    @property
    def writes(self) -> list[str]:
        """Return the method and the path of each request other than a GET."""
        return [call.line for call in self.calls if call.method != "GET"]


class ScriptedTransport(RecordingTransport):
    """Expects exactly these exchanges in this order.

    Requests that nearly always return an empty list need no exchange: tags with the name of a ref, and deployments of
    jobs that are manual or become manual.
    """

    def __init__(self, *exchanges: Exchange) -> None:
        super().__init__()
        self._left = list(exchanges)

    def answer(self, call: Call) -> Response:
        for is_usual, words in (
            (call.query.get("scope") == ["tags"], "scope=tags"),
            (call.query.get("status") == ["blocked"], "status=blocked"),
            (call.query.get("status") == ["created"], "status=created"),
        ):
            if is_usual and not (self._left and words in self._left[0].line):
                return _as_response([], call.request)
        if not self._left:
            raise AssertionError(f"unexpected request after the last one: {call.line} {call.query} {call.body}")
        exchange = self._left.pop(0)
        found = (call.method, call.path, call.query, call.body)
        if found != exchange.expected():
            raise AssertionError(f"request {len(self.calls)} is {found}, expected was {exchange.expected()}")
        return _as_response(exchange.answer, call.request, exchange.status)

    def assert_done(self) -> None:
        """Fail if an expected request was not made."""
        if self._left:
            raise AssertionError(f"never requested: {[exchange.line for exchange in self._left]}")


class FunctionTransport(RecordingTransport):
    """Answers with what a function returns: anything that an Exchange accepts as its answer."""

    def __init__(self, function: t.Callable[[Call], t.Any]) -> None:
        super().__init__()
        self._function = function

    def answer(self, call: Call) -> Response:
        return _as_response(self._function(call), call.request)


class PageRequester:
    """Reads the pages of a list from a function of their position."""

    def __init__(self, ask: t.Callable[[Record], Response], *, seconds: float = 60.0) -> None:
        self._ask = ask
        self.errors_of = lambda endpoint, arguments: contextlib.nullcontext()
        self.retrier = types.SimpleNamespace(deadline=Deadline.after(seconds, Clock()))

    def ask(self, _endpoint: Endpoint, arguments: Record) -> Response:
        return self._ask(arguments)

    def read(
        self, _endpoint: Endpoint, arguments: Record, answer: Response | None = None
    ) -> tuple[list[Record], Response]:
        answer = answer or self._ask(arguments)
        return json.loads(answer.body), answer


def list_of(requester: t.Any, paging: t.Any = "offset") -> PagedList:
    """Return a list that is read page by page."""
    endpoint = Endpoint("list_things", "GET", "/things", answer="records", paginated=paging)
    return PagedList(requester, endpoint, {}, lambda name, number, pages: None)


# ----- records -----


def pipeline(pipeline_id: int = 6, status: str = "running", **fields: t.Any) -> Record:
    """Return a pipeline as lists, jobs and bridges contain it."""
    project_id = fields.pop("project_id", 7)
    return {
        "id": pipeline_id,
        "iid": pipeline_id,
        "project_id": project_id,
        "sha": "f" * 40,
        "ref": "main",
        "status": status,
        "source": "push",
        "web_url": f"{SERVER}/group/app/-/pipelines/{pipeline_id}",
        **fields,
    }


def job(job_id: int = 42, status: str = "manual", name: str = "deploy", **fields: t.Any) -> Record:
    """Return a job as GitLab 18 returns it."""
    has_started = status in ("running", "canceling", "success", "failed")
    record = {
        "id": job_id,
        "status": status,
        "stage": "deploy",
        "name": name,
        "ref": "main",
        "tag": False,
        "allow_failure": False,
        "created_at": "2026-01-01T00:00:00.000Z",
        "started_at": "2026-01-01T00:01:00.000Z" if has_started else None,
        "finished_at": "2026-01-01T00:02:00.000Z" if status in ("success", "failed", "canceled") else None,
        "erased_at": None,
        "duration": None,
        "queued_duration": 1.5,
        "pipeline": pipeline(),
        "web_url": f"{SERVER}/group/app/-/jobs/{job_id}",
        "artifacts": [],
        "artifacts_expire_at": None,
        "tag_list": [],
        "runner": None,
        "archived": False,
    }
    if status == "failed":
        record["failure_reason"] = "script_failure"
    return {**record, **fields}


def bridge(
    job_id: int = 50, status: str = "success", name: str = "trigger", downstream: Record | None = None, **fields: t.Any
) -> Record:
    """Return a trigger job."""
    record = job(job_id, status, name, **fields)
    for absent in ("artifacts", "artifacts_expire_at", "runner", "tag_list", "archived"):
        record.pop(absent)
    return {**record, "downstream_pipeline": downstream}


# ----- tasks -----


class TransportExtension:
    """Gives a task this transport through the hook for transports."""

    def __init__(self, transport: RecordingTransport) -> None:
        self._transport = transport

    @hookimpl
    def gitlab_create_transport(self, settings: t.Any) -> RecordingTransport:
        return self._transport


@dataclasses.dataclass
class Progress(outcome.Progress):
    """Keeps the output that users see while waiting: changes of state, and everything else.

    :param is_shown: whether the task believes that its progress is shown.
    """

    is_shown: bool = False
    lines: list[str] = dataclasses.field(default_factory=list)
    others: list[str] = dataclasses.field(default_factory=list)
    # what continues when the task is interrupted
    left: list[str] = dataclasses.field(default_factory=list)

    def show(self, line: str, *, status: str = "") -> None:
        (self.lines if status else self.others).append(line)

    def note_remaining(self, *, wait: object, what: t.Sequence[str]) -> None:
        self.left = list(what)


def installed(extensions: t.Mapping[str, t.Any]) -> t.Any:
    """Return a context in which these extensions are installed; loading one that is an exception raises it."""

    def entry_point(name: str, extension: t.Any) -> t.Any:
        def load() -> t.Any:
            if isinstance(extension, Exception):
                raise extension
            return extension

        return types.SimpleNamespace(name=name, value=name, load=load)

    entries = [entry_point(name, extension) for name, extension in extensions.items()]
    return mock.patch.object(plugin_manager, "_entry_points", return_value=entries)


def with_defaults(task: TaskDefinition, options: t.Mapping[str, t.Any]) -> Record:
    """Return options as a face passes them to a task."""
    unknown = set(options) - set(task.spec.arguments)
    if unknown:
        raise AssertionError(f"{task.name} has no options {sorted(unknown)}")
    # one request at a time, so that their order is known
    given = {"api_url": SERVER, "project": "7", "api_token": TOKEN, "api_concurrency": 1, **options}
    return filled(task.spec.arguments, given)


def filled(arguments: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any]) -> Record:
    """Return options as Ansible validates them: with defaults for missing options, also within lists of mappings."""
    found = {**{name: copy.deepcopy(option.get("default")) for name, option in arguments.items()}, **given}
    for name, option in arguments.items():
        if option.get("options") and found[name]:
            found[name] = [filled(option["options"], item) for item in found[name]]
    return found


def run_task(
    task: TaskDefinition,
    options: t.Mapping[str, t.Any],
    *,
    transport: RecordingTransport,
    environ: t.Mapping[str, str] | None = None,
    check_mode: bool = False,
    clock: FakeClock | None = None,
    progress: Progress | None = None,
    extensions: t.Mapping[str, t.Any] | None = None,
) -> Outcome:
    """Return the outcome of a task that runs against this transport, with defaults for all other options."""
    named = {"the-transport": TransportExtension(transport), **(extensions or {})}
    context = TaskContext(
        check_mode=check_mode, environ=environ or {}, clock=clock or FakeClock(), progress=progress or Progress()
    )
    with installed(named):
        try:
            outcome = task.run({**with_defaults(task, options), "extensions": list(named)}, context)
        except GitLabError:
            _assert_done(transport)
            raise
    _assert_done(transport)
    return outcome


def new_session(
    transport: RecordingTransport,
    options: t.Mapping[str, t.Any] | None = None,
    *,
    clock: FakeClock | None = None,
    check_mode: bool = False,
    extensions: t.Mapping[str, t.Any] | None = None,
    progress: Progress | None = None,
) -> Session:
    """Return a session that sends its requests to this transport."""
    named = {"the-transport": TransportExtension(transport), **(extensions or {})}
    given = {"api_url": SERVER, "api_token": TOKEN, "api_concurrency": 1, **(options or {}), "extensions": list(named)}
    context = TaskContext(
        check_mode=check_mode, environ={}, clock=clock or FakeClock(), progress=progress or Progress()
    )
    with installed(named):
        return session_of(given, context, wait_options(given))


def _assert_done(transport: RecordingTransport) -> None:
    if isinstance(transport, ScriptedTransport):
        transport.assert_done()
