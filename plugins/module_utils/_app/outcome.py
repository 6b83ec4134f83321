# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The result, progress and files of a task, however it runs."""

from __future__ import annotations

import dataclasses
import typing as t

from .._api.pace.clock import Clock

# Shorter work needs no progress line; CI logs should stay short.
PAUSE_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of a task, with the same keys on failure as on success.

    :param values: return values by name, without those that `TaskDefinition.run` adds.
    :param warnings: the warnings of the session; `TaskDefinition.run` adds them.
    :param failure: why the task failed; None if it succeeded.
    :param message: the message of a successful task; may be empty.
    """

    values: dict[str, t.Any]
    warnings: t.Sequence[str] = ()
    changed: bool = False
    failure: str | None = None
    diff: dict[str, t.Any] | None = None
    message: str = ""


class Progress:
    """The receiver of progress lines. This one discards them, because a module can only return output at its end.

    :param is_shown: whether lines are shown; otherwise, the task does not collect information only for them.
    """

    is_shown = False

    def still_waiting(self, *, text: str) -> None:
        """Report what takes long and how far it has come."""
        self.show(text)

    def log_line(self, *, name: str, line: str) -> None:
        self.show(f"{name.strip()} | {line}")

    def show(self, line: str, *, status: str = "") -> None:
        """Report a line about a job, which begins with its name. All other methods that report lines call this one.

        :param status: the new status of the job; empty if the line is not about a status.
        """

    def note_remaining(self, *, wait: object, what: t.Sequence[str]) -> None:
        """Note what would continue in GitLab if the task were interrupted now; this replaces the last note of the wait.

        :param wait: identifies one of several simultaneous waits.
        """


class ProjectProgress(Progress):
    """Progress that puts the project in front of each line.

    :param project: its path or numeric id, as the user wrote it.
    """

    def __init__(self, progress: Progress, project: str) -> None:
        self.is_shown = progress.is_shown
        self._progress = progress
        self._project = f"project {project}" if project.isdigit() else project

    def still_waiting(self, *, text: str) -> None:
        # the description of a wait often contains the project
        self._progress.still_waiting(text=text if self._project in text else f"{self._project}: {text}")

    def log_line(self, *, name: str, line: str) -> None:
        # only one log is followed, and its lines are long enough
        self._progress.log_line(name=name, line=line)

    def show(self, line: str, *, status: str = "") -> None:
        self._progress.show(f"{self._project} {line}", status=status)

    def note_remaining(self, *, wait: object, what: t.Sequence[str]) -> None:
        self._progress.note_remaining(wait=wait, what=[f"{self._project} {text}" for text in what])


class SlowWork:
    """Progress of slow work: at most one line every ten seconds, and none in the first ten."""

    def __init__(self, progress: Progress, clock: Clock) -> None:
        self._progress = progress
        self._clock = clock
        self._started_at = self._shown_at = clock.monotonic()

    def restart(self) -> None:
        """Start measuring the work again."""
        self._started_at = self._clock.monotonic()

    def show(self, text: t.Callable[[float], str]) -> None:
        """Report the progress, if it is time to.

        :param text: returns the line, given the seconds that the work has taken.
        """
        now = self._clock.monotonic()
        if self._progress.is_shown and now - self._shown_at >= PAUSE_SECONDS:
            self._shown_at = now
            self._progress.still_waiting(text=text(now - self._started_at))

    def show_page(self, name: str, page: int, last: int | None) -> None:
        """Report the progress of reading a list, if it is time to.

        :param name: name of the endpoint, such as `list_pipeline_jobs`.
        :param last: number of pages; None if the server does not send it.
        """
        what = name.replace("list_", "", 1).replace("_", " ")
        self.show(lambda _seconds: f"reading {what}: page {page:,}{f' of {last:,}' if last else ''}")


@dataclasses.dataclass(frozen=True)
class Files:
    """How Ansible wants files to be written. This base class is for tasks without Ansible.

    :param unsafe_writes: whether a file that cannot be replaced may be overwritten in place.
    """

    unsafe_writes: bool = False

    def label(self, path: str, dest: str) -> None:
        """Give the file at `path` the SELinux context of a new file at `dest`."""
