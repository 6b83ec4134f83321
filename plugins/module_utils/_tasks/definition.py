# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The definition of a task: its options, and a function that runs it; the same in process and as a module."""

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

# The return values that results share, as they are when there is nothing to report.
NO_COST: t.Mapping[str, t.Any] = {"elapsed": 0.0, "requests": NO_REQUESTS}
NO_WAIT: t.Mapping[str, t.Any] = {**NO_COST, "timed_out": False, "timeline": []}
NO_DIFF: t.Mapping[str, t.Any] = {"diff": {"before": "", "after": ""}}


@dataclasses.dataclass(frozen=True)
class TaskDefinition:
    """A task that a module, and an action plugin of the same name, can run.

    :param work: the function that `run` calls; raises `GitLabError` for errors of the user or the server.
    :param empty_result: every return value when there is nothing to return; failures return these, too.
    :param token_options: the kinds of token that the task can use.
    :param has_file_options: whether it writes a file `dest` and has Ansible's options for file attributes.
    """

    name: str
    spec: ArgumentSpec
    work: t.Callable[[Options, TaskContext], Outcome]
    empty_result: t.Mapping[str, t.Any]
    has_file_options: bool = False
    token_options: tuple[str, ...] = ("api_token", "api_oauth_token", "api_job_token")

    def cost(self, context: TaskContext) -> dict[str, t.Any]:
        """Return the cost of the task so far, as those return values that the task has."""
        cost = context.opened[0].cost() if context.opened else {}
        return {name: value for name, value in cost.items() if name in self.empty_result}

    def run(self, options: Options, context: TaskContext) -> Outcome:
        """Run the task with validated options, and return the outcome without secrets.

        :raises GitLabError: for errors of the user or the server, also without secrets.
        """
        output = SafeOutput(context, hidden=variable_values(self.spec.arguments, options))
        try:
            outcome = self.work(prepared(self.spec.arguments, options, context.environ), output.context)
        except TimedOutError as exc:
            # before there was anything to return
            outcome = Outcome({"timed_out": True}, failure=str(exc) if exc.is_failure else None)
        except GitLabError as exc:
            raise output.error(exc) from None
        known = {**self.empty_result, **self.cost(context), **outcome.values}
        warnings = [text for session in context.opened for text in session.warnings]
        return output.outcome(dataclasses.replace(outcome, values=known, warnings=warnings))
