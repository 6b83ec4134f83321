# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`parallel`: the jobs it creates, with GitLab's names.

Source: https://docs.gitlab.com/ci/jobs/job_control/#parallelize-large-jobs
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import typing as t

from .values import Block, CiError, as_list, text

_MOST: t.Final = 200
_EXPRESSION: t.Final = re.compile(r"\$\[\[\s*matrix\.(\w+)\s*\]\]")


@dataclasses.dataclass(frozen=True)
class Instance:
    """One of the jobs.

    :ivar variables: of the matrix.
    :ivar place: which of how many it is, in predefined variables.
    """

    name: str
    variables: dict[str, str]
    place: dict[str, str]


def instances(name: str, given: t.Any) -> list[Instance]:
    """Return the jobs of a name: itself, `name 1/3`, or `name: [a, b]`.

    :raises CiError: if `parallel` is neither a number nor a matrix, or creates too many jobs.
    """
    if given is None:
        return [Instance(name, {}, {})]
    if isinstance(given, int) and not isinstance(given, bool):
        if not 1 <= given <= _MOST:
            raise CiError(f"jobs:{name}:parallel config must be a number from 1 to {_MOST}")
        return _numbered((f"{name} {n}/{given}", {}) for n in range(1, given + 1))
    if not isinstance(given, Block) or "matrix" not in given:
        raise CiError(f"jobs:{name}:parallel should be an integer or a hash")
    rows = combinations(given["matrix"], place=f"jobs:{name}:parallel:matrix")
    if len(rows) > _MOST:
        raise CiError(f"jobs:{name}:parallel:matrix config generates too many jobs (maximum is {_MOST})")
    return _numbered((matrix_name(name, row), row) for row in rows)


def _numbered(jobs: t.Iterable[tuple[str, dict[str, str]]]) -> list[Instance]:
    jobs = list(jobs)
    return [
        Instance(name, row, {"CI_NODE_INDEX": str(n), "CI_NODE_TOTAL": str(len(jobs))})
        for n, (name, row) in enumerate(jobs, 1)
    ]


def bases(jobs: t.Mapping[str, Block]) -> dict[str, str]:
    """Return the name in the file of each job that there can be; `needs` may use both names."""
    return {one.name: name for name, job in jobs.items() for one in instances(name, job.get("parallel"))}


def with_values(name: str, row: t.Mapping[str, str]) -> str:
    """Return the name of a needed job with values in place of `$[[ matrix.NAME ]]`."""
    return _EXPRESSION.sub(lambda match: row.get(match[1], match[0]), name)


def matrix_name(name: str, row: t.Mapping[str, str]) -> str:
    return f"{name}: [{', '.join(row.values())}]"


def combinations(matrix: t.Any, *, place: str) -> list[dict[str, str]]:
    """Return the rows of a matrix: all combinations of each mapping; the last variable changes fastest."""
    if not isinstance(matrix, list) or not all(isinstance(block, Block) and block for block in matrix):
        raise CiError(f"{place} config should be an array of hashes")
    found: list[dict[str, str]] = []
    for block in matrix:
        given = [as_list(each) for each in block.values()]
        if not all(given) or any(isinstance(value, Block) for each in given for value in each):
            raise CiError(f"{place} config should be an array of hashes, each key with values")
        values = [[text(value) for value in each] for each in given]
        sizes = [len(each) for each in values]
        product = 1
        for size in sizes:
            product *= size
        if product > _MOST:
            raise CiError(f"{place} config generates too many jobs (maximum is {_MOST})")
        found += [dict(zip(block, row, strict=True)) for row in itertools.product(*values)]
    return found
