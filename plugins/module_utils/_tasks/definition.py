# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a task is: its options, and a function that runs it; the same for every face."""

from __future__ import annotations

import dataclasses
import typing as t

from .._api.errors import GitLabError, TimedOutError
from .._app.outcome import Outcome
from .._app.safe_output import SafeOutput
from .._app.session import NO_REQUESTS, TaskContext
from .values.arguments import ArgumentSpec, Options
from .values.hiding import variable_values
from .values.prepared import prepared

# What results have in common, as it is when there is nothing to tell.
NO_COST: t.Mapping[str, t.Any] = {"elapsed": 0.0, "requests": NO_REQUESTS}
NO_WAIT: t.Mapping[str, t.Any] = {**NO_COST, "timed_out": False, "timeline": []}
NO_DIFF: t.Mapping[str, t.Any] = {"diff": {"before": "", "after": ""}}


@dataclasses.dataclass(frozen=True)
class TaskDefinition:
    """A task that a module, and an action plugin of the same name, can run.

    :param work: what `run` runs; raises `GitLabError` for what a user or a server did wrong.
    :param empty_result: every return value as it is when there is nothing to return; a failure returns these, too.
    :param token_options: the kinds of token that are of use to it.
    :param has_file_options: whether it makes a file `dest` and takes Ansible's options for the attributes of files.
    """

    name: str
    spec: ArgumentSpec
    work: t.Callable[[Options, TaskContext], Outcome]
    empty_result: t.Mapping[str, t.Any]
    has_file_options: bool = False
    token_options: tuple[str, ...] = ("api_token", "api_oauth_token", "api_job_token")

    def cost(self, context: TaskContext) -> dict[str, t.Any]:
        """Return what the task has cost until now, by the names of those return values that it has."""
        cost = context.opened[0].cost() if context.opened else {}
        return {name: value for name, value in cost.items() if name in self.empty_result}

    def run(self, options: Options, context: TaskContext) -> Outcome:
        """Return the outcome for validated options, with nothing in it that must not be shown.

        :raises GitLabError: for what a user or a server did wrong, equally clean.
        """
        output = SafeOutput(context, hidden=variable_values(self.spec.arguments, options))
        try:
            outcome = self.work(prepared(self.spec.arguments, options, context.environ), output.context)
        except TimedOutError as exc:
            # before there was anything to tell
            outcome = Outcome({"timed_out": True}, failure=str(exc) if exc.is_failure else None)
        except GitLabError as exc:
            raise output.error(exc) from None
        known = {**self.empty_result, **self.cost(context), **outcome.values}
        warnings = [text for session in context.opened for text in session.warnings]
        return output.outcome(dataclasses.replace(outcome, values=known, warnings=warnings))
