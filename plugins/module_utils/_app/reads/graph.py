# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The tree of pipelines as a picture that Mermaid draws."""

from __future__ import annotations

import typing as t

from ..fields import id_of, status_of
from ..jobs.bridges import PipelineNode


def mermaid(root: PipelineNode, clean: t.Callable[[str], str]) -> str:
    """Return a flowchart: a box for each pipeline with its status, an arrow for each trigger job with its own.

    :param clean: returns a text as one line that may be shown, before Mermaid's own encoding changes it.
    """
    lines = ["flowchart LR", f"    {_box(root, clean)}"]
    for node in root.walk():
        for bridge in node.bridges:
            label = _quoted(clean(f"{bridge.record.get('name')} ({status_of(bridge.record)})"))
            if bridge.downstream:
                lines.append(f"    p{node.pipeline_id} -->|{label}| {_box(bridge.downstream, clean)}")
            else:
                lines.append(f"    p{node.pipeline_id} -.->|{label}| none{id_of(bridge.record)}([no pipeline])")
    return "\n".join(lines) + "\n"


def _box(node: PipelineNode, clean: t.Callable[[str], str]) -> str:
    words = [f"pipeline {node.pipeline_id}", str(node.record.get("ref") or ""), status_of(node.record)]
    if not node.is_accessible:
        words.append("not accessible")
    return f"p{node.pipeline_id}[{_quoted(clean(' · '.join(word for word in words if word)))}]"


def _quoted(text: str) -> str:
    """Return a quoted label; quotes and what Mermaid reads as markup are written as entities."""
    for character, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        text = text.replace(character, entity)
    return f'"{text}"'
