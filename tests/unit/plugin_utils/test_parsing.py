# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Artifacts and logs as values: valid content is parsed, and errors in malformed content contain the file and line."""

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
def test_valid_content_is_parsed(parse, content, value):
    assert parse_artifact(content, parse, "out/file") == value


ODD = ["\u2028", "\u2029", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\r"]


@pytest.mark.parametrize("odd", ODD, ids=map(ascii, ODD))
def test_only_a_line_feed_ends_a_variable(odd):
    content = f"A=1{odd}B=2\nC=3{odd}\r\n".encode()
    after = odd if odd in "\u2028\u2029\x1c\x1d\x1e\x85" else ""
    assert parse_artifact(content, "dotenv", "x") == {"A": f"1{odd}B=2", "C": f"3{after}"}


def bomb(levels: int, merge: bool = False) -> bytes:
    """Return YAML with nested aliases, ten on each level."""
    lines = ["a0: &a0 {k: 1}" if merge else "a0: &a0 [1]"]
    for level in range(1, levels):
        aliases = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} " + (f"{{<<: [{aliases}], k{level}: 1}}" if merge else f"[{aliases}]"))
    return "\n".join(lines).encode()


UNBOUNDED = [
    ("yaml", bomb(8), "aliases expand to more than 1,000,000 values"),
    ("yaml", bomb(9, merge=True), "aliases expand to more than 1,000,000 values"),
    ("yaml", b"a: &a [1, *a]", "contains itself (alias *a)"),
    ("yaml", b"&a {b: {c: *a}}", "contains itself (alias *a)"),
    ("yaml", b"[" * 500 + b"]" * 500, "YAML with more than 100 levels"),
    ("yaml", b"[" * 200_000, "YAML with more than 100 levels"),
    ("yaml", b"".join(b"  " * n + b"a:\n" for n in range(500)), "YAML with more than 100 levels"),
    (
        "yaml",
        b"a0: &a0 [1]\n" + b"".join(b"a%d: &a%d [*a%d]\n" % (n, n, n - 1) for n in range(1, 150)),
        "YAML with more than 100 levels",
    ),
    ("yaml", b"a: " + b":".join([b"1"] * 200_000), "a number of more than 4,300 digits"),
    ("yaml", b"a: 0x" + b"f" * 5000, "a number of more than 4,300 digits"),
    ("json", b"[" * 500 + b"]" * 500, "JSON with more than 100 levels"),
    ("json", b'{"a":' * 500 + b"1" + b"}" * 500, "JSON with more than 100 levels"),
    ("json", b"[" * 100_000 + b"]" * 100_000, "JSON with more than 100 levels"),
    ("json", b"1" * 5000, "JSON that cannot be read"),
]


@pytest.mark.parametrize(("parse", "content", "words"), UNBOUNDED)
def test_unbounded_content_is_refused(parse, content, words):
    with pytest.raises(UsageError) as caught:
        parse_artifact(content, parse, "out/file")
    assert "'out/file'" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "is_dotenv"), [(b"VERSION=1.2.0\n# note\nA=b\n", True), (b"VERSION\n", False), (b"\n", False)]
)
def test_dotenv_read_as_json_is_explained(content, is_dotenv):
    with pytest.raises(UsageError) as caught:
        parse_artifact(content, "json", "build.env", subject="job 'build' (id 5)")
    assert str(caught.value).startswith(
        "artifact 'build.env' of job 'build' (id 5) is not valid JSON: Expecting value in line "
    )
    assert ("; its lines have the form NAME=value, so use parse: dotenv" in str(caught.value)) is is_dotenv


def test_large_content_and_aliases_are_parsed():
    assert parse_artifact(b"a: &a [1, 2]\nb: *a\nc: {<<: {d: *a}}\n", "yaml", "x")["c"] == {"d": [1, 2]}
    assert parse_artifact(b"[" * 100 + b"]" * 100, "yaml", "x")
    assert parse_artifact(b"[" * 100 + b"]" * 100, "json", "x")
    assert len(parse_artifact(bomb(5), "yaml", "x")["a4"]) == 10


BAD = [
    ("yaml", b"a: *b", "not valid YAML: found undefined alias"),
    ("yaml", b"a: 1\n---\nb: 2", "not valid YAML: found another document in line 2"),
    ("yaml", b"a: 2001-99-99", "not valid YAML: "),
    ("yaml", b"a: \x00", "not valid YAML: "),
    ("yaml", b"? [1]\n: 2", "not valid YAML: "),
    ("text", b"one\n\xff", "not UTF-8 text (line 2)"),
    ("json", b'{"a":\n1,}', "not valid JSON: "),
    ("json", b'{"a":\n1,}', "in line 2"),
    ("json", b"[" * 100_000, "JSON"),
    ("yaml", b"a: [1\nb: 2\n", "not valid YAML: "),
    ("yaml", b"a: b\n c: d\n", "in line 2"),
    ("yaml", b"!!python/object/apply:os.system [id]", "not valid YAML"),
    ("dotenv", b"A=1\nnot a line\n", "line 2 does not have the form NAME=value"),
    ("dotenv", b"1A=2\n", "line 1"),
]


@pytest.mark.parametrize(("parse", "content", "words"), BAD)
def test_malformed_content_is_explained(parse, content, words):
    with pytest.raises(UsageError) as caught:
        parse_artifact(content, parse, "out/file")
    assert "'out/file'" in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_log_has_no_control_codes():
    assert log_text(b"\x1b[32;1m$ make\x1b[0;m\nok \xe2\x9c\nend\x07") == "$ make\nok \ufffd\nend"
