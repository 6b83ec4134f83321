# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Artifacts and logs as values: what is right comes out, and what is malformed is told with file and line."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._parsing import log_text, parse_artifact

GOOD = [
    ("text", b"one\ntwo\n", "one\ntwo\n"),
    ("json", b'{"a": [1, null]}', {"a": [1, None]}),
    ("json", b"\xef\xbb\xbf[]", []),
    ("yaml", b"a: {b: [1, yes]}\n", {"a": {"b": [1, True]}}),
    ("yaml", b"", None),
    (
        "dotenv",
        b"VERSION=1.2.0\nEMPTY=\nURL=https://x.example/?a=b\n",
        {"VERSION": "1.2.0", "EMPTY": "", "URL": "https://x.example/?a=b"},
    ),
    ("dotenv", b"# note\n\nexport A='b c'\r\nB=\"d\"\nC='\n", {"A": "b c", "B": "d", "C": "'"}),
]


@pytest.mark.parametrize(("parse", "content", "value"), GOOD)
def test_what_is_right(parse, content, value):
    assert parse_artifact(content, parse, "out/file") == value


BAD = [
    ("text", b"one\n\xff", "no UTF-8 text (line 2)"),
    ("json", b'{"a":\n1,}', "no JSON: "),
    ("json", b'{"a":\n1,}', "in line 2"),
    ("json", b"[" * 100_000, "JSON"),
    ("yaml", b"a: [1\nb: 2\n", "no YAML: "),
    ("yaml", b"a: b\n c: d\n", "in line 2"),
    ("yaml", b"!!python/object/apply:os.system [id]", "no YAML"),
    ("dotenv", b"A=1\nnot a line\n", "line 2 is not of the form NAME=value"),
    ("dotenv", b"1A=2\n", "line 1"),
]


@pytest.mark.parametrize(("parse", "content", "words"), BAD)
def test_what_is_malformed(parse, content, words):
    with pytest.raises(UsageError) as caught:
        parse_artifact(content, parse, "out/file")
    assert "'out/file'" in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_log_has_no_control_codes():
    assert log_text(b"\x1b[32;1m$ make\x1b[0;m\nok \xe2\x9c\nend\x07") == "$ make\nok \ufffd\nend"
