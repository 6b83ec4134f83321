# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Start a pipeline exactly once: read, decide, create, and look for the new pipeline if the answer was lost.

GitLab creates a pipeline for every request, and pipelines have no name to find them by. So the newest pipelines of the
ref are read before the request. After a lost answer, our pipeline is newer than all of these and has the same ref,
source and user. The request is never sent again without looking for it.
"""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import DeniedError, RequestError, SelectionError, StatusError
from ..._api.pace.retry import LAST_ATTEMPT_SECONDS
from ..fields import id_of, project_id_of, status_of
from ..jobs.query import sentences
from ..session import Session
from ..writes.decision import Result, may_be_done, was_unsent
from .candidates import Candidates
from .creation import explain_refusal, is_over_limit
from .query import RunRequest, describe

# The pauses before each search after a lost answer, because the server may still be creating the pipeline.
SEARCH_PAUSES_SECONDS = (2.0, 5.0, 10.0)
# GitLab limits creations per minute.
LIMIT_PAUSE_SECONDS = 20.0


# Its `after` is the pipeline; None if there is none, or if check mode would start one.
RunResult = Result[t.Optional[Record]]


def run_pipeline(session: Session, request: RunRequest, known: t.Mapping[int, RunRequest] | None = None) -> RunResult:
    """Return the pipeline that was started, or one that counts as the requested one.

    :param known: the requests for the pipelines of the ref that this task has already started, by pipeline id.
    :raises SelectionError: if the ref does not exist, or if it is unknown whether a pipeline is the requested one.
    :raises RequestError: if GitLab refuses or is unreachable.
    """
    result = _Run(session, request, known or {}).run()
    if result.after is not None:
        session.client.name_project(project_id_of(result.after, request.project), request.project)
    return result


class _Run:
    """The handling of one request for a pipeline, until its result is known."""

    def __init__(self, session: Session, request: RunRequest, known: t.Mapping[int, RunRequest]) -> None:
        self._session = session
        self._request = request
        self._candidates = Candidates(session, request, known)
        # False for a token that can only start pipelines
        self._may_search = True

    def run(self) -> RunResult:
        """Return the result; while GitLab's limit for creations is reached, wait until the deadline of the task."""
        retrier = self._session.client.retrier
        outages = 0
        while True:
            found = self._session.retrying_denials(self._found)
            if found is not None:
                return Result("unchanged", found, f"{describe(found)} counts as the one asked for")
            if self._session.check_mode:
                return Result("applied", None, f"would start a pipeline of {self._request.ref}", has_changed=True)
            self._session.check_stop()
            try:
                return self._created(self._create())
            except RequestError as exc:
                if may_be_done(exc):
                    return self._after_lost_answer(exc)
                if was_unsent(exc):
                    # a wait continues while the server is unreachable or busy; others may start one meanwhile
                    outages += 1
                    if not (retrier.is_persistent and retrier.pause(outages, exc)):
                        raise
                elif not isinstance(exc, StatusError):
                    raise
                elif not is_over_limit(exc) or not self._wait_for_limit(exc):
                    return self._refused(exc)

    # ----- before -----

    def _found(self) -> Record | None:
        """Return the pipeline that counts as the requested one, None if one must be started."""
        before = self._newest_before()
        self._check_commit()
        return self._candidates.reused(before)

    def _newest_before(self) -> list[Record]:
        """Return the newest pipelines of the ref; none with only a trigger token, which cannot read them."""
        try:
            return self._candidates.begin()
        except DeniedError:
            if not self._request.trigger_token or self._session.limits.may_read:
                raise
        self._may_search = False
        if self._request.reuse != "never":
            self._session.warn(
                "Could not check whether such a pipeline is already active, because trigger_token can only start "
                "pipelines; set api_token, too."
            )
        return []

    def _check_commit(self) -> None:
        """Refuse to start a pipeline if the ref does not point to the wanted commit."""
        request = self._request
        # check mode must find a missing ref, as the real run would
        if request.sha is None and not self._session.check_mode:
            return
        commit = self._candidates.current_commit()
        if commit and self._session.check_mode:
            self._candidates.check_kind()
        if request.sha is not None and not commit.startswith(request.sha):
            where = f"is at commit {commit}, not at" if commit else "cannot be read with this token, and may not be at"
            raise SelectionError(
                f"ref {request.ref} of project {request.project} {where} {request.sha} (sha); no pipeline was started"
            )

    # ----- the request -----

    def _create(self) -> Record:
        request, client = self._request, self._session.client
        created: Record
        if request.trigger_token:
            created = client.call(
                "trigger_pipeline",
                trigger_token=request.trigger_token,
                project=request.project,
                ref=request.full_ref,
                # this endpoint requires a mapping, the other one a list
                variables=request.variables_by_name or None,
                inputs=request.inputs or None,
            )
        else:
            created = client.call(
                "create_pipeline",
                project=request.project,
                ref=request.full_ref,
                variables=list(request.variables) or None,
                inputs=request.inputs or None,
            )
        return created

    def _wait_for_limit(self, exc: StatusError) -> bool:
        """Wait until pipelines may be created again; if there is no time, note it in the error and return False."""
        session = self._session
        seconds = min(LIMIT_PAUSE_SECONDS, session.deadline.remaining() - LAST_ATTEMPT_SECONDS)
        if seconds <= 0:
            exc.is_out_of_time = session.client.retrier.is_persistent
            return False
        session.progress.still_waiting(
            text=f"too many pipelines were created in the last minute; trying again in {seconds:.0f} s"
        )
        session.clock.sleep(seconds)
        return True

    # ----- after -----

    def _created(self, pipeline: Record, note: str = "") -> RunResult:
        """Return the result for a pipeline that this task has started."""
        if status_of(pipeline) == "failed":
            reason = str(pipeline.get("yaml_errors") or "GitLab gives no reason; the pipeline may have no jobs")
            return Result("failed", pipeline, f"{describe(pipeline)} failed at once: {reason}", has_changed=True)
        sha = self._request.sha
        if sha is not None and not str(pipeline.get("sha")).startswith(sha):
            problem = f"ref {self._request.ref} has moved away from {sha} in the meantime: {describe(pipeline)}"
            return Result(
                "failed", pipeline, f"{problem} was started for commit {pipeline.get('sha')}", has_changed=True
            )
        self._warn_of_duplicates(pipeline)
        return Result("applied", pipeline, note, has_changed=True)

    def _warn_of_duplicates(self, pipeline: Record) -> None:
        """Warn if another client has started an equal pipeline since the decision to start ours."""
        if self._request.reuse == "never" or not self._may_search:
            return
        try:
            duplicates = self._candidates.duplicates_of(pipeline)
        except RequestError:
            return  # a possible duplicate is not worth an error
        if duplicates:
            ids = " and ".join(str(id_of(duplicate)) for duplicate in duplicates)
            self._session.warn(
                f"Another client started pipeline {ids} of {self._request.ref} while this task started pipeline "
                f"{id_of(pipeline)}: there are {len(duplicates) + 1} pipelines of the same commit."
            )

    def _refused(self, exc: StatusError) -> RunResult:
        """Return the result if GitLab has refused the request, but created a pipeline that failed at once.

        :raises StatusError: for any other refusal.
        """
        request = self._request
        explain_refusal(self._session, exc, request)
        if exc.status == 422 and request.trigger_token and self._may_search:
            try:
                failed = [pipeline for pipeline in self._candidates.ours() if status_of(pipeline) == "failed"]
            except RequestError:
                failed = []  # report the refusal instead
            if len(failed) == 1:
                return Result("failed", failed[0], f"{describe(failed[0])} failed at once: {exc}", has_changed=True)
        raise exc

    def _after_lost_answer(self, exc: RequestError) -> RunResult:
        """Return the result of a request whose answer was lost."""
        if not self._may_search:
            return _unknown(exc, ", because trigger_token cannot look for it")
        found: list[Record] = []
        for seconds in SEARCH_PAUSES_SECONDS:
            self._session.clock.sleep(min(seconds, self._session.deadline.remaining()))
            try:
                found = self._session.client.retrier.read_persistently(self._candidates.ours)
            except RequestError as second:
                return _unknown(exc, f", because looking for it failed, too: {second}")
            if len(found) == 1 and self._candidates.is_of_user(found[0]):
                return self._created(found[0], "the answer was lost, but the pipeline exists")
            if len(found) > 1:
                break
        if found:
            return _unknown(exc, f". New pipelines that may be it: {sentences(list(map(describe, found)))}")
        searches = len(SEARCH_PAUSES_SECONDS)
        further = f"{searches} searches found no new pipeline of {self._request.ref}; check the project and run again"
        return _unknown(exc, f". {further}")


def _unknown(exc: RequestError, further: str) -> RunResult:
    """Return the result of a request that may or may not have been executed."""
    exc.further = f"It is not known whether a pipeline was started{further}"
    return Result("failed", None, str(exc))
