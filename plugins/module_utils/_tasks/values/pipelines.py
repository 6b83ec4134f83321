# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The options and results that the tasks on whole pipelines share."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import with_sentence
from ..._app.jobs.statuses import count_statuses
from ..._app.pipelines.query import PipelineQuery, with_pipeline
from ..._app.reads.pipelines import held_up_by
from ..._app.session import Session
from ..._app.waiting.log_tails import telling_line
from ..._app.waiting.loop import Wait
from ..._app.waiting.options import WaitOptions
from ..._app.waiting.pipeline_end import PIPELINE_TARGETS, PipelineState
from .arguments import Options
from .waiting import WAITING, wait_options

PIPELINE_WAITING = WAITING.merged(
    arguments={
        "wait_for": {"type": "list", "elements": "str", "choices": list(PIPELINE_TARGETS)},
        "pending_timeout": {"type": "float"},
        "log_lines": {"type": "int", "default": 20},
    },
)
# What a failed job is known by, besides the tail of its log.
_FAILED_FIELDS = ("id", "stage", "status", "failure_reason", "allow_failure", "web_url")


def pipeline_waiting(options: Options, targets: t.Sequence[str] = ("success",)) -> WaitOptions:
    """Return how to wait for a pipeline.

    :param targets: what to wait for when the options do not say.
    :raises UsageError: for values that cannot be used.
    """
    waiting = wait_options(options)
    return waiting if options.get("wait_for") else dataclasses.replace(waiting, targets=tuple(targets[:1]))


def state_values(session: Session, state: PipelineState, wait: Wait) -> Record:
    """Return what all tasks on a pipeline return of its state."""
    return {
        "pipeline": session.annotated("pipeline", state.pipeline),
        "failed_jobs": [
            {"name": job.path, **{name: job.record.get(name) for name in _FAILED_FIELDS}, "log_tail": tail}
            for job, tail in state.failed
        ],
        "summary": count_statuses(job.record for job in state.jobs),
        "timed_out": state.has_timed_out,
        "timeline": wait.timeline.entries,
    }


def why_failed(problem: str, query: PipelineQuery, state: PipelineState) -> str | None:
    """Return why a task fails, with what else was read about its pipeline; None when it does not.

    :param problem: what is known of it by the pipeline and its jobs.
    """
    if not problem:
        return None
    text = problem + (held_up_by(state) if state.has_timed_out else "")
    job, tail = state.failed[0] if state.failed else (None, None)
    if job and tail:
        text = with_sentence(text, f"The log of {job.called} ends with: {telling_line(tail)}")
    return with_pipeline(text, query, state.pipeline)
