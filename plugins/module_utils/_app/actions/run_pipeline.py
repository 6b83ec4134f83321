# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Starting a pipeline once: read what there is, decide, create, and after a lost answer look for what was created.

GitLab creates a pipeline for every request, and a pipeline has no name to find it by. So the newest pipelines of the
ref are read before the request; what is ours after a lost answer is newer than all of them, and has the same ref,
source and user. The request is never sent again unseen.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import (
    BadAnswerError,
    LostAnswerError,
    NotAuthorizedError,
    NotFoundError,
    RequestError,
    SelectionError,
    ServerError,
    StatusError,
    with_sentence,
)
from ..jobs.statuses import id_of, is_finished, phase_of, status_of
from ..pipelines.query import describe
from ..session import Session
from .creation import explain_refusal, is_over_limit

REUSES = ("never", "active", "success")
# So many of the newest pipelines of a ref are looked at: one page.
NEWEST = 100
# The pauses before the looks after a lost answer: what is still at work on the server has to arrive.
LOOK_PAUSES_SECONDS = (2.0, 5.0, 10.0)
# GitLab counts creations by the minute.
LIMIT_PAUSE_SECONDS = 20.0
# Sources of pipelines that were asked for by the API.
_API, _TRIGGER = "api", ("trigger", "pipeline")
# GitLab itself adds it to what a trigger token starts.
_TRIGGER_PAYLOAD = "TRIGGER_PAYLOAD"
_REF_PREFIXES = {"branch": "refs/heads/", "tag": "refs/tags/"}


@dataclasses.dataclass(frozen=True)
class RunRequest:
    """Which pipeline to start.

    :param ref: name of a branch or tag, without `refs/heads/` or `refs/tags/`.
    :param sha: the commit where the ref has to be, whole or its first digits; None for any.
    :param trigger_token: starts it in the name of its owner; empty to start it as the user of the session's token.
    :param reuse: which pipeline counts as the one asked for: `never` any, an `active` one, or also one that is a
        `success`.
    """

    project: str
    ref: str
    ref_type: str = "any"
    sha: str | None = None
    variables: tuple[Record, ...] = ()
    inputs: t.Mapping[str, t.Any] | None = None
    trigger_token: str = ""
    reuse: str = "active"

    @property
    def full_ref(self) -> str:
        """Return the ref as GitLab cannot mistake it, where it is said what it is."""
        return _REF_PREFIXES.get(self.ref_type, "") + self.ref

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the sources that the pipeline may have."""
        return _TRIGGER if self.trigger_token else (_API,)


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What became of it.

    :param pipeline: the pipeline, None when there is none, and in check mode when it would be a new one.
    :param problem: why the task fails all the same, empty when it does not.
    :param note: what there is to say about a success.
    """

    pipeline: Record | None
    has_changed: bool = False
    problem: str = ""
    note: str = ""


def run_pipeline(session: Session, request: RunRequest) -> RunResult:
    """Return the pipeline that was started, or the one that counts as the one asked for.

    :raises SelectionError: when there is no such ref, or when nobody can tell whether what runs is what is wanted.
    :raises RequestError: when GitLab refuses, or cannot be asked.
    """
    return _Run(session, request).run()


class _Run:
    """One wish for a pipeline, until it is known what became of it."""

    def __init__(self, session: Session, request: RunRequest) -> None:
        self._session = session
        self._request = request
        # of the newest pipeline that was there before; None where the pipelines cannot be read
        self._highest: int | None = 0
        # where the ref is, and who we are; read when they are needed
        self._commit = ""
        self._user = 0

    def run(self) -> RunResult:
        """Return what became of it; while GitLab's limit for creations is reached, the time of the task is waited."""
        while True:
            self._commit = ""
            before = self._newest_before()
            self._check_commit()
            found = self._reused(before)
            if found is not None:
                return RunResult(found, note=f"{describe(found)} counts as the one asked for")
            if self._session.check_mode:
                return RunResult(None, has_changed=True, note=f"would start a pipeline of {self._request.ref}")
            self._session.check_stop()
            try:
                return self._created(self._create())
            except StatusError as exc:
                if isinstance(exc, ServerError):
                    return self._settle(exc)
                if not is_over_limit(exc) or not self._wait_for_limit():
                    return self._refused(exc)
            except (LostAnswerError, BadAnswerError) as exc:
                return self._settle(exc)

    # ----- before -----

    def _newest_before(self) -> list[Record]:
        """Return the newest pipelines of the ref, and remember the highest id; without the right to read, none."""
        try:
            found = self._newest()
        except (NotAuthorizedError, NotFoundError):
            if not self._request.trigger_token or self._session.limits.may_read:
                raise
            self._highest = None
            self._session.warn(
                "Whether such a pipeline is active already was not looked up, since trigger_token can only start "
                "pipelines; give api_token as well."
            )
            return []
        self._highest = max(map(id_of, found), default=0)
        return found

    def _newest(self) -> list[Record]:
        """Return the newest pipelines of the ref, newest first: one page of them."""
        listed = self._session.client.iterate(
            "list_pipelines",
            project=self._request.project,
            ref=self._request.ref,
            order_by="id",
            sort="desc",
            page_size=NEWEST,
        )
        found = [pipeline for pipeline, _number in zip(listed, range(NEWEST))]
        # pipelines of merge requests from this branch may be among them
        return [pipeline for pipeline in found if pipeline.get("ref", self._request.ref) == self._request.ref]

    def _check_commit(self) -> None:
        """Return if the ref is where it has to be.

        :raises SelectionError: when it is not.
        """
        request = self._request
        # the real run would be refused for a ref that is not there
        if request.sha is None and not self._session.check_mode:
            return
        tip = self._tip()
        if request.sha is not None and not tip.startswith(request.sha):
            where = f"is at commit {tip}, and not at" if tip else "cannot be read by this token, and may not be at"
            raise SelectionError(
                f"{request.ref} in project {request.project} {where} {request.sha}, the commit of sha; no pipeline was "
                "started"
            )

    def _tip(self) -> str:
        """Return the commit where the ref is now, empty when the token may not read it, as job tokens may not.

        :raises SelectionError: when there is no such branch or tag.
        """
        request = self._request
        if not self._commit:
            try:
                commit = self._session.client.call("get_commit", project=request.project, sha=request.full_ref)
            except NotAuthorizedError:
                return ""
            except NotFoundError as exc:
                # the project itself was found before
                if exc.is_no_mere_object:
                    return ""
                kind = "branch or tag" if request.ref_type == "any" else request.ref_type
                raise SelectionError(f"there is no {kind} {request.ref!r} in project {request.project}") from exc
            self._commit = str(commit["id"])
        return self._commit

    # ----- what counts as the one asked for -----

    def _reused(self, before: t.Sequence[Record]) -> Record | None:
        """Return the newest pipeline that counts as the one asked for.

        :raises SelectionError: when one may be it, and GitLab does not tell.
        """
        for pipeline in before:
            if not self._may_count(pipeline) or self._tip() not in ("", pipeline.get("sha")):
                continue
            whole = self._whole(pipeline)
            if not self._may_count(whole) or not self._is_of_kind(whole):
                continue
            doubt = self._doubt(whole)
            if doubt is None:
                continue
            if not self._tip():
                doubt = doubt or "this token may not read at which commit the ref is"
            if doubt:
                raise SelectionError(
                    f"{describe(whole)} may be the one asked for, but {doubt}. Wait for it, cancel it, or set reuse "
                    "to never"
                )
            return whole
        return None

    def _may_count(self, pipeline: Record) -> bool:
        """Return whether source and status are those of a pipeline that counts."""
        if self._request.reuse == "never" or pipeline.get("source") not in (_API, *_TRIGGER):
            return False
        status = status_of(pipeline)
        return _is_active(status) or (self._request.reuse == "success" and status == "success")

    def _is_of_kind(self, whole: Record) -> bool:
        """Return whether a pipeline is of the branch, or of the tag, that was asked for."""
        return self._request.ref_type == "any" or (whole.get("tag") is True) == (self._request.ref_type == "tag")

    def _doubt(self, whole: Record) -> str | None:
        """Return why it is not known whether a pipeline is what is wanted; empty when it is, None when it is not."""
        is_ours = self._is_of_user(whole)
        if is_ours is False:
            return None
        variables = self._variables_of(whole)
        wanted = {str(variable["key"]): str(variable["value"]) for variable in self._request.variables}
        if variables is not None and variables != wanted:
            return None
        if is_ours is None:
            return "GitLab does not tell whose token asks for it"
        if variables is None and wanted:
            return "its variables cannot be read"
        if self._request.inputs:
            return "GitLab does not tell the inputs of a pipeline"
        return ""

    def _is_of_user(self, whole: Record) -> bool | None:
        """Return whether a pipeline is of the user who asks now, None when nobody can tell.

        Whose a trigger token is, GitLab tells nobody: there, any user will do.
        """
        if self._request.trigger_token:
            return True
        user = whole.get("user")
        ours = self._user_id()
        return id_of(user) == ours if ours and isinstance(user, dict) else None

    def _user_id(self) -> int:
        """Return the id of the user of the token, 0 where the token may not ask for it.

        :raises RequestError: when GitLab cannot be asked.
        """
        if not self._user:
            try:
                self._user = id_of(self._session.client.call("get_current_user"))
            except (NotAuthorizedError, NotFoundError):
                return 0
        return self._user

    def _variables_of(self, whole: Record) -> dict[str, str] | None:
        """Return the variables that a pipeline was started with, None when they cannot be read."""
        try:
            records = self._session.client.call(
                "get_pipeline_variables", project=self._request.project, pipeline_id=id_of(whole)
            )
        except (NotAuthorizedError, NotFoundError):
            return None
        return {str(record["key"]): str(record.get("value")) for record in records if not _is_payload(record)}

    def _whole(self, pipeline: Record) -> Record:
        return t.cast(
            Record,
            self._session.client.call("get_pipeline", project=self._request.project, pipeline_id=id_of(pipeline)),
        )

    # ----- the request -----

    def _create(self) -> Record:
        """Return the new pipeline as GitLab answers.

        :raises RequestError: one of its subclasses.
        """
        request = self._request
        client = self._session.client
        inputs = dict(request.inputs or {}) or None
        variables = list(request.variables)
        if not request.trigger_token:
            created = client.call(
                "create_pipeline",
                project=request.project,
                ref=request.full_ref,
                variables=variables or None,
                inputs=inputs,
            )
            return t.cast(Record, created)
        hashed = {str(variable["key"]): variable["value"] for variable in variables}
        created = client.call(
            "trigger_pipeline",
            trigger_token=request.trigger_token,
            project=request.project,
            ref=request.full_ref,
            variables=hashed or None,
            inputs=inputs,
        )
        return t.cast(Record, created)

    def _created(self, pipeline: Record, note: str = "") -> RunResult:
        """Return the result for a pipeline that is there now, because of us."""
        if status_of(pipeline) == "failed":
            reason = str(pipeline.get("yaml_errors") or "GitLab gives no reason, and it may have no jobs")
            return RunResult(pipeline, has_changed=True, problem=f"{describe(pipeline)} failed at once: {reason}")
        sha = self._request.sha
        if sha is not None and not str(pipeline.get("sha")).startswith(sha):
            problem = f"{self._request.ref} has moved away from {sha} meanwhile: {describe(pipeline)} was started"
            return RunResult(pipeline, True, f"{problem} for commit {pipeline.get('sha')}")
        self._tell_twins(pipeline)
        return RunResult(pipeline, has_changed=True, note=note)

    def _tell_twins(self, pipeline: Record) -> None:
        """Warn when somebody else has started an equal pipeline since ours was decided upon."""
        if self._request.reuse == "never" or self._highest is None:
            return
        try:
            others = [
                other
                for other in self._news()
                if id_of(other) != id_of(pipeline)
                and self._may_count(other)
                and other.get("sha") == pipeline.get("sha")
                and self._doubt(self._whole(other)) is not None
            ]
        except RequestError:
            return  # the pipeline is started, and that it may have a twin is not worth an error
        if others:
            ids = " and ".join(str(id_of(other)) for other in others)
            self._session.warn(
                f"Somebody has started pipeline {ids} of {self._request.ref} at the same time as this task has started "
                f"pipeline {id_of(pipeline)}: there are {len(others) + 1} of the same commit."
            )

    def _news(self) -> list[Record]:
        """Return the pipelines of the ref that are newer than what was there before."""
        found = self._newest()
        if self._highest and not found:
            raise BadAnswerError(f"GitLab lists no pipeline of {self._request.ref}, of which there were some before")
        return [pipeline for pipeline in found if id_of(pipeline) > (self._highest or 0)]

    def _wait_for_limit(self) -> bool:
        """Wait until pipelines may be created again; return whether there is time for it."""
        session = self._session
        if session.deadline.remaining() <= LIMIT_PAUSE_SECONDS:
            return False
        session.progress.still_waiting(
            text=f"too many pipelines were created in the last minute; trying again in {LIMIT_PAUSE_SECONDS:g} s"
        )
        session.clock.sleep(LIMIT_PAUSE_SECONDS)
        return True

    # ----- after -----

    def _refused(self, exc: StatusError) -> RunResult:
        """Return the result for a pipeline that GitLab has created, and that has failed at once.

        :raises StatusError: for everything else that it has refused.
        """
        request = self._request
        explain_refusal(
            self._session,
            exc,
            project=request.project,
            source=request.sources[0],
            is_triggered=bool(request.trigger_token),
        )
        if exc.status == 422 and request.trigger_token and self._highest is not None:
            failed = [pipeline for pipeline in self._ours() if status_of(pipeline) == "failed"]
            if len(failed) == 1:
                text = f"{describe(failed[0])} failed at once: {exc}"
                return RunResult(failed[0], has_changed=True, problem=text)
        raise exc

    def _settle(self, exc: RequestError) -> RunResult:
        """Return what became of a request whose answer was lost."""
        lost = f"{exc}. Whether a pipeline was started is not known"
        if self._highest is None:
            return RunResult(None, problem=f"{lost}, since trigger_token cannot look for it")
        found: list[Record] = []
        for seconds in LOOK_PAUSES_SECONDS:
            self._session.clock.sleep(min(seconds, self._session.deadline.remaining()))
            try:
                found = self._look()
            except RequestError as second:
                return RunResult(None, problem=f"{lost}, since looking for it failed, too: {second}")
            if len(found) == 1 and self._is_of_user(found[0]):
                return self._created(found[0], "the answer was lost, but the pipeline is there")
            if len(found) > 1:
                break
        if found:
            listed = "; ".join(map(describe, found))
            return RunResult(None, problem=with_sentence(lost, f"This may be it, or one of these: {listed}"))
        looks = len(LOOK_PAUSES_SECONDS)
        further = f"{looks} looks have found no new pipeline of {self._request.ref}; look at the project and run again"
        return RunResult(None, problem=with_sentence(lost, further))

    def _look(self) -> list[Record]:
        """Return the pipelines that may be ours; no error of reading is taken for the last word.

        :raises RequestError: when they cannot be read.
        """
        retrier = self._session.client.retrier
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._ours()
            except RequestError as exc:
                if attempt > self._session.client.settings.retries or not retrier.pause(attempt, exc):
                    raise

    def _ours(self) -> list[Record]:
        """Return the pipelines that may be the one that was asked for: newer, of the same ref, source and user.

        :raises RequestError: when they cannot be read.
        """
        found = []
        for pipeline in self._news():
            if pipeline.get("source", self._request.sources[0]) not in self._request.sources:
                continue
            whole = self._whole(pipeline)
            if self._is_of_kind(whole) and self._is_of_user(whole) is not False and self._has_our_variables(whole):
                found.append(whole)
        return found

    def _has_our_variables(self, whole: Record) -> bool:
        """Return whether a pipeline may have been started with our variables."""
        variables = self._variables_of(whole)
        wanted = {str(variable["key"]): str(variable["value"]) for variable in self._request.variables}
        return variables is None or variables == wanted


def _is_active(status: str) -> bool:
    """Return whether a pipeline with this status is under way, or will be; one that is being canceled is not."""
    return bool(status) and not is_finished(status) and phase_of(status) != "ending"


def _is_payload(variable: Record) -> bool:
    return variable.get("key") == _TRIGGER_PAYLOAD
