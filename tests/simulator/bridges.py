# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bridges: how they create downstream pipelines and mirror their status (topic: predicates for bridges)."""

from __future__ import annotations

import typing as t

from . import creation
from .model import COMPLETE, Job, Pipeline

if t.TYPE_CHECKING:
    from .engine import Engine


def start(engine: Engine, bridge: Job) -> None:
    """Create the downstream pipeline; without a strategy, the bridge then succeeds."""
    if bridge.spec.trigger is None:
        return
    if bridge.spec.trigger["creation_fails"]:
        engine.move(bridge, "failed", reason=bridge.spec.trigger["creation_fails"])
        return
    create_downstream(engine, bridge)
    engine.move(bridge, "running")
    if bridge.spec.strategy == "none":
        engine.move(bridge, "success")


def create_downstream(engine: Engine, bridge: Job) -> None:
    """Create the bridge's downstream pipeline, in its own project (a child) or in another."""
    trigger = bridge.spec.trigger
    if trigger is None or trigger["creation_fails"]:
        return
    place = f"job {bridge.name!r}.trigger"
    project = engine.world.project(trigger["project"], place=place) if trigger["project"] else bridge.project
    row = dict(trigger["pipeline"])
    if project is bridge.project:
        # A child pipeline runs on the ref and commit of its parent.
        above = bridge.pipeline
        row.update(ref=above.short_ref, tag=above.tag, sha=above.sha, merge_request=above.merge_request)
    bridge.downstream = creation.create_pipeline(engine, row, project, place=place, bridge=bridge)


def update_bridge(engine: Engine, pipeline: Pipeline) -> None:
    """Pass the status of a downstream pipeline on to a bridge with a strategy."""
    bridge = pipeline.source_bridge
    if bridge is None or bridge.downstream is not pipeline or bridge.spec.strategy == "none":
        return
    status = engine.status(pipeline)
    is_mirrored = bridge.spec.strategy == "mirror" and status in ("manual", "skipped")
    if not is_mirrored and status == "skipped":
        status = "failed"
    if bridge.status in COMPLETE or bridge.status == status:
        return
    if status in COMPLETE or is_mirrored:
        engine.move(bridge, status, reason="unknown_failure")
    elif bridge.status == "manual":
        engine.move(bridge, "running")
