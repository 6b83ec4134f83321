# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which pipeline is the one that was asked for: what makes it so, for a pipeline has no name to find it by."""

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

# So many of the newest pipelines of a ref are looked at: one page.
NEWEST = 100
# GitLab itself adds it to what a trigger token starts.
_TRIGGER_PAYLOAD = "TRIGGER_PAYLOAD"


class Candidates:
    """The newest pipelines of a ref, and which of them is the one that was asked for.

    :param known: how the pipelines were started that this task has started, by their ids.
    """

    def __init__(self, session: Session, request: RunRequest, known: t.Mapping[int, RunRequest]) -> None:
        self._session = session
        self._request = request
        self._known = known
        # of the newest pipeline that was there before
        self._highest = 0
        # where the ref is; read when it is needed
        self._commit = ""

    def begin(self) -> list[Record]:
        """Return the newest pipelines of the ref, and remember which is the newest: ours will be newer."""
        self._commit = ""
        found = self._newest()
        listed = set(map(id_of, found))
        # a list may be older than what this task has started
        found = [self._whole({"id": started}) for started in self._known if started not in listed] + found
        self._highest = max(map(id_of, found), default=0)
        return found

    # ----- the commit -----

    def tip(self) -> str:
        """Return the commit where the ref is now, empty when the token may not read it, as job tokens may not.

        :raises SelectionError: when there is no such branch or tag.
        """
        request = self._request
        if not self._commit:
            try:
                commit = self._session.client.call("get_commit", project=request.project, sha=request.full_ref)
            except MissingError as exc:
                raise SelectionError(request.missing_ref) from exc
            except DeniedError:
                return ""  # it may be there, since the project was found before
            self._commit = str(commit["id"])
        return self._commit

    def check_kind(self) -> None:
        """Return unless a new pipeline would be refused, since its ref is none, or may be a branch and a tag.

        :raises SelectionError: saying which.
        """
        request = self._request
        if request.ref_type != "any":
            return
        kinds = [kind for kind in REF_PREFIXES if self._is_there(REF_PREFIXES[kind] + request.ref)]
        if not kinds:
            raise SelectionError(request.missing_ref)
        if len(kinds) > 1:
            raise SelectionError(
                f"a branch and a tag of project {request.project} are called {request.ref}; set ref_type to branch or "
                "tag"
            )

    def _is_there(self, full_ref: str) -> bool:
        """Return whether there is such a branch, or tag, as far as the token may know."""
        try:
            self._session.client.call("get_commit", project=self._request.project, sha=full_ref)
        except NotFoundError as exc:
            return not isinstance(exc, MissingError)
        return True

    # ----- what counts as the one asked for -----

    def reused(self, before: t.Sequence[Record]) -> Record | None:
        """Return the newest pipeline that counts as the one asked for.

        :raises SelectionError: when one may be it, and GitLab does not tell.
        """
        for pipeline in before:
            if not self._may_count(pipeline):
                continue
            tip = self.tip()
            if tip not in ("", pipeline.get("sha")):
                continue
            whole = self._whole(pipeline)
            if not self._may_count(whole) or not self._is_of_kind(whole):
                continue
            doubt = self._doubt(whole)
            if doubt is None:
                continue
            if tip:
                self.check_kind()
            else:
                doubt = doubt or "this token may not read at which commit the ref is"
            if doubt:
                has_ended = is_finished(status_of(whole))
                remedy = "Set reuse to active" if has_ended else "Wait for it, cancel it, or set reuse to never"
                raise SelectionError(f"{describe(whole)} may be the one asked for, but {doubt}. {remedy}")
            return whole
        return None

    def _may_count(self, pipeline: Record) -> bool:
        """Return whether source and status are those of a pipeline that counts."""
        # whose a trigger token is, GitLab tells nobody, so that only what one has started may be like what it starts
        sources = ("trigger",) if self._request.trigger_token else ("api", "trigger")
        if self._request.reuse == "never" or (pipeline.get("source") or sources[0]) not in sources:
            return False
        status = status_of(pipeline)
        if is_finished(status):
            return self._request.reuse == "success" and status == "success"
        return bool(status) and phase_of(status) != "ending"

    def _is_of_kind(self, whole: Record) -> bool:
        return self._request.ref_type == "any" or (whole.get("tag") is True) == (self._request.ref_type == "tag")

    def _doubt(self, whole: Record) -> str | None:
        """Return why it is not known whether a pipeline is what is wanted; empty when it is, None when it is not."""
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
            return "this server, which may be older than GitLab 14.1, does not tell how it was started"
        if is_ours is None:
            return "GitLab does not tell whose it is, or whose token asks for it"
        if variables is None and wanted:
            return "its variables cannot be read"
        if self._request.inputs:
            return "GitLab does not tell the inputs of a pipeline"
        return ""

    def is_of_user(self, whole: Record) -> bool | None:
        """Return whether a pipeline is of the user who asks now, None when nobody can tell.

        Whose a trigger token is, GitLab tells nobody: there, any user will do.
        """
        if self._request.trigger_token:
            return True
        theirs, ours = user_id_of(whole), self._session.user_id()
        return theirs == ours if theirs and ours else None

    def _variables_of(self, whole: Record) -> dict[str, str] | None:
        """Return the variables that a pipeline was started with, None when they cannot be read."""
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
        """Return the pipelines that may be the one that was asked for: newer, of the same ref, source and user."""
        found = []
        for pipeline in self._news():
            if pipeline.get("source") and pipeline["source"] not in self._request.sources:
                continue
            whole = self._whole(pipeline)
            if not self._is_of_kind(whole) or self.is_of_user(whole) is False:
                continue
            if self._variables_of(whole) in (None, self._request.variables_by_name):
                found.append(whole)
        return found

    def twins(self, pipeline: Record) -> list[Record]:
        """Return the pipelines that somebody else has started since, and that count as the one asked for, too."""
        return [
            other
            for other in self._news()
            if id_of(other) != id_of(pipeline)
            and self._may_count(other)
            and other.get("sha") == pipeline.get("sha")
            and self._doubt(self._whole(other)) is not None
        ]

    def _newest(self) -> list[Record]:
        """Return the newest pipelines of the ref, newest first: one page of them."""
        ref = self._request.ref
        found = newest_pipelines(self._session, self._request.project, ref=ref, page_size=NEWEST)
        # pipelines of merge requests from this branch may be among them
        return [pipeline for pipeline in itertools.islice(found, NEWEST) if pipeline.get("ref", ref) == ref]

    def _news(self) -> list[Record]:
        found = self._newest()
        if self._highest and not found:
            raise BadAnswerError(f"GitLab lists no pipeline of {self._request.ref}, of which there were some before")
        return [pipeline for pipeline in found if id_of(pipeline) > self._highest]
