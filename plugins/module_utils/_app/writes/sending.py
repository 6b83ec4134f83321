# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Sending writes. In doubt, the target is read again to find out whether the request was executed.

GitLab's writes are not idempotent, so after a lost answer a request is never sent again without this read. Several
writes share one read.
"""

from __future__ import annotations

import abc
import functools
import typing as t

from ..._api.errors import GitLabError, RedirectError, RequestError, StatusError
from ..._api.pace.polls import polling
from ..session import Session
from .decision import Decision, Result, is_lock, may_be_done, was_refused, was_unsent

# The pauses between reads of a target that does not show the effect of an accepted request yet.
EFFECT_PAUSES_SECONDS = (1.0, 3.0)
# At most this many writes are sent before one read of all their targets. With more, the read could be outdated before
# it is used, and all requests would be sent to a server that is unreachable.
MAX_PER_READ = 100
# Targets in doubt are read after at most this time, even if other writes have not been sent yet. An older read must not
# decide whether to send a request again, because the first one may have arrived in the meantime. And there must be time
# for a read before the timeout.
LONGEST_ROUND_SECONDS = 10.0

_S = t.TypeVar("_S")
_R = t.TypeVar("_R")
# A write in progress: it yields if it needs a read, receives the state that was read, and returns the result.
Reads = t.Generator[None, _S, _R]


class Write(abc.ABC, t.Generic[_S]):
    """One write, from its request to a known result; `_S` is the state of its target.

    :param before: the state of the target before the request was last sent.
    :param noun: the kind of target: "job".
    :param place: the targets of writes with the same place are read together.
    """

    noun: str
    place: t.Hashable = None

    def __init__(self, session: Session, before: _S) -> None:
        self._session = session
        self._before = before
        # whether a request may have been executed although there was no confirmation
        self._is_in_doubt = False
        self._steps = self._sent()
        self._has_started = False
        # the result of the last read, or its error
        self._seen: _S | GitLabError | None = None
        # the last known state
        self._latest = before
        # None as long as it needs a read
        self._result: Result[_S] | None = None

    def run(self) -> Result[_S]:
        """Decide, send if necessary, and return the result; in check mode return the predicted one.

        :raises RequestError: as for `send_all`.
        """
        decision = self._decide(self._before)
        if decision.verdict == "same":
            return Result("unchanged", self._before, decision.reason)
        if decision.verdict != "act":
            return Result("refused", self._before, decision.reason)
        return self._predicted() if self._session.check_mode else self.send_all(self._session, [self])[0]

    @staticmethod
    def send_all(session: Session, writes: t.Sequence[Write[_S]]) -> list[Result[_S]]:
        """Send writes and return their results; send one again only if its target shows that it was not executed.

        :raises RequestError: if a task that waits could not send one before the timeout.
        """
        # the effect must be known first, and from fresh answers
        with polling(None):
            for first in range(0, len(writes), MAX_PER_READ):
                Write._send_some(session, writes[first : first + MAX_PER_READ])
        return [write._result for write in writes if write._result is not None]

    @staticmethod
    def _send_some(session: Session, writes: t.Sequence[Write[_S]]) -> None:
        """Send all, read their targets once, send again where necessary, and so on."""
        while writes:
            Write._advance_all(session, writes)
            writes = [write for write in writes if write._result is None]
            groups: dict[t.Hashable, list[Write[_S]]] = {}
            for write in filter(lambda write: write._has_started, writes):
                groups.setdefault((write.place, write._is_in_doubt), []).append(write)
            session.run_all(Write._read_together, list(groups.values()))
            several = [write for group in groups.values() if len(group) > 1 for write in group]
            session.run_all(Write._read_together, [[write] for write in several if write._may_succeed_alone])

    @staticmethod
    def _advance_all(session: Session, writes: t.Sequence[Write[_S]]) -> None:
        """Advance each write to its next read, until those in doubt have waited long enough for theirs."""
        started_at = session.clock.monotonic()

        def advance(write: Write[_S]) -> None:
            is_late = session.clock.monotonic() - started_at > LONGEST_ROUND_SECONDS
            if not (is_late and any(other._is_in_doubt and other._result is None for other in writes)):
                write._advance()

        session.run_all(advance, writes)

    @staticmethod
    def _read_together(group: t.Sequence[Write[_S]]) -> None:
        """Read the targets of several writes with the same place."""
        seen: t.Sequence[_S | GitLabError]
        try:
            seen = group[0]._read_again([write._before for write in group])
        except GitLabError as exc:
            seen = [exc] * len(group)
        for write, state in zip(group, seen):
            write._seen = state
            if not isinstance(state, GitLabError):
                write._latest = state

    @property
    def _may_succeed_alone(self) -> bool:
        """Return whether a read of this target alone may succeed where the shared read failed due to another one."""
        seen = self._seen
        return isinstance(seen, RequestError) and not (was_unsent(seen) or seen.is_out_of_time)

    def _advance(self) -> None:
        """Continue to the next read, or to the result."""
        self._has_started = True
        try:
            if self._seen is None:
                next(self._steps)
            elif isinstance(self._seen, GitLabError):
                self._steps.throw(self._seen)
            else:
                self._steps.send(self._seen)
        except StopIteration as end:
            self._result = end.value
        except GitLabError as exc:
            self._result = self._ended_by_error(exc)

    def _sent(self) -> Reads[_S, Result[_S]]:
        client = self._session.client
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._request()
            except RequestError as exc:
                # a wait continues while the server is unreachable or busy, and others may act in the meantime
                is_unreachable = was_unsent(exc) and client.retrier.is_persistent
                needs_read = _needs_read(exc)
                if not (is_unreachable or needs_read or self._is_in_doubt):
                    return self._not_executed(exc)
                self._is_in_doubt = self._is_in_doubt or may_be_done(exc)
                # a redirect leads to the same place each time
                may_pass = needs_read and not isinstance(exc, RedirectError)
                may_repeat = is_unreachable or (may_pass and attempt <= client.settings.retries)
                # The pause comes before the read, so that a request still in progress on the server can finish, and so
                # that the read is as close as possible to the next request.
                if may_repeat and (not was_refused(exc) or is_lock(exc)):
                    may_repeat = client.retrier.pause(attempt, exc)
                elif not was_refused(exc):
                    client.retrier.pause(1)
                result = yield from self._read_after_error(exc)
                if result is not None:
                    return result
                if not may_repeat:
                    if attempt > 1:
                        exc.further = f"It was sent {attempt} times, and the {self.noun} shows no effect"
                    return self._not_executed(exc)
            else:
                result = yield from self._accepted(answer)
                if result is not None:
                    return result

    def _read_after_error(self, exc: RequestError) -> Reads[_S, Result[_S] | None]:
        """Return the result of a request in doubt after a read, None if it was certainly not executed."""
        try:
            latest = yield
            return self._resolved(exc, latest)
        except RequestError as second:
            if not self._is_in_doubt:
                return self._not_executed(second if was_unsent(exc) else exc)
            exc.further = f"The outcome is unknown because reading the {self.noun} failed as well: {second}"
            return self._failed(str(exc))

    def _resolved(self, exc: RequestError, latest: _S) -> Result[_S] | None:
        """Return the result of a request in doubt by the state after it, None if it was certainly not executed.

        :raises RequestError: if the state does not show the result, and further reads have failed.
        """
        result = self._result_by_effect(exc, latest)
        if result:
            return result
        decision = self._decide(latest)
        if decision.verdict == "same":
            return Result("unchanged", latest, decision.reason)
        if decision.verdict == "later":
            # the decision has taken time, and the request in doubt may have been executed since the read
            (latest,) = self._read_again([self._before])
            return self._result_by_effect(exc, latest) or Result("later", latest, decision.reason)
        if was_refused(exc) and not is_lock(exc) and not self._has_moved(latest):
            return Result("refused", latest, self._explained(exc))
        if decision.verdict == "refuse":
            note = "; an answer was lost, so it may have been done before" if self._is_in_doubt else ""
            return Result("refused", latest, decision.reason + note)
        self._before = latest
        return None

    def _not_executed(self, exc: RequestError) -> Result[_S]:
        """Return the result of a request that was certainly not executed and is not sent again."""
        if exc.is_out_of_time and self._session.client.retrier.is_persistent:
            raise exc
        return self._failed(self._explained(exc))

    def _read_again(self, targets: t.Sequence[_S]) -> t.Sequence[_S]:
        """Return the present states; while in doubt, repeat failed reads."""
        read = functools.partial(self._read, targets)
        return self._session.client.retrier.read_persistently(read) if self._is_in_doubt else read()

    def _read_until(self, shows: t.Callable[[_S], bool]) -> Reads[_S, _S]:
        """Return the first state that shows the effect of an accepted request, else the last one read."""
        self._is_in_doubt = True
        state = yield
        for seconds in EFFECT_PAUSES_SECONDS:
            if shows(state):
                break
            self._session.clock.sleep(min(seconds, self._session.deadline.remaining()))
            state = yield
        return state

    def _user_id(self) -> int | None:
        """Return the id of the user of the token, None if it cannot be read: then only the state counts."""
        read = self._session.user_id
        try:
            return self._session.client.retrier.read_persistently(read) if self._is_in_doubt else read()
        except RequestError:
            return None

    def _is_ours(self, actors: t.Collection[int]) -> bool | None:
        """Return whether the user of the token is among these users, None if that is unknown."""
        ours = self._user_id() if actors else None
        return None if ours is None else ours in actors

    @abc.abstractmethod
    def _request(self) -> t.Any:
        """Send the request; return the answer."""

    @abc.abstractmethod
    def _read(self, targets: t.Sequence[_S]) -> t.Sequence[_S]:
        """Return the states of targets with the same place."""

    @abc.abstractmethod
    def _accepted(self, answer: t.Any) -> Reads[_S, Result[_S] | None]:
        """Return the result of a request that GitLab has accepted, None if another request must be sent."""

    @abc.abstractmethod
    def _decide(self, latest: _S) -> Decision:
        """Return what to do with the target."""

    @abc.abstractmethod
    def _result_by_effect(self, exc: RequestError, latest: _S) -> Result[_S] | None:
        """Return the result of a request in doubt by the effect that the state shows, None if it shows none.

        :raises RequestError: if the reads that show whose effect it is have failed.
        """

    def _has_moved(self, latest: _S) -> bool:
        """Return whether the target has changed since, which may be why the request was refused."""
        return False

    def _predicted(self) -> Result[_S]:
        """Return the result that check mode predicts."""
        return Result("applied", self._before, has_changed=True)

    @abc.abstractmethod
    def _explained(self, exc: RequestError) -> str:
        """Return the text of a final error, with what to do about it."""

    def _failed(self, reason: str) -> Result[_S]:
        return Result("failed", self._latest, reason)

    def _ended_by_error(self, exc: GitLabError) -> Result[_S]:
        """Return the result for a write that an error has ended.

        :raises GitLabError: the error, if there is no such result.
        """
        raise exc


def _needs_read(exc: RequestError) -> bool:
    """Return whether only a read can show what happened, or why the request was refused."""
    return may_be_done(exc) or (isinstance(exc, StatusError) and exc.status in (400, 403, 404, 409))
