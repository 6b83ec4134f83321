# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Reports of jobs, such as test reports: which exist, their file names, and how to detect archives sent instead.

Source: https://docs.gitlab.com/api/job_artifacts/#download-job-artifacts-by-job-id
"""

from __future__ import annotations

import os
import re
import typing as t

from ..._api.decoding import Record
from ..._api.errors import SelectionError, UsageError
from ..._api.requester import Sink
from ..fields import int_of, records_in
from ..jobs.query import FoundJob, suggestions
from .missing import why_gone

# The other types in the list of artifacts, and what to do instead.
_NO_REPORTS: t.Mapping[str, str] = {
    "archive": "use content: archive",
    "metadata": "use content: list for what is in the archive",
    "trace": "use content: log",
}
_TYPE = re.compile(r"[A-Za-z0-9_-]+")
# The first bytes of a zip archive, and of an empty one.
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_NEEDS = "single reports require GitLab 19.4"


def check_report_type(report_type: str) -> None:
    """Check that a string can be a type of report.

    :raises UsageError: if it cannot.
    """
    if not _TYPE.fullmatch(report_type):
        raise UsageError(f"report_type is {report_type!r}; set it to one type of report, such as junit or dotenv")
    if report_type in _NO_REPORTS:
        raise UsageError(f"report_type {report_type!r} is not a report; {_NO_REPORTS[report_type]}")


def check_report(job: FoundJob, report_type: str, now: float) -> None:
    """Check that a job may have a report; if its record does not list reports, only a request can show that.

    :param now: Unix time, to find what has expired.
    :raises SelectionError: if it has none, with the reason as far as GitLab shows it.
    """
    reports = _reports_of(job)
    if reports is None or report_type in reports:
        return
    if reports:
        what = suggestions(reports, report_type, what="reports")
        raise SelectionError(f"{job.called} has no report {report_type!r}: {what}")
    raise SelectionError(
        why_gone(job, "reports", now)
        or f"{job.called} has no reports at all: it declares none under artifacts:reports, or created no such file"
    )


def report_name(job: FoundJob, report_type: str) -> str:
    """Return the file name of a report in a folder: its name in GitLab, but never another path."""
    filename = _entry_of(job, report_type).get("filename")
    name = os.path.basename(filename.replace("\\", "/")) if isinstance(filename, str) else ""
    return name if name.isprintable() and name not in ("", ".", "..") else report_type


def report_size(job: FoundJob, report_type: str) -> int:
    """Return the size of a report from the record of its job, or 0."""
    return int_of(_entry_of(job, report_type), "size")


class ReportSink:
    """A sink that passes on a report, but refuses an archive, which older servers send instead."""

    def __init__(self, sink: Sink, job: FoundJob, report_type: str) -> None:
        self._sink = sink
        self._job = job
        self._report_type = report_type
        self._is_zip = _entry_of(job, report_type).get("file_format") == "zip"
        self._head = b""
        self._size = 0

    def restart(self) -> None:
        self._head, self._size = b"", 0
        self._sink.restart()

    def write(self, chunk: bytes) -> None:
        """Pass on the next chunk.

        :raises SelectionError: if it is that of an archive.
        """
        if len(self._head) < len(_ZIP_MARKS[0]):
            self._head = (self._head + chunk)[: len(_ZIP_MARKS[0])]
            if self._head in _ZIP_MARKS and not self._is_zip:
                raise self._archive_instead()
        self._size += len(chunk)
        self._sink.write(chunk)

    def check_length(self) -> None:
        """Check by its length that a report that is a zip file itself was not replaced with an archive.

        :raises SelectionError: if it was.
        """
        if self._is_zip and self._size != report_size(self._job, self._report_type):
            raise self._archive_instead()

    def _archive_instead(self) -> SelectionError:
        return SelectionError(
            f"GitLab sent a zip archive instead of the report {self._report_type!r} of {self._job.called}: servers "
            "before GitLab 19.4 send only whole archives. Use content: archive, or content: file if artifacts:paths "
            "lists the file, too. dest was not changed"
        )


def _entry_of(job: FoundJob, report_type: str) -> Record:
    """Return the entry of a report in the record of a job, or an empty record."""
    return (_reports_of(job) or {}).get(report_type, {})


def _reports_of(job: FoundJob) -> dict[str, Record] | None:
    """Return the reports of a job by type, None if its record does not list them."""
    if not isinstance(job.record.get("artifacts"), list):
        return None
    return {
        entry["file_type"]: entry
        for entry in records_in(job.record, "artifacts")
        if isinstance(entry.get("file_type"), str) and entry["file_type"] not in _NO_REPORTS
    }


def why_not_sent(job: FoundJob, report_type: str, now: float) -> str:
    """Return why GitLab does not find a report that its job may have, at a Unix time."""
    if _reports_of(job) is None:
        return (
            f"{job.called} has no report {report_type!r}: there is no such job, it created none, or it has expired; "
            f"{_NEEDS}, and older servers send nothing if there is no archive"
        )
    gone = why_gone(job, "reports", now)
    return gone or f"GitLab lists a report {report_type!r} of {job.called}, but does not send it separately; {_NEEDS}"
