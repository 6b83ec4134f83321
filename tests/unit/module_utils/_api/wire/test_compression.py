# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compressed bodies, in pieces."""

from __future__ import annotations

import gzip
import zlib

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import LostAnswerError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.wire.requests_transport import BodyDecoder

CONTENT = b'{"id": 42, "name": "deploy:prod"}' * 100


ENCODED = {
    "gzip": ("gzip", gzip.compress(CONTENT)),
    "gzip in two members": ("x-gzip", gzip.compress(CONTENT[:50]) + gzip.compress(CONTENT[50:])),
    "deflate": ("deflate", zlib.compress(CONTENT)),
    "deflate without a wrapper": ("deflate", zlib.compress(CONTENT)[2:-4]),
}


def decoded(encoding, body, size, max_size=7):
    """Return the decoded body; it arrives in pieces of `size` bytes and is read in pieces of at most `max_size`."""
    sent = (body[start : start + size] for start in range(0, len(body), size))
    decoder = BodyDecoder(encoding, lambda _size: next(sent, b""))
    content = b""
    while piece := decoder.read(max_size):
        assert len(piece) <= max_size
        content += piece
    return content


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("max_size", [1, 100, 100_000])
@pytest.mark.parametrize(("encoding", "body"), ENCODED.values(), ids=ENCODED)
def test_compressed_body_is_decoded_in_pieces(encoding, body, size, max_size):
    assert decoded(encoding, body, size, max_size) == CONTENT


@pytest.mark.parametrize(("encoding", "body"), ENCODED.values(), ids=ENCODED)
def test_truncated_body_is_a_lost_answer(encoding, body):
    for cut in (1, len(body) // 2, len(body) - 1):
        with pytest.raises(LostAnswerError, match="cut|damaged"):
            decoded(encoding, body[:cut], 10_000)


def test_damaged_body_is_a_lost_answer():
    body = bytearray(gzip.compress(CONTENT))
    body[-6] ^= 0xFF
    with pytest.raises(LostAnswerError, match="damaged"):
        decoded("gzip", bytes(body), 10_000)


def test_empty_body_decodes_to_nothing():
    assert decoded("gzip", b"", 10) == b""
