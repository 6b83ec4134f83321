# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why there is no artifact, or no log, as far as the record of the job tells: one sentence for each reason."""

from __future__ import annotations

from ..fields import artifact_kinds, unix_time_of
from ..jobs.query import FoundJob
from ..jobs.statuses import phase_of


def why_no_log(job: FoundJob) -> str:
    erased_at = job.record.get("erased_at")
    if erased_at:
        return f"{job.called} was erased ({erased_at}), and its log with it"
    return _not_yet(job, "log") or f"{job.called} has no log; GitLab keeps none of it"


def why_no_artifacts(job: FoundJob, now: float) -> str:
    """Return why a job has no archive of artifacts.

    :param now: Unix time, which tells what has expired from what was deleted.
    """
    subject, record = job.called, job.record
    if not job.path:
        return f"{subject} has no artifacts: there is no such job, it made none, or they have expired"
    gone = why_gone(
        job, "artifacts", now, instead=", or set latest_success for those of the newest successful pipeline of the ref"
    )
    if gone:
        return gone
    if record.get("artifacts_file"):
        return f"GitLab lists artifacts of {subject}, but does not find their file; try again, or ask its administrator"
    if record.get("artifacts_expire_at"):
        return f"the artifacts of {subject} were deleted; retry the job to make them anew"
    kinds = artifact_kinds(record) - {"metadata"}
    if kinds and "archive" not in kinds:
        listed = ", ".join(sorted(kinds))
        return (
            f"{subject} has only reports ({listed}) and no archive; list its files under artifacts:paths, or download "
            "one with gitlab_job_download and content: report"
        )
    failed = "it has failed, and artifacts:when is neither always nor on_failure, " * (job.status == "failed")
    return f"{subject} has no artifacts: {failed}it declares none under artifacts:paths, or no file fitted"


def why_gone(job: FoundJob, what: str, now: float, *, instead: str = "") -> str:
    """Return why what a job leaves is not there yet, or not any more; empty when its record does not tell.

    :param what: is asked for: artifacts or reports.
    :param now: Unix time, which tells what has expired, also since the record was read.
    :param instead: what else can be done than to wait for it.
    """
    record = job.record
    if record.get("erased_at"):
        return f"{job.called} was erased ({record['erased_at']}), so it has no {what} any more"
    waits = _not_yet(job, what)
    if waits:
        return waits + instead
    expiry = record.get("artifacts_expire_at")
    moment = unix_time_of(expiry)
    if moment is None or moment > now:
        return ""
    return f"the {what} of {job.called} have expired ({expiry}); retry the job to make them anew"


def _not_yet(job: FoundJob, what: str) -> str:
    """Return that a job is not so far, and what to do; empty when it is.

    :param what: is asked for: artifacts, reports, or the log.
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
