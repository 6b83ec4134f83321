# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""One row of the table of actions, with what it says in sentences."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import StatusError
from ..jobs.statuses import Phase
from . import effects
from .decisions import ActionRequest, Cells


@dataclasses.dataclass(frozen=True)
class Advice:
    """What a user can do when GitLab answers the action with this status, and with these words, if any are given."""

    status: int
    text: str
    words: str = ""


Arguments = t.Callable[[ActionRequest, str], t.Mapping[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class Action:
    """All that is known of one action.

    :param endpoint: its row in the catalogue of endpoints.
    :param participle: what is done to the job: "played", as in "cannot be played" and "would be played".
    :param verb: the same as in "would play"; empty when it is the name.
    :param subject: of what the participle is said, with `{job}` for the job.
    :param cells: for every column of statuses, whether to act, to leave the job alone, or to refuse.
    :param effect: whether a job shows that the action was executed since it was read before.
    :param advice: what to do about errors, where the general advice has nothing; the first that fits.
    :param answer: what a successful answer shows: the effect, or perhaps the old job, which is then read again; or
        whether the answer alone is proof, since not every server shows the effect.
    :param no_effect: what it means when a job does not show the effect of an accepted request.
    :param refused_as_done: words of a refusal that mean that there is nothing to do with an ended job, and the reason
        to give then.
    :param status_after: what check mode predicts; empty when the status stays as it is.
    :param renews: the phases in which a job is not acted on itself, but a new one is made in its place; empty for an
        action that starts no job. Who starts a job becomes its user.
    :param is_followed: whether the outcome is still to come when GitLab has answered, so that `wait` has a meaning.
    :param accepts_any_end: whether any end of the followed job is what was asked for.
    :param is_lost_by_archiving: whether GitLab does not do it to archived jobs, which are for reading only.
    :param role: the lowest role that may do it to every job.
    :param needs_approval: whether GitLab does it only when the deployment of the job, if it has one, was approved.
    :param trigger_job: why a given trigger job is refused, empty when it is not; None where GitLab has no such request.
    :param trigger_jobs_since: the first GitLab version that does it to trigger jobs; older servers do not find them.
    :param options: the options of the task that are for this action.
    :param arguments: what is sent besides project and id.
    :param gate: how a gate of a release uses it: at once, or only when its jobs have ended badly; empty for not at all.
    """

    name: str
    endpoint: str
    participle: str
    cells: Cells
    effect: effects.Effect
    advice: tuple[Advice, ...]
    subject: str = "{job}"
    verb: str = ""
    answer: t.Literal["effect", "old job", "proof"] = "effect"
    no_effect: effects.NoEffect = effects.not_done
    refused_as_done: tuple[str, str] | None = None
    status_after: str = ""
    renews: tuple[Phase, ...] = ()
    is_followed: bool = False
    accepts_any_end: bool = False
    is_lost_by_archiving: bool = False
    role: str = "Developer"
    needs_approval: bool = False
    trigger_job: t.Callable[[Record, ActionRequest], str] | None = None
    trigger_jobs_since: str = ""
    options: tuple[str, ...] = ()
    arguments: Arguments = lambda request, status: {}
    gate: t.Literal["", "at once", "after a bad end"] = ""

    @property
    def takes(self) -> tuple[str, ...]:
        """Return the options of the task that are for this action, and not for all."""
        return (*self.options, *(("log_follow",) if self.is_followed else ()))

    def cannot(self, job: str) -> str:
        """Return the beginning of a sentence that says why it is not done."""
        return f"{self.subject.format(job=job)} cannot be {self.participle}"

    def would(self, jobs: str) -> str:
        """Return what check mode says of jobs that would be acted on."""
        return f"would {self.verb or self.name} {self.subject.format(job=jobs)}"

    def advise(self, exc: StatusError) -> None:
        """Say in an error what to do about it, unless it says so already."""
        text = exc.server_text.lower()
        fitting = (
            row.text
            for row in self.advice
            if row.status == exc.status and row.words in text and (row.words or not exc.has_reason)
        )
        exc.advice = exc.advice or next(fitting, "")
