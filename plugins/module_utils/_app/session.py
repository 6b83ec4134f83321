# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The composition root: turns options into a session with a client, extensions, a deadline and progress output."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import os
import typing as t

from .._api.client import ApiClient
from .._api.connection import ConnectionSettings, TokenKind
from .._api.decoding import Record
from .._api.errors import DeniedError, GitLabError, RedirectError
from .._api.http import Request, Transport
from .._api.masking import Masker
from .._api.pace.clock import Clock, Deadline
from .._api.pace.retry import Retrier
from .._api.pace.traffic import Traffic
from .._api.requester import Requester
from .._extensions.manager import PluginManager, plugin_manager
from .concurrency import run_all
from .fields import user_id_of
from .outcome import Files, Progress, SlowWork
from .settings import LIMITS, are_headers

if t.TYPE_CHECKING:
    from .nudges import Watch

_A = t.TypeVar("_A")
_R = t.TypeVar("_R")


class StoppedError(GitLabError):
    """Raised when the task must not start anything new."""


@dataclasses.dataclass(frozen=True)
class TaskContext:
    """The settings and callbacks that a task gets from the face that runs it.

    :param register_secret: called with every secret that the task learns, so that the face can censor it.
    :param hidden: values of job variables: not credentials, but never shown either.
    :param files: how Ansible wants files to be written.
    :param stop: returns why nothing new may be started, an empty string while it may.
    :param watch: reports nudges for what the task waits for; None without nudges.
    :param transport: returns the transport for a connection: one that exists, or a new one from the given factory.
    :param opened: the sessions that the task has opened; if it fails, they know what it has cost.
    """

    check_mode: bool = False
    environ: t.Mapping[str, str] = dataclasses.field(default_factory=lambda: os.environ)
    clock: Clock = Clock()
    progress: Progress = Progress()
    register_secret: t.Callable[[str], None] = lambda secret: None
    hidden: t.Collection[str] = ()
    files: Files = Files()
    stop: t.Callable[[], str] = lambda: ""
    watch: Watch | None = None
    transport: t.Callable[[ConnectionSettings, t.Callable[[], Transport]], Transport] = lambda settings, make: make()
    opened: list[Session] = dataclasses.field(default_factory=list)


# The pauses before a denied read is repeated. A load balancer, a restart or a token clean-up can deny a request in the
# middle of a wait, or redirect it to a login page, and a database replica can lag. There are as many pauses as
# `bridges.MAX_DENIALS`.
DENIAL_PAUSES_SECONDS = (1.0, 3.0, 6.0)
# The `requests` of a task that made none; see `Session.cost`.
NO_REQUESTS: t.Mapping[str, float] = {"count": 0, "throttled": 0, "paced_seconds": 0.0}
# The default time limit of a task: the default job timeout of GitLab.
TASK_SECONDS = 3600.0
# The endpoints that list trigger jobs, in the order to try.
BRIDGE_ENDPOINTS = ("list_pipeline_trigger_jobs", "list_pipeline_bridges")


class ServerFacts:
    """The facts that a task has learned about the server.

    :param bridge_endpoints: the endpoints that list trigger jobs, in the order to try; a known one comes first.
    :param has_bridges: whether one of these endpoints exists.
    :param refuses_young_statuses: whether it refused a scope, possibly because of a status that older servers lack.
    :param user_id: the id of the token's user.
    :param readable: what could be read of downstream pipelines, see `bridges.Access`.
    """

    def __init__(self) -> None:
        self.bridge_endpoints: tuple[str, ...] = BRIDGE_ENDPOINTS
        self.has_bridges = False
        self.refuses_young_statuses = False
        self.user_id: int | None = None
        self.readable: set[t.Hashable] = set()


class Session:
    """Everything a use case needs. Its methods raise `RequestError` if a request to GitLab fails for good.

    :param warn: adds a warning for the user, once.
    :param facts: what the task knows about the server.
    """

    def __init__(
        self,
        context: TaskContext,
        client: ApiClient,
        plugins: PluginManager,
        warn: t.Callable[[str], None],
        warnings: list[str],
    ) -> None:
        self.client = client
        self.plugins = plugins
        self.warn = warn
        self.warnings = warnings
        self.facts = ServerFacts()
        # what the token may do
        self.limits = LIMITS[client.settings.token_kind]
        self._begin(context)

    def _begin(self, context: TaskContext) -> None:
        self.clock = context.clock
        self.progress = context.progress
        self.check_mode = context.check_mode
        self.started = context.clock.monotonic()
        # returns why nothing new may be started, an empty string while it may
        self.stop = context.stop
        self.watch = context.watch
        # whether the token could read before, so that a denial may be temporary
        self.is_established = False

    @property
    def deadline(self) -> Deadline:
        return self.client.retrier.deadline

    def sibling(self, context: TaskContext, *, timeout_seconds: float, is_waiting: bool = False) -> Session:
        """Return a session of the same task with its own deadline; the connection and all facts are shared.

        :param is_waiting: whether it waits; if so, failed reads are repeated until its deadline.
        """
        retrier = _retrier(
            self.client.settings, context, self.client.traffic, self.warn, timeout_seconds, is_waiting=is_waiting
        )
        other = copy.copy(self)
        other.client = self.client.with_retrier(retrier)
        other._begin(context)
        return other

    def best_effort(self, *, seconds: float | None = None) -> Session:
        """Return a session for optional reads, which are repeated no more often than in a task that does not wait.

        :param seconds: the time limit from now on; None for the remaining time of the task.
        """
        retrier = copy.copy(self.client.retrier)
        retrier.is_persistent = False
        other = copy.copy(self)
        if seconds is not None:
            retrier.deadline = Deadline.after(seconds, self.clock)
        other.client = self.client.with_retrier(retrier)
        return other

    def elapsed(self) -> float:
        """Return the seconds since the task began, to the millisecond."""
        return round(self.clock.monotonic() - self.started, 3)

    def cost(self) -> Record:
        """Return the elapsed seconds and the requests so far, as the return values of a task."""
        traffic = self.client.traffic
        return {
            "elapsed": self.elapsed(),
            "requests": {
                "count": traffic.count,
                "throttled": traffic.throttled,
                "paced_seconds": round(traffic.paced_seconds, 3),
            },
        }

    def run_all(self, function: t.Callable[[_A], _R], items: t.Sequence[_A]) -> list[_R]:
        return run_all(function, items, max_at_once=self.client.settings.concurrency)

    def retrying_denials(self, read: t.Callable[[], _R]) -> _R:
        """Return the result of a read; repeat a denied read if the token could read before."""
        for seconds in DENIAL_PAUSES_SECONDS if self.is_established else ():
            try:
                return read()
            except GitLabError as exc:
                if not self.may_be_temporary(exc):
                    raise
                self.clock.sleep(min(seconds, self.deadline.remaining()))
        return read()

    def may_be_temporary(self, exc: GitLabError) -> bool:
        """Return whether an error may be a temporary denial, and there is time to try again."""
        is_denial = isinstance(exc, (DeniedError, RedirectError)) or isinstance(exc.__cause__, DeniedError)
        return is_denial and not self.deadline.has_passed()

    def check_stop(self) -> None:
        """Check that something new may be started.

        :raises StoppedError: if it may not.
        """
        reason = self.stop()
        if reason:
            raise StoppedError(reason)

    def user_id(self) -> int | None:
        """Return the id of the token's user, None if the token may not read it.

        The first call costs a request, so call it only if nothing else shows who did something. A denial may be
        temporary, so it is not remembered.
        """
        if self.facts.user_id is None:
            has_job = self.client.settings.token_kind == "api_job_token"
            try:
                answer = (
                    self.client.call("get_token_job") if has_job else {"user": self.client.call("get_current_user")}
                )
            except DeniedError:
                return None
            self.facts.user_id = user_id_of(answer) or None
        return self.facts.user_id

    def annotated(self, kind: str, record: Record) -> Record:
        """Return a record with the notes of extensions under `annotations`; without notes, the record itself."""
        try:
            notes = self.plugins.notes(kind, record)
        except GitLabError as exc:
            self.warn(self.client.masker.mask(str(exc)))  # a note is not worth failing the task
            return record
        return {**record, "annotations": notes} if notes else record


def open_session(
    settings: ConnectionSettings,
    context: TaskContext,
    *,
    timeout_seconds: float = TASK_SECONDS,
    is_waiting: bool = False,
) -> Session:
    """Return a session for a task.

    :param settings: the connection, its credential still empty.
    :param timeout_seconds: the time limit of the whole task.
    :param is_waiting: whether the task waits; if so, failed reads are repeated until its deadline.
    :raises MissingLibraryError: if requests or pluggy is not installed.
    :raises ExtensionError: if an extension cannot be loaded.
    """
    if settings.token:
        context.register_secret(settings.token)
    plugins = plugin_manager(settings.extensions)
    settings = _authenticated(settings, plugins)
    secrets = settings.secrets
    for secret in secrets:
        context.register_secret(secret)
    endpoints = plugins.endpoints()
    warnings: list[str] = []

    def warn(text: str) -> None:
        if text not in warnings:
            warnings.append(text)

    def finished(request: Request, status: int | None, seconds: float) -> None:
        # The body of a write can contain job variables. A redirect is followed with the same headers: pass a copy.
        shown = dataclasses.replace(request, body=None, headers=dict(request.headers))
        plugins.call("gitlab_request_finished", request=shown, status=status, seconds=seconds)

    traffic = Traffic(context.clock, settings.requests_per_minute)
    requester = Requester(
        settings=settings,
        transport=context.transport(settings, lambda: _transport(settings, plugins)),
        on_finished=finished,
        retrier=_retrier(settings, context, traffic, warn, timeout_seconds, is_waiting=is_waiting),
        masker=Masker((*secrets, *context.hidden)),
        warn=warn,
    )
    # a list of several pages is read again and again during a wait, so only one that takes long itself is slow work
    client = ApiClient(requester, endpoints, lambda: SlowWork(context.progress, context.clock).show_page)
    session = Session(context, client, plugins, warn, warnings)
    context.opened.append(session)
    return session


def _authenticated(settings: ConnectionSettings, plugins: PluginManager) -> ConnectionSettings:
    credential = plugins.call("gitlab_authenticate", settings=settings)
    # an empty value would make requests anonymous, which an extension must declare by returning no headers
    if not are_headers(credential) or not all(credential.values()):
        wanted = "a dictionary of headers whose values are non-empty strings in one line"
        raise plugins.wrong_return(credential, "gitlab_authenticate", wanted)
    kind: TokenKind = (settings.token_kind or "extension") if credential else ""
    return dataclasses.replace(settings, token_kind=kind, credential=dict(credential))


def _transport(settings: ConnectionSettings, plugins: PluginManager) -> Transport:
    made = plugins.call("gitlab_create_transport", settings=settings)
    if not callable(getattr(made, "send", None)):
        raise plugins.wrong_return(made, "gitlab_create_transport", "a transport with a send method")
    return t.cast(Transport, made)


def _retrier(
    settings: ConnectionSettings,
    context: TaskContext,
    traffic: Traffic,
    warn: t.Callable[[str], None],
    timeout_seconds: float,
    *,
    is_waiting: bool,
) -> Retrier:
    def report_pause(seconds: float, limit: str) -> None:
        """Report how long a pause requested by the server lasts; if progress is not shown, warn about it."""
        if limit:
            context.progress.still_waiting(text=f"paced: {limit}")
            return
        if not context.progress.is_shown:
            warn("GitLab asked the task to pause between requests (Retry-After), which made it take longer")
            return
        end = datetime.datetime.fromtimestamp(context.clock.time() + seconds, tz=datetime.timezone.utc)
        until = f"{end:%Y-%m-%d %H:%M:%S} UTC"
        context.progress.still_waiting(text=f"GitLab asks to pause for {seconds:.0f} s, until {until}")

    return Retrier(
        retries=settings.retries,
        deadline=Deadline.after(timeout_seconds, context.clock),
        is_persistent=is_waiting and not context.check_mode,
        on_pause=report_pause,
        traffic=traffic,
    )
