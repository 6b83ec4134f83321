# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`rules` of jobs, of the workflow and of includes: the first rule that matches decides.

Source: https://docs.gitlab.com/ci/yaml/#rules
"""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from . import expressions, globs
from .context import Context
from .notes import Notes
from .values import Block, CiError, as_list, flat, text
from .variables import expand, expand_all

_NO_LIST: t.Final = "without a list of files (--files), this counts as "


@dataclasses.dataclass(frozen=True)
class Decision:
    """The result of a rule; None leaves a value to the job."""

    when: str | None = None
    start_in: t.Any = None
    allow_failure: bool | None = None
    variables: Block | None = None
    needs: t.Any = None


class Matcher:
    """Matches rules for one pipeline.

    :ivar files: what changed, and what there is; None when nobody has said so.
    """

    def __init__(self, context: Context, files: t.Collection[str] | None, notes: Notes) -> None:
        self.context = context
        self._files = files
        self._notes = notes

    def first(self, rules: t.Any, variables: t.Mapping[str, str]) -> Decision | None:
        """Return the result of the first matching rule; None if no rule matches, or if it is `when: never`."""
        for rule in flat(as_list(rules)):
            if isinstance(rule, Block) and self._matches(rule, variables):
                if rule.get("when") == "never":
                    return None
                allow_failure = rule.get("allow_failure")
                return Decision(
                    when=rule.get("when"),
                    start_in=rule.get("start_in"),
                    allow_failure=allow_failure if isinstance(allow_failure, bool) else None,
                    variables=rule.get("variables"),
                    needs=rule.get("needs"),
                )
        return None

    def _matches(self, rule: Block, variables: t.Mapping[str, str]) -> bool:
        """Return whether all conditions of a rule hold; a rule without conditions matches."""
        if "if" in rule and not self.holds(text(rule["if"]), variables):
            return False
        if "changes" in rule and not self.has_changed(rule, variables):
            return False
        return not ("exists" in rule and not self._exists(rule, variables))

    def holds(self, expression: str, variables: t.Mapping[str, str]) -> bool:
        """Return whether an expression holds; it sees variables as they were set, without expansion.

        Source: https://gitlab.com/gitlab-org/gitlab/-/issues/327780
        """
        try:
            return expressions.is_true(expression, variables)
        except expressions.ExpressionError as error:
            raise CiError(f"invalid expression syntax: {expression}: {error}") from error

    def has_changed(self, rule: Block, variables: t.Mapping[str, str]) -> bool:
        """Return whether a path of `changes` changed; if GitLab cannot know this, all paths count as changed.

        Source: https://docs.gitlab.com/ci/jobs/job_troubleshooting/#jobs-or-pipelines-run-unexpectedly-when-using-changes
        """
        given = rule["changes"]
        compares = isinstance(given, Block) and "compare_to" in given
        if not self.context.has_changes and not compares:
            return True
        if self._files is None:
            self._notes.add("changes", f"{_NO_LIST}changed", rule.where("changes"))
            return True
        paths = given.get("paths") if isinstance(given, Block) else given
        return globs.any_fits(_expanded(paths, variables), self._files)

    def _exists(self, rule: Block, variables: t.Mapping[str, str]) -> bool:
        if self._files is None:
            self._notes.add("exists", f"{_NO_LIST}not there", rule.where("exists"))
            return False
        given = rule["exists"]
        paths = given.get("paths") if isinstance(given, Block) else given
        # Folders are written with a slash at the end.
        folders = {f"{parent.as_posix()}/" for path in self._files for parent in pathlib.PurePosixPath(path).parents}
        there = [*self._files, *sorted(folders)]
        return globs.any_fits(_expanded(paths, variables), there)


def _expanded(paths: t.Any, variables: t.Mapping[str, str]) -> list[str]:
    known = expand_all(variables)
    return [expand(text(path), known, keeps_unknown=True) for path in as_list(paths)]
