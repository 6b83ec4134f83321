# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Remove secrets and control codes from everything that a task shows or returns.

Only secrets are removed from the records of a successful task. Control codes are also removed from strings that are
shown directly, written to a file or part of a failure, which Ansible prints completely.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._api.errors import GitLabError
from .._api.masking import Masker
from .outcome import Outcome, Progress
from .session import TaskContext

# Names can have any length, lines cannot. The end of a longer line is kept because it says what to do.
_LONGEST_LINE = 10_000
_LONGEST_END = 500


class SafeOutput:
    """A filter for the output of one task.

    Run the task with `context`, which registers its secrets here.

    :param hidden: values that are not credentials, but that must not be shown either.
    """

    def __init__(self, context: TaskContext, hidden: t.Collection[str] = ()) -> None:
        self._secrets: list[str] = []
        self._register = context.register_secret
        self._made: Masker | None = None
        self.context = dataclasses.replace(
            context,
            register_secret=self._add_secret,
            progress=_SafeProgress(self, context.progress),
            hidden=tuple(hidden),
        )

    def line(self, text: str) -> str:
        line = self._masker.line(text)
        if len(line) <= _LONGEST_LINE:
            return line
        return f"{line[: _LONGEST_LINE - _LONGEST_END]} ... {line[-_LONGEST_END:]}"

    def error(self, exc: GitLabError) -> GitLabError:
        exc.rewrite(self.line)
        return exc

    def value(self, value: t.Any) -> t.Any:
        return self._masker.mask_value(value)

    def outcome(self, outcome: Outcome) -> Outcome:
        masker = self._masker
        clean = masker.mask_value if outcome.failure is None else masker.shown_value
        return dataclasses.replace(
            outcome,
            values={name: clean(value) for name, value in outcome.values.items()},
            failure=None if outcome.failure is None else self.line(outcome.failure),
            message=self.line(outcome.message),
            warnings=[self.line(text) for text in outcome.warnings],
            diff=outcome.diff and masker.shown_value(outcome.diff),
        )

    def _add_secret(self, secret: str) -> None:
        if secret not in self._secrets:
            self._secrets.append(secret)
            self._made = None
            self._register(secret)

    @property
    def _masker(self) -> Masker:
        """Return a masker for all secrets so far, made on demand because it encodes each secret in many ways."""
        if self._made is None:
            self._made = Masker((*self._secrets, *self.context.hidden))
        return self._made


class _SafeProgress(Progress):
    """Progress that cleans lines before it passes them on."""

    def __init__(self, output: SafeOutput, progress: Progress) -> None:
        self._output = output
        self._progress = progress
        self.is_shown = progress.is_shown

    def show(self, line: str, *, status: str = "") -> None:
        self._progress.show(self._output.line(line), status=status)

    def note_remaining(self, *, wait: object, what: t.Sequence[str]) -> None:
        self._progress.note_remaining(wait=wait, what=[self._output.line(text) for text in what])
