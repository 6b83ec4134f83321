# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a task hands to the user, whichever way it runs."""

from __future__ import annotations

import dataclasses
import typing as t

from .._api.pace.clock import Clock

# What is done sooner needs no line, and a log of CI should not be full of them.
PAUSE_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of a task; the same keys whether it failed or not.

    :param values: return values by name, without those that `TaskDefinition.run` knows.
    :param warnings: those of the session, which `TaskDefinition.run` knows.
    :param failure: why the task failed, None when it did not.
    :param message: what there is to say about a success; empty for nothing.
    """

    values: dict[str, t.Any]
    warnings: t.Sequence[str] = ()
    changed: bool = False
    failure: str | None = None
    diff: dict[str, t.Any] | None = None
    message: str = ""


class Progress:
    """Who is told what happens while a task waits. This one tells nobody: the output of a module comes at its end.

    :param is_shown: whether anybody listens; without, nothing is found out only to be told.
    """

    is_shown = False

    def still_waiting(self, *, text: str) -> None:
        """Take note that something takes long: what it is, and how far it has come."""
        self.tell(text)

    def log_line(self, *, name: str, line: str) -> None:
        self.tell(f"{name.strip()} | {line}")

    def tell(self, line: str, *, status: str = "") -> None:
        """Take a line about a job, which begins with its name; all others come to it as well.

        :param status: which the job now has; empty when the line tells of none.
        """

    def leaves(self, *, wait: object, what: t.Sequence[str]) -> None:
        """Take note of what goes on in GitLab when the task is interrupted now; what was noted before is over.

        :param wait: which of several waits at the same time it is.
        """


class ProjectProgress(Progress):
    """Tells what happens with the project before it.

    :param project: what a user calls it: its path, or its numeric id.
    """

    def __init__(self, progress: Progress, project: str) -> None:
        self.is_shown = progress.is_shown
        self._progress = progress
        self._project = f"project {project}" if project.isdigit() else project

    def still_waiting(self, *, text: str) -> None:
        # what is waited for is often described with its project
        self._progress.still_waiting(text=text if self._project in text else f"{self._project}: {text}")

    def log_line(self, *, name: str, line: str) -> None:
        # there is one log only, whose lines are long enough
        self._progress.log_line(name=name, line=line)

    def tell(self, line: str, *, status: str = "") -> None:
        self._progress.tell(f"{self._project} {line}", status=status)

    def leaves(self, *, wait: object, what: t.Sequence[str]) -> None:
        self._progress.leaves(wait=wait, what=[f"{self._project} {text}" for text in what])


class SlowWork:
    """Says how far work is that takes long: at most one line in ten seconds, and none in the first ten."""

    def __init__(self, progress: Progress, clock: Clock) -> None:
        self._progress = progress
        self._clock = clock
        self._begun = self._told = clock.monotonic()

    def restart(self) -> None:
        """Take note that the work begins again."""
        self._begun = self._clock.monotonic()

    def tell(self, text: t.Callable[[float], str]) -> None:
        """Say how far it is, if it is time to.

        :param text: returns the line, given the seconds that the work has taken.
        """
        now = self._clock.monotonic()
        if self._progress.is_shown and now - self._told >= PAUSE_SECONDS:
            self._told = now
            self._progress.still_waiting(text=text(now - self._begun))

    def tell_page(self, name: str, page: int, last: int | None) -> None:
        """Say how far the reading of a list is, if it is time to.

        :param name: of the endpoint, such as `list_pipeline_jobs`.
        :param last: how many pages there are, None where the server does not tell.
        """
        what = name.replace("list_", "", 1).replace("_", " ")
        self.tell(lambda _seconds: f"reading {what}: page {page:,}{f' of {last:,}' if last else ''}")


@dataclasses.dataclass(frozen=True)
class Files:
    """What Ansible wants of the files that a task makes; without Ansible, nothing.

    :param unsafe_writes: whether a file that cannot be replaced may be written to as it is.
    """

    unsafe_writes: bool = False

    def label(self, path: str, dest: str) -> None:
        """Give a file, which is to be at `dest`, the SELinux context of a new file there."""
