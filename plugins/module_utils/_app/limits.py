# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What each kind of token may do."""

from __future__ import annotations

import dataclasses
import typing as t

from .._api.connection import TokenKind


@dataclasses.dataclass(frozen=True)
class TokenLimits:
    """What a kind of token may do; GitLab decides about the rest.

    :param acts: whether it may play, retry, cancel or erase jobs.
    :param reads_single_jobs: whether it may read a job by its id; one that may not can still list jobs.
    :param reads_logs: whether it may read logs.
    :param reads_pipelines: whether it certainly may read the record of a pipeline.
    :param may_read: whether it may read anything beyond the downloads of artifacts.
    """

    acts: bool = True
    reads_single_jobs: bool = True
    reads_logs: bool = True
    reads_pipelines: bool = True
    may_read: bool = True


# Source: https://docs.gitlab.com/ci/jobs/ci_job_token/#job-token-access
LIMITS: t.Mapping[TokenKind, TokenLimits] = {
    "api_token": TokenLimits(),
    "api_oauth_token": TokenLimits(),
    "api_job_token": TokenLimits(
        acts=False, reads_single_jobs=False, reads_logs=False, reads_pipelines=False, may_read=False
    ),
    "extension": TokenLimits(),
    # anonymous
    "": TokenLimits(may_read=False),
}
