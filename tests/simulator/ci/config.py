# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole configuration, with resolved references, `extends` and defaults.

Source: https://docs.gitlab.com/ci/yaml/yaml_optimization/
"""

from __future__ import annotations

import dataclasses
import typing as t

from . import variables
from .keywords import DEFAULTS, OLD_DEFAULTS, ROOT_KEYWORDS
from .notes import Notes
from .values import Block, CiError, Items, Reference, as_list, block_in, deep_merge, flat

DOES_NOTHING: t.Final = "config should implement the script:, run:, or trigger: keyword"
_DEEPEST: t.Final = 10
_STAGES: t.Final = ("build", "test", "deploy")
# In these, the list of a reference is merged into the list that contains the reference.
_FLAT: t.Final = frozenset({"script", "before_script", "after_script", "rules"})


@dataclasses.dataclass(frozen=True)
class Config:
    """A configuration.

    :ivar stages: with .pre and .post.
    :ivar jobs: without hidden ones.
    :ivar is_whole: every file that belongs to it was read.
    """

    stages: list[str]
    variables: dict[str, str]
    workflow: Block
    jobs: dict[str, Block]
    is_whole: bool


def make_config(document: Block, notes: Notes, *, is_whole: bool) -> Config:
    """Return the configuration of a mapping that already contains all includes.

    :raises CiError: if a reference or a base does not exist or is circular.
    """
    resolved = _resolve_all(document, document, notes, is_whole=is_whole, above=())
    for key in ("default", "variables", "workflow"):
        if resolved.get(key) is not None and not isinstance(resolved[key], Block):
            raise CiError(f"{key} config should be a hash")
    unknown = [key for key in block_in(resolved, "default") if key not in DEFAULTS]
    if unknown:
        raise CiError(f"default config contains unknown keys: {', '.join(unknown)}")
    jobs: dict[str, Block] = {}
    for name, value in resolved.items():
        if name in ROOT_KEYWORDS or name.startswith("."):
            continue
        if not isinstance(value, Block):
            raise CiError(f"jobs {name} {DOES_NOTHING}")
        job = _extended(name, resolved, notes, is_whole=is_whole, above=())
        jobs[name] = _with_defaults(job, resolved)
    given = as_list(resolved.get("stages"))
    if isinstance(resolved.get("stages"), str) or not all(isinstance(stage, str) for stage in given):
        raise CiError("stages config should be an array of strings or a nested array of strings up to 10 levels deep")
    stages = [".pre", *(s for s in dict.fromkeys(given or _STAGES) if s not in (".pre", ".post")), ".post"]
    return Config(
        stages=stages,
        variables=variables.values(resolved.get("variables")),
        workflow=block_in(resolved, "workflow"),
        jobs=jobs,
        is_whole=is_whole,
    )


def _resolve_all(value: t.Any, whole: Block, notes: Notes, *, is_whole: bool, above: tuple[Reference, ...]) -> t.Any:
    """Return a value with all references resolved."""
    if isinstance(value, Reference):
        return _resolve(value, whole, notes, is_whole=is_whole, above=above)
    if isinstance(value, Items):
        items = Items(value.place)
        items.extend(_resolve_all(item, whole, notes, is_whole=is_whole, above=above) for item in value)
        return items
    if not isinstance(value, Block):
        return value
    block = Block(value.place)
    for key, inner in value.items():
        made = _resolve_all(inner, whole, notes, is_whole=is_whole, above=above)
        if key in _FLAT and isinstance(made, Items):
            flattened = Items(made.place)
            flattened.extend(flat(made))
            made = flattened
        block.put(key, made, value.where(key))
    return block


def _resolve(
    reference: Reference, whole: Block, notes: Notes, *, is_whole: bool, above: tuple[Reference, ...]
) -> t.Any:
    shown = str(list(reference.path)).replace("'", '"')
    if any(other.path == reference.path for other in above):
        raise CiError(f"!reference {shown} is part of a circular chain")
    if len(above) >= _DEEPEST:
        raise CiError(f"!reference {shown} is nested too deeply")
    found: t.Any = whole
    for key in reference.path:
        if not isinstance(found, Block) or key not in found:
            if is_whole:
                raise CiError(f"!reference {shown} could not be found")
            notes.add(f"!reference {shown}", "not in the files of the project, so it is empty", reference.place)
            return None
        found = found[key]
    return _resolve_all(found, whole, notes, is_whole=is_whole, above=(*above, reference))


def _extended(name: str, whole: Block, notes: Notes, *, is_whole: bool, above: tuple[str, ...]) -> Block:
    """Return a job merged with its bases: later bases override earlier ones, and the job overrides all."""
    if name in above:
        raise CiError(f"{above[0]}: circular dependency detected in `extends`")
    if len(above) > _DEEPEST:
        raise CiError(f"{above[0]}: nesting too deep in `extends`")
    job: Block = whole[name]
    bases = as_list(job.get("extends"))
    if not all(isinstance(base, str) for base in bases):
        raise CiError(f"jobs:{name} extends should be an array of strings or a string")
    unknown = [base for base in bases if not isinstance(whole.get(base), Block)]
    if unknown and is_whole:
        raise CiError(f"{name}: unknown keys in `extends` ({', '.join(map(str, unknown))})")
    merged = Block(job.place)
    for base in bases:
        if base in unknown:
            notes.add("extends", f"{base} is not in the files of the project", job.where("extends"))
        else:
            merged = deep_merge(merged, _extended(base, whole, notes, is_whole=is_whole, above=(*above, name)))
    return deep_merge(merged, job)


def _with_defaults(job: Block, whole: Block) -> Block:
    """Return a job with the defaults that it neither has itself nor refuses; they are not merged into its own."""
    defaults = block_in(whole, "default")
    wanted = block_in(job, "inherit").get("default", True)
    filled = job.copied()
    if job.get("trigger") is not None:
        # None of them is for trigger jobs.
        return filled
    for key in DEFAULTS:
        if key in job or not (key in wanted if isinstance(wanted, list) else wanted):
            continue
        if key in defaults:
            filled.put(key, defaults[key], defaults.where(key))
        elif key in OLD_DEFAULTS and key in whole:
            filled.put(key, whole[key], whole.where(key))
    return filled
