# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test inputs of a file with a header, of an include, of a child pipeline, and of a new pipeline.

A file with a header consists of two YAML documents. ansible-test rejects such .yml files, so these cases are not golden
files.
Source: https://docs.gitlab.com/ci/inputs/
"""

from __future__ import annotations

import pathlib

import pytest

from .test_ci_errors import make
from .test_ci_files import summary

MAIN = """\
spec:
  inputs:
    target: {default: production}
    sizes: {type: array, default: [small, large]}
---
include:
  - local: deploy.yml
    inputs:
      name: deploy
      environment: $[[ inputs.target ]]
  - local: deploy.yml
    inputs: {name: review, environment: review, count: 2, when: manual}
build:
  stage: build
  script: make $[[ inputs.target ]]
  parallel:
    matrix:
      - SIZE: $[[ inputs.sizes ]]
child:
  stage: test
  trigger:
    include:
      - local: deploy.yml
        inputs: {name: below, environment: "$[[ inputs.target | truncate(0,4) ]]"}
"""
DEPLOY = """\
spec:
  inputs:
    name:
      regex: ^[a-z]+$
    environment:
    count: {type: number, default: 1}
    when: {options: [manual, on_success], default: on_success}
---
"$[[ inputs.name ]] it":
  stage: deploy
  script: make deploy
  environment: $[[ inputs.environment ]]-$[[ inputs.count ]]
  parallel: $[[ inputs.count ]]
  when: $[[ inputs.when ]]
"""


def test_file_is_included_twice_with_different_inputs(tmp_path: pathlib.Path) -> None:
    made = make(tmp_path, MAIN, deploy=DEPLOY)
    # A value that stands alone keeps its type; inputs are inserted into a file before it is merged with others.
    assert summary(made) == [
        "build | build: [small]",
        "build | build: [large]",
        "test | child | child below it 1/1",
        "deploy | deploy it 1/1 | env production-1",
        "deploy | review it 1/2 | manual | may fail | env review-2",
        "deploy | review it 2/2 | manual | may fail | env review-2",
    ]
    (below,) = made.jobs[2]["trigger"]["pipeline"]["jobs"]
    assert below["environment"] == "prod-1"
    assert {name: sorted(spec) for name, spec in made.inputs.items()} == {
        "target": ["default"],
        "sizes": ["default", "type"],
    }


def test_variables_in_input_values_are_expanded(tmp_path: pathlib.Path) -> None:
    text = """\
spec: {inputs: {a: {default: $CI_COMMIT_REF_NAME-x}}}
---
"$[[ inputs.a | expand_vars | truncate(0,5) ]]": {script: make}
"""
    assert summary(make(tmp_path, text)) == ["test | main-"]


@pytest.mark.parametrize(
    ("spec", "use", "error"),
    [
        ("{a: }", "x", "`a` input: required value has not been provided"),
        ("{a: {default: b}}", "$[[ inputs.c ]]", "unknown interpolation key: `c`"),
        ("{a: {default: b}}", "$[[ a ]]", "unknown interpolation key: `a`"),
        ("{a: {default: b}}", "$[[ inputs.a | upper ]]", "no function matching `upper`: check that the function name"),
    ],
)
def test_invalid_inputs_are_reported(tmp_path: pathlib.Path, spec: str, use: str, error: str) -> None:
    found = make(tmp_path, f"spec: {{inputs: {spec}}}\n---\na: {{script: '{use}'}}").yaml_errors
    assert found is not None and found.startswith(error)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("{b: 1}", "unknown input arguments: b"),
        ("{a: text}", "`a` input: provided value is not a number"),
        ("{a: 7}", "`a` input: `7` cannot be used because it is not in the list of allowed options (1, 2)"),
    ],
)
def test_invalid_inputs_of_an_include_are_reported(tmp_path: pathlib.Path, given: str, error: str) -> None:
    other_file = "spec: {inputs: {a: {type: number, options: [1, 2]}}}\n---\nb: {script: make}"
    made = make(tmp_path, f"include: [{{local: other.yml, inputs: {given}}}]", other=other_file)
    assert made.yaml_errors == error


def test_file_without_a_header_is_not_interpolated(tmp_path: pathlib.Path) -> None:
    assert make(tmp_path, "a: {script: x, environment: '$[[ x ]]'}").jobs[0]["environment"] == "$[[ x ]]"
