# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Says how far work is that takes long: a download, a list of many pages."""

from __future__ import annotations

import typing as t

from .._api.clock import Clock
from .outcome import Progress

# What is done sooner needs no line, and a log of CI should not be full of them.
PAUSE_SECONDS = 10.0


class SlowWork:
    """Tells at most one line in ten seconds, and none in the first ten."""

    def __init__(self, progress: Progress, clock: Clock) -> None:
        self._progress = progress
        self._clock = clock
        self._begun = self._told = clock.monotonic()

    def restart(self) -> None:
        """Take note that the work begins again."""
        self._begun = self._clock.monotonic()

    def tell(self, text: t.Callable[[float], str]) -> None:
        """Say how far it is, if it is time to.

        :param text: returns the line, given the seconds that the work has taken.
        """
        now = self._clock.monotonic()
        if self._progress.is_shown and now - self._told >= PAUSE_SECONDS:
            self._told = now
            self._progress.still_waiting(text=text(now - self._begun))


class PageProgress:
    """Says how far the reading of a list is."""

    def __init__(self, progress: Progress, clock: Clock) -> None:
        self._work = SlowWork(progress, clock)

    def __call__(self, name: str, page: int, last: int | None) -> None:
        """Take note of a page.

        :param name: of the endpoint, such as `list_pipeline_jobs`.
        :param page: its number, from 1.
        :param last: how many there are, None where the server does not tell.
        """
        what = name.replace("list_", "", 1).replace("_", " ")
        self._work.tell(lambda _seconds: f"reading {what}: page {page:,}{f' of {last:,}' if last else ''}")
