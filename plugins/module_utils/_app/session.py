# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The composition root: options become a client, extensions, a deadline and somebody to tell about progress."""

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
    """What is not begun yet is not to be begun any more."""


@dataclasses.dataclass(frozen=True)
class TaskContext:
    """What a task is told by the face that runs it.

    :param register_secret: called with every secret the task learns of, so that the face can censor it.
    :param hidden: values that are no credentials, and that nothing may show all the same: those of job variables.
    :param files: what Ansible wants of the files that are made.
    :param stop: returns why nothing new may be begun any more, an empty text while it may.
    :param watch: tells of nudges for what the task waits for, None when nothing nudges it.
    :param transport: returns the transport for a connection, made by what it is given, or one that was made before.
    :param opened: the sessions that the task has opened, which know what it has cost if it fails.
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


# The pauses before another look at what may pass. A load balancer, a restart or a clean-up of tokens can deny one
# request in the middle of a wait, or lead it to a login page; a replica of the database can be behind. As many as there
# are denials of one pipeline downstream that are not believed.
PASSING_PAUSES_SECONDS = (1.0, 3.0, 6.0)
# What a task that has made no request says of them; see `Session.cost`.
NO_REQUESTS: t.Mapping[str, float] = {"count": 0, "throttled": 0, "paced_seconds": 0.0}
# How long everything may take that a task does: as long as GitLab, unless it is told otherwise, lets a job take.
TASK_SECONDS = 3600.0
# Where trigger jobs are listed, in the order to try.
BRIDGE_ENDPOINTS = ("list_pipeline_trigger_jobs", "list_pipeline_bridges")


class ServerFacts:
    """What a task has learnt about the server.

    :param bridge_endpoints: where trigger jobs are listed, in the order to try: first the one that the server has.
    :param has_bridges: whether one of them was there.
    :param refuses_young_statuses: whether it has refused a scope, perhaps for a status that not every server knows.
    :param user_id: of the user of the token.
    :param readable: what could be read of pipelines downstream, see `bridges.Access`.
    """

    def __init__(self) -> None:
        self.bridge_endpoints: tuple[str, ...] = BRIDGE_ENDPOINTS
        self.has_bridges = False
        self.refuses_young_statuses = False
        self.user_id: int | None = None
        self.readable: set[t.Hashable] = set()


class Session:
    """Everything a use case needs. What asks GitLab by it raises a `RequestError` when that fails for good.

    :param warn: adds a warning for the user, once.
    :param facts: what the task knows of the server.
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
        # why nothing new may be begun any more, empty while it may
        self.stop = context.stop
        self.watch = context.watch
        # whether the task has read with the token before, so that a denial may be a fault on the way
        self.is_established = False

    @property
    def deadline(self) -> Deadline:
        return self.client.retrier.deadline

    def sibling(self, context: TaskContext, *, timeout_seconds: float, is_waiting: bool = False) -> Session:
        """Return a session of the same task with its own time; the connection and all that is known are shared.

        :param is_waiting: whether it waits: then reads are repeated until its time is up.
        """
        retrier = _retrier(
            self.client.settings, context, self.client.traffic, self.warn, timeout_seconds, is_waiting=is_waiting
        )
        other = copy.copy(self)
        other.client = self.client.with_retrier(retrier)
        other._begin(context)
        return other

    def in_passing(self, *, seconds: float | None = None) -> Session:
        """Return the session for what is only told: read again no more often than in a task that does not wait.

        :param seconds: how much time there is for it from now on; None for what is left.
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
        """Return what the task has cost so far, as tasks return it: seconds and requests."""
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
        return run_all(function, items, most_at_once=self.client.settings.concurrency)

    def asking_again(self, read: t.Callable[[], _R]) -> _R:
        """Return what a read returns; what is denied to a task that has read before is asked for again first."""
        for seconds in PASSING_PAUSES_SECONDS if self.is_established else ():
            try:
                return read()
            except GitLabError as exc:
                if not self.may_pass(exc):
                    raise
                self.clock.sleep(min(seconds, self.deadline.remaining()))
        return read()

    def may_pass(self, exc: GitLabError) -> bool:
        """Return whether an error may be a denial of a moment, where reading was allowed, and there is time to ask."""
        is_denial = isinstance(exc, (DeniedError, RedirectError)) or isinstance(exc.__cause__, DeniedError)
        return is_denial and not self.deadline.has_passed()

    def check_stop(self) -> None:
        """Return while something new may be begun.

        :raises StoppedError: when it may not.
        """
        reason = self.stop()
        if reason:
            raise StoppedError(reason)

    def user_id(self) -> int | None:
        """Return the id of the user of the token, None where the token may not ask for it.

        It costs a request, so it is asked for only where nothing else tells who has done something. A denial may be a
        fault on the way, and is not remembered.
        """
        if self.facts.user_id is None:
            has_job = self.client.settings.token_kind == "api_job_token"
            try:
                told = self.client.call("get_token_job") if has_job else {"user": self.client.call("get_current_user")}
            except DeniedError:
                return None
            self.facts.user_id = user_id_of(told) or None
        return self.facts.user_id

    def annotated(self, kind: str, record: Record) -> Record:
        """Return a record with what extensions say about it under `annotations`; without extensions, the record."""
        try:
            notes = self.plugins.notes(kind, record)
        except GitLabError as exc:
            self.warn(self.client.masker.mask(str(exc)))  # what was read or done is worth more than a note about it
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
    :param timeout_seconds: how long everything the task does may take.
    :param is_waiting: whether the task waits: then reads are repeated until its time is up.
    :raises MissingLibraryError: when requests or pluggy is not installed.
    :raises ExtensionError: when an extension cannot be loaded.
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
        # without the body: that of a write can hold job variables; a redirect is followed with the same headers
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
    client = ApiClient(requester, endpoints, SlowWork(context.progress, context.clock).tell_page)
    session = Session(context, client, plugins, warn, warnings)
    context.opened.append(session)
    return session


def _authenticated(settings: ConnectionSettings, plugins: PluginManager) -> ConnectionSettings:
    credential = plugins.call("gitlab_authenticate", settings=settings)
    # with an empty one we would be nobody, which has to be said by no header
    if not are_headers(credential) or not all(credential.values()):
        wanted = "headers, a dictionary of texts in one line, none of them empty"
        raise plugins.wrong_return(credential, "gitlab_authenticate", wanted)
    kind: TokenKind = settings.token_kind or ("extension" if credential else "")
    return dataclasses.replace(settings, token_kind=kind, credential=dict(credential))


def _transport(settings: ConnectionSettings, plugins: PluginManager) -> Transport:
    made = plugins.call("gitlab_create_transport", settings=settings)
    if not callable(getattr(made, "send", None)):
        raise plugins.wrong_return(made, "gitlab_create_transport", "a transport, which has a method send")
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
    def tell_pause(seconds: float, limit: str) -> None:
        """Say until when a pause lasts that the server asks for, or, where nobody listens, that there was one."""
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
        tell=tell_pause,
        traffic=traffic,
    )
