# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the code blocks of the guides and the other documentation."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import textwrap
import typing as t

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDES = ROOT / "docs" / "docsite" / "rst"

_RST = re.compile(r"^( *)\.\. code-block:: (\w+)\n\n((?:\1   .*\n|\n)+)", re.MULTILINE)
_MARKDOWN = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of code and the file that contains it."""

    file: str
    language: str
    text: str

    @property
    def content(self) -> t.Any:
        """The parsed content of a YAML block."""
        return yaml.safe_load(self.text) if self.language == "yaml" else None

    @property
    def is_playbook(self) -> bool:
        return is_playbook(self.content)

    @property
    def is_scenario(self) -> bool:
        return isinstance(self.content, dict) and "pipelines" in self.content

    @property
    def title(self) -> str:
        """The name of the first play."""
        return str(self.content[0]["name"])


def is_playbook(content: t.Any) -> bool:
    return isinstance(content, list) and all(isinstance(play, dict) and "hosts" in play for play in content)


def blocks_of(path: pathlib.Path) -> list[Block]:
    """Return the code blocks of a guide (RST) or another document (Markdown), in order."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        found = [(match[1], match[2]) for match in _MARKDOWN.finditer(text)]
    else:
        found = [(match[2], textwrap.dedent(match[3]).strip("\n") + "\n") for match in _RST.finditer(text)]
    return [Block(str(path.relative_to(ROOT)), language, content) for language, content in found]


def guide_blocks(name: str) -> list[Block]:
    return blocks_of(GUIDES / f"{name}.rst")


def playbook(name: str, title: str) -> str:
    """Return the text of the playbook of a guide whose first play has this name."""
    found = [block.text for block in guide_blocks(name) if block.is_playbook and block.title == title]
    assert len(found) == 1, f"{name}.rst has {len(found)} playbooks that begin with the play {title!r}"
    return "---\n" + found[0]
