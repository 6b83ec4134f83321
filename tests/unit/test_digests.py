# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The digest of a stream is that of the whole, whatever the pieces, and no thread is left behind."""

from __future__ import annotations

import hashlib
import threading
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.digests import StreamDigest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.sinks import Measure

KIB = 1024


def fill(sink: t.Any, content: bytes, piece: int) -> None:
    """Put content into a sink as a stream does, at most so many bytes at a time."""
    while content:
        buffer = sink.buffer()
        count = min(piece, len(buffer), len(content))
        buffer[:count] = content[:count]
        sink.filled(count)
        content = content[count:]


@pytest.mark.parametrize("size", [0, 1, 64 * KIB, 1024 * KIB, 1024 * KIB + 1, 9 * 1024 * KIB + 7])
@pytest.mark.parametrize("piece", [1000, 64 * KIB, 3 * 1024 * KIB])
def test_the_digest_is_that_of_the_whole(size: int, piece: int) -> None:
    content = bytes(number % 251 for number in range(1024)) * (size // 1024 + 1)
    content = content[:size]
    digest = StreamDigest()
    fill(digest, content, piece)
    expected = hashlib.sha256(content).hexdigest()
    assert digest.hexdigest() == expected
    assert digest.hexdigest() == expected


def test_a_new_beginning_forgets_and_leaves_no_thread() -> None:
    before = threading.active_count()
    measure = Measure()
    fill(measure, b"x" * 5 * 1024 * KIB, 64 * KIB)
    measure.restart()
    fill(measure, b"abc", 2)
    assert measure.content.size == 3
    assert measure.content.sha256 == hashlib.sha256(b"abc").hexdigest()
    assert threading.active_count() == before
