# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Explain by the record of a job why it has no artifacts or no log."""

from __future__ import annotations

from ..fields import artifact_kinds, unix_time_of
from ..jobs.query import FoundJob
from ..jobs.statuses import phase_of

# Why a job that has ended has no artifacts.
_CAUSES = {
    "failed": "it has failed, and artifacts:when is neither always nor on_failure, ",
    "canceled": "it was canceled, ",
}


def why_no_log(job: FoundJob) -> str:
    erased_at = job.record.get("erased_at")
    if erased_at:
        return f"{job.called} was erased ({erased_at}), and its log with it"
    return _not_yet(job, "log") or f"{job.called} has no log; GitLab does not keep one for it"


def why_no_artifacts(job: FoundJob, now: float, *, instead: str = "") -> str:
    """Return why a job has no archive of artifacts.

    :param now: Unix time, to distinguish expired artifacts from deleted ones.
    :param instead: an alternative to waiting for the job.
    """
    subject, record = job.called, job.record
    if not job.path:
        return f"{subject} has no artifacts: there is no such job, it created none, or they have expired"
    gone = why_gone(job, "artifacts", now, instead=instead)
    if gone:
        return gone
    if record.get("artifacts_file"):
        return f"GitLab lists artifacts of {subject}, but does not find their file; try again, or ask its administrator"
    if record.get("artifacts_expire_at"):
        return f"the artifacts of {subject} were deleted; retry the job to create them again"
    kinds = artifact_kinds(record) - {"metadata"}
    if kinds and "archive" not in kinds:
        listed = ", ".join(sorted(kinds))
        return (
            f"{subject} has only reports ({listed}) and no archive; list its files under artifacts:paths, or download "
            "one with gitlab_job_download and content: report"
        )
    # servers before 15.9 do not return erased_at
    erased = "" if "erased_at" in record else ", or it was erased"
    cause = _CAUSES.get(job.status, "")
    return f"{subject} has no artifacts: {cause}it declares none under artifacts:paths, or no file matched{erased}"


def why_gone(job: FoundJob, what: str, now: float, *, instead: str = "") -> str:
    """Return why files of a job do not exist yet, or no longer; empty if its record does not show it.

    :param what: the missing files: artifacts or reports.
    :param now: Unix time, to find what has expired, even since the record was read.
    :param instead: an alternative to waiting for the job.
    """
    record = job.record
    if record.get("erased_at"):
        return f"{job.called} was erased ({record['erased_at']}), so it no longer has {what}"
    waits = _not_yet(job, what)
    if waits:
        return waits + instead
    expiry = record.get("artifacts_expire_at")
    moment = unix_time_of(expiry)
    if moment is None or moment > now:
        return ""
    return f"the {what} of {job.called} have expired ({expiry}); retry the job to create them again"


def _not_yet(job: FoundJob, what: str) -> str:
    """Return that a job has not finished, or was skipped, and what to do; empty if it has run.

    :param what: the missing files: artifacts, reports, or the log.
    """
    status = job.status
    if status == "skipped":
        return f"{job.called} was skipped, so it has no {what}; choose another job"
    phase = phase_of(status)
    if phase in ("waiting", "blocked", "queued"):
        what_to_do = "play it first" if status == "manual" else "wait for it"
        return f"{job.called} has no {what} yet: it has not started (its status is {status}); {what_to_do}"
    if phase in ("running", "ending"):
        until = "nothing has been written yet" if what == "log" else f"{what} are uploaded when the job ends"
        return f"{job.called} has no {what} yet: its status is {status}, and {until}; wait for it"
    return ""
