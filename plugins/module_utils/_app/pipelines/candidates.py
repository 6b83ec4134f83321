# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Decide which pipeline is the requested one, because pipelines have no name to find them by."""

from __future__ import annotations

import itertools
import typing as t

from ..._api.decoding import Record
from ..._api.errors import BadAnswerError, DeniedError, MissingError, NotFoundError, SelectionError
from ..fields import id_of, status_of, user_id_of
from ..jobs.statuses import is_finished, phase_of
from ..session import Session
from .find import newest_pipelines, whole_pipeline
from .query import REF_PREFIXES, RunRequest, describe

# How many of the newest pipelines of a ref are considered: one page.
NEWEST = 100
# The variable that GitLab adds to pipelines started with a trigger token.
_TRIGGER_PAYLOAD = "TRIGGER_PAYLOAD"


class Candidates:
    """The newest pipelines of a ref, one of which may be the requested one.

    :param known: the requests for the pipelines that this task has started, by pipeline id.
    """

    def __init__(self, session: Session, request: RunRequest, known: t.Mapping[int, RunRequest]) -> None:
        self._session = session
        self._request = request
        self._known = known
        # the id of the newest pipeline before ours
        self._highest = 0
        # the commit of the ref, read on demand
        self._commit = ""

    def begin(self) -> list[Record]:
        """Return the newest pipelines of the ref, and remember the highest id: ours will be higher."""
        self._commit = ""
        found = self._newest()
        listed = set(map(id_of, found))
        # the list may not yet contain what this task has started
        found = [self._whole({"id": started}) for started in self._known if started not in listed] + found
        self._highest = max(map(id_of, found), default=0)
        return found

    # ----- the commit -----

    def current_commit(self) -> str:
        """Return the current commit of the ref, or an empty string if the token, such as a job token, may not read it.

        :raises SelectionError: if there is no such branch or tag.
        """
        request = self._request
        if not self._commit:
            try:
                commit = self._session.client.call("get_commit", project=request.project, sha=request.full_ref)
            except MissingError as exc:
                raise SelectionError(request.missing_ref) from exc
            except DeniedError:
                return ""  # the ref may exist, because the project does
            self._commit = str(commit["id"])
        return self._commit

    def check_kind(self) -> None:
        """Check that GitLab would accept the ref of a new pipeline: it exists, and is not both a branch and a tag.

        :raises SelectionError: if GitLab would refuse it.
        """
        request = self._request
        if request.ref_type != "any":
            return
        kinds = [kind for kind in REF_PREFIXES if self._exists(REF_PREFIXES[kind] + request.ref)]
        if not kinds:
            raise SelectionError(request.missing_ref)
        if len(kinds) > 1:
            raise SelectionError(
                f"project {request.project} has a branch and a tag named {request.ref}; set ref_type to branch or tag"
            )

    def _exists(self, full_ref: str) -> bool:
        """Return whether a branch or tag exists; True if the token may not know."""
        try:
            self._session.client.call("get_commit", project=self._request.project, sha=full_ref)
        except NotFoundError as exc:
            return not isinstance(exc, MissingError)
        return True

    # ----- what counts as the requested pipeline -----

    def reused(self, before: t.Sequence[Record]) -> Record | None:
        """Return the newest pipeline that counts as the requested one.

        :raises SelectionError: if one may be it, but GitLab does not show whether it is.
        """
        for pipeline in before:
            if not self._is_candidate(pipeline):
                continue
            commit = self.current_commit()
            if commit not in ("", pipeline.get("sha")):
                continue
            whole = self._whole(pipeline)
            if not self._is_candidate(whole) or not self._matches_ref_type(whole):
                continue
            unclear = self._why_unclear(whole)
            if unclear is None:
                continue
            if commit:
                self.check_kind()
            else:
                unclear = unclear or "this token may not read the commit of the ref"
            if unclear:
                has_ended = is_finished(status_of(whole))
                remedy = "Set reuse to active" if has_ended else "Wait for it, cancel it, or set reuse to never"
                raise SelectionError(f"{describe(whole)} may be the one asked for, but {unclear}. {remedy}")
            return whole
        return None

    def _is_candidate(self, pipeline: Record) -> bool:
        """Return whether a pipeline with this source and status may count as the requested one."""
        # GitLab does not show the owner of a trigger token, so only pipelines started with one may be equal
        sources = ("trigger",) if self._request.trigger_token else ("api", "trigger")
        if self._request.reuse == "never" or (pipeline.get("source") or sources[0]) not in sources:
            return False
        status = status_of(pipeline)
        if is_finished(status):
            return self._request.reuse == "success" and status == "success"
        return bool(status) and phase_of(status) != "ending"

    def _matches_ref_type(self, whole: Record) -> bool:
        return self._request.ref_type == "any" or (whole.get("tag") is True) == (self._request.ref_type == "tag")

    def _why_unclear(self, whole: Record) -> str | None:
        """Return why it is unclear whether a pipeline is the requested one; empty if it is, None if it is not."""
        known = self._known.get(id_of(whole))
        if known is not None:
            return "" if known.is_like(self._request) else None
        is_ours = self.is_of_user(whole)
        if is_ours is False:
            return None
        variables = self._variables_of(whole)
        wanted = self._request.variables_by_name
        if variables is not None and variables != wanted:
            return None
        if not whole.get("source"):
            return "this server, which may be older than GitLab 14.1, does not show how it was started"
        if is_ours is None:
            return "GitLab does not show who started it, or whose token this is"
        if variables is None and wanted:
            return "its variables cannot be read"
        if self._request.inputs:
            return "GitLab does not show the inputs of a pipeline"
        return ""

    def is_of_user(self, whole: Record) -> bool | None:
        """Return whether the user of the token started a pipeline, None if that is unknown.

        GitLab does not show the owner of a trigger token, so with one, any user counts.
        """
        if self._request.trigger_token:
            return True
        theirs, ours = user_id_of(whole), self._session.user_id()
        return theirs == ours if theirs and ours else None

    def _variables_of(self, whole: Record) -> dict[str, str] | None:
        """Return the variables that a pipeline was started with, None if they cannot be read."""
        try:
            records = self._session.client.call(
                "get_pipeline_variables", project=self._request.project, pipeline_id=id_of(whole)
            )
        except DeniedError:
            return None
        return {str(record["key"]): str(record.get("value")) for record in records if record["key"] != _TRIGGER_PAYLOAD}

    def _whole(self, pipeline: Record) -> Record:
        return whole_pipeline(self._session, self._request.project, pipeline)

    # ----- what is new -----

    def ours(self) -> list[Record]:
        """Return the pipelines that may be ours: newer ones of the same ref, source, user and variables."""
        found = []
        for pipeline in self._newer():
            if pipeline.get("source") and pipeline["source"] not in self._request.sources:
                continue
            whole = self._whole(pipeline)
            if not self._matches_ref_type(whole) or self.is_of_user(whole) is False:
                continue
            if self._variables_of(whole) in (None, self._request.variables_by_name):
                found.append(whole)
        return found

    def duplicates_of(self, pipeline: Record) -> list[Record]:
        """Return the pipelines that other clients started since then, and that also count as the requested one."""
        return [
            other
            for other in self._newer()
            if id_of(other) != id_of(pipeline)
            and self._is_candidate(other)
            and other.get("sha") == pipeline.get("sha")
            and self._why_unclear(self._whole(other)) is not None
        ]

    def _newest(self) -> list[Record]:
        """Return one page of pipelines of the ref, newest first."""
        ref = self._request.ref
        found = newest_pipelines(self._session, self._request.project, ref=ref, page_size=NEWEST)
        # the list may contain merge request pipelines of this branch
        return [pipeline for pipeline in itertools.islice(found, NEWEST) if pipeline.get("ref", ref) == ref]

    def _newer(self) -> list[Record]:
        found = self._newest()
        if self._highest and not found:
            raise BadAnswerError(f"GitLab lists no pipelines of {self._request.ref}, but listed some before")
        return [pipeline for pipeline in found if id_of(pipeline) > self._highest]
