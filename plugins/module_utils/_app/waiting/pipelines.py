# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Waiting for a pipeline to exist."""

from __future__ import annotations

from ..._api.decoding import Record
from ..._api.errors import SelectionError
from ..pipelines.find import find_pipeline
from ..pipelines.query import PipelineQuery, missing_pipeline
from ..session import Session
from .loop import Wait
from .options import timed_out
from .schedule import Steps


def await_pipeline(
    session: Session, query: PipelineQuery, wait: Wait, *, warns: bool = True, may_wait: bool = False
) -> Steps[Record]:
    """Return the pipeline that a query names, with `wait` as soon as there is one.

    :param warns: see `find_pipeline`.
    :param may_wait: whether the task could wait for it, and does not.
    :raises SelectionError: when there is none, and none is waited for.
    :raises TimedOutError: when there was none before the time was up.
    :raises RequestError: when GitLab cannot be asked.
    """

    def read() -> Record | None:
        pipeline = find_pipeline(session, query, warns=warns)
        if pipeline is None:
            wait.awaits(f"the {query.describe()}")
        return pipeline

    waited = yield from wait.until(read, lambda pipeline: pipeline is not None)
    if waited.value is not None:
        return waited.value
    if waited.has_timed_out:
        raise timed_out(wait.options, f": {missing_pipeline(query)}")
    raise SelectionError(missing_pipeline(query, may_wait=may_wait))
