# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Decisions about writes, and their results."""

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
# Later: it was not done and still has to be, because it was not possible yet or the task timed out.
ActionOutcome = t.Literal["applied", "unchanged", "refused", "failed", "later"]

_S = t.TypeVar("_S")


@dataclasses.dataclass(frozen=True)
class Decision:
    """What to do, and why, as a text for the user."""

    verdict: Verdict
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Result(t.Generic[_S]):
    """The result of a write.

    :param after: the last known state of its target.
    :param reason: why nothing was done, or why it failed; possibly a note about a success.
    :param has_changed: whether the server has changed, or in check mode would change.
    """

    outcome: ActionOutcome
    after: _S
    reason: str = ""
    has_changed: bool = False

    @property
    def problem(self) -> str:
        """Return why the task fails, empty if it does not."""
        return self.reason if self.outcome in ("refused", "failed") else ""


# ----- what errors show about a write -----


def may_be_done(exc: RequestError) -> bool:
    """Return whether the request may have been executed despite the error."""
    return isinstance(exc, (LostAnswerError, BadAnswerError, ServerError)) and not was_unsent(exc)


def was_refused(exc: RequestError) -> bool:
    """Return whether GitLab has refused the request."""
    return isinstance(exc, StatusError) and not isinstance(exc, (ServerError, ThrottledError))


def was_unsent(exc: RequestError) -> bool:
    """Return whether the server was unreachable, too busy, or in maintenance, so that nothing was done."""
    if isinstance(exc, ServerError):
        return not exc.is_foreign and "in maintenance mode" in exc.server_text.lower()
    return isinstance(exc, (ConnectError, ThrottledError)) and not isinstance(exc, TrustError)


def is_lock(exc: RequestError) -> bool:
    """Return whether another request was still in progress."""
    return isinstance(exc, StatusError) and exc.status == 409
