# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What to do with something in GitLab, and what became of that."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.errors import (
    BadAnswerError,
    ConnectError,
    LostAnswerError,
    RequestError,
    ServerError,
    StatusError,
    ThrottledError,
    TrustError,
)

Verdict = t.Literal["act", "same", "refuse", "later"]
# Later: it was not done, and still has to be, since its turn has not come, or the time was up.
ActionOutcome = t.Literal["applied", "unchanged", "refused", "failed", "later"]

_S = t.TypeVar("_S")


@dataclasses.dataclass(frozen=True)
class Decision:
    """What to do, and why, in words for the user."""

    verdict: Verdict
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Result(t.Generic[_S]):
    """What became of a write.

    :param after: what it acts on, as it is known to be now.
    :param reason: why nothing was done, or why it failed; what there is to say about a success.
    :param has_changed: whether the server has changed, or in check mode would.
    """

    outcome: ActionOutcome
    after: _S
    reason: str = ""
    has_changed: bool = False

    @property
    def problem(self) -> str:
        """Return why the task fails, empty when it does not."""
        return self.reason if self.outcome in ("refused", "failed") else ""


# ----- as far as errors tell -----


def may_be_done(exc: RequestError) -> bool:
    """Return whether the request may have been executed, as far as the error tells."""
    return isinstance(exc, (LostAnswerError, BadAnswerError, ServerError)) and not was_unsent(exc)


def was_refused(exc: RequestError) -> bool:
    """Return whether GitLab has answered that it does not do it."""
    return isinstance(exc, StatusError) and not isinstance(exc, (ServerError, ThrottledError))


def was_unsent(exc: RequestError) -> bool:
    """Return whether the server was away, too busy, or in maintenance: it was not done, and may be done later."""
    if isinstance(exc, ServerError):
        return not exc.is_foreign and "in maintenance mode" in exc.server_text.lower()
    return isinstance(exc, (ConnectError, ThrottledError)) and not isinstance(exc, TrustError)


def is_lock(exc: RequestError) -> bool:
    """Return whether the request met another one that was still at work."""
    return isinstance(exc, StatusError) and exc.status == 409
