# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""A tree of pipelines as a Mermaid flowchart. Source: https://mermaid.js.org/syntax/flowchart.html."""

from __future__ import annotations

from .._api.masking import one_line
from .bridges import PipelineNode
from .statuses import id_of, status_of


def mermaid(root: PipelineNode) -> str:
    """Return a flowchart: a box for each pipeline with its status, an arrow for each trigger job with its own."""
    lines = ["flowchart LR", f"    {_box(root)}"]
    for node in root.walk():
        for bridge in node.bridges:
            label = _text(f"{bridge.record.get('name')} ({status_of(bridge.record)})")
            if bridge.downstream:
                lines.append(f"    p{node.pipeline_id} -->|{label}| {_box(bridge.downstream)}")
            else:
                lines.append(f"    p{node.pipeline_id} -.->|{label}| none{id_of(bridge.record)}([no pipeline])")
    return "\n".join(lines) + "\n"


def _box(node: PipelineNode) -> str:
    words = [f"pipeline {node.pipeline_id}", str(node.record.get("ref") or ""), status_of(node.record)]
    if not node.is_accessible:
        words.append("not accessible")
    return f"p{node.pipeline_id}[{_text(' · '.join(word for word in words if word))}]"


def _text(text: str) -> str:
    """Return a quoted label; quotes and what Mermaid reads as markup are written as entities."""
    text = one_line(text)
    for character, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        text = text.replace(character, entity)
    return f'"{text}"'
