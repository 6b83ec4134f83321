# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test errors of a `.gitlab-ci.yml` in GitLab's words, and warnings about unsupported keywords with file and line."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from tests.simulator.ci.project_file import Made, ProjectFile

from .test_ci_files import CONTEXTS, pipeline_of_other_project


def make(folder: pathlib.Path, text: str, *, kind: str = "branch", **files: str) -> Made:
    (folder / ".gitlab-ci.yml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        (folder / f"{name}.yml").write_text(content, encoding="utf-8")
    return ProjectFile(folder / ".gitlab-ci.yml", folder, None, {}, {}).make(CONTEXTS[kind], pipeline_of_other_project)


JOB = "a: {script: make}\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "Please provide content of .gitlab-ci.yml"),
        ("- a", "Invalid configuration format"),
        ("a: [", "(<unknown>): expected the node content"),
        ("a: {script: !ruby x}", "Unknown tag !ruby at line 1"),
        ("variables: {A: b}", "jobs config should contain at least one visible job"),
        ("a: {stage: build}", "jobs a config should implement the script:, run:, or trigger: keyword"),
        ("a: 1", "jobs a config should implement the script:, run:, or trigger: keyword"),
        ("a:", "jobs a config should implement the script:, run:, or trigger: keyword"),
        ("stagess: [a]\n" + JOB, "jobs stagess config should implement the script:, run:, or trigger: keyword"),
        ("variables: {A: 2024-01-01}\n" + JOB, "Tried to load unspecified class: Date"),
        ("variables: {A: 2024-01-01 10:00:00}\n" + JOB, "Tried to load unspecified class: Time"),
        ("stages: build\n" + JOB, "stages config should be an array of strings or a nested array"),
        (
            "a: {script: {b: c}}",
            "jobs:a:script config should be a string or a nested array of strings up to 10 levels deep",
        ),
        ("a: {script: x, before_script: [1]}", "jobs:a:before_script config should be a string or a nested array"),
        ("a: {script: x, needs: b}", "jobs:a:needs config can only be a hash or an array"),
        ("a: {script: x, dependencies: b}", "jobs:a dependencies should be an array of strings"),
        ("a: {script: x, tags: b}", "jobs:a:tags config should be an array of strings"),
        ("a: {script: x, only: main}", "jobs:a:only has to be either an array of conditions or a hash"),
        ("a: {script: x, except: main}", "jobs:a:except has to be either an array of conditions or a hash"),
        ("a: {script: x, stage: 1}", "jobs:a:stage config should be a string"),
        ("a: {script: x, resource_group: 1}", "jobs:a resource group should be a string"),
        ("a: {script: x, variables: [b]}", "jobs:a:variables config should be a hash"),
        ("a: {script: x, image: [b]}", "jobs:a:image config should be a hash or a string"),
        ("a: {script: x, services: b}", "jobs:a:services config should be a array"),
        ("a: {script: x, environment: [b]}", "jobs:a:environment config should be a hash or a string"),
        ("a: {script: x, environment: ''}", "jobs:a:environment name can't be blank"),
        (
            "a: {script: x, environment: {name: e, action: go}}",
            "environment action should be start, stop, prepare, veri",
        ),
        ("a: {script: x, retry: often}", "jobs:a:retry has to be either an integer or a hash"),
        ("a: {script: x, retry: {max: 3}}", "jobs:a:retry max must be less than or equal to 2"),
        ("a: {script: x, start_in: 5 minutes}", "jobs:a start in must be blank"),
        ("a: {script: x, needs: [1]}", "jobs:a:needs:need has an unsupported type"),
        ("a: {script: x, needs: [{artifacts: true}]}", "jobs:a:needs:need has an unsupported type"),
        (
            "a: {script: x, only: [main, /(/]}",
            "jobs:a:only config should be an array of strings or regular expressions using re2 syntax",
        ),
        ("default: {rules: [{when: always}]}\n" + JOB, "default config contains unknown keys: rules"),
        ("default: [x]\n" + JOB, "default config should be a hash"),
        ("variables: [x]\n" + JOB, "variables config should be a hash"),
        ("workflow: [x]\n" + JOB, "workflow config should be a hash"),
        ("workflow: {rules: []}\n" + JOB, "workflow:rules config can't be blank"),
        ("a: {script: x, rules: []}", "jobs:a:rules config can't be blank"),
        ("a: {trigger: b, image: c, tags: [d]}", "jobs:a config contains unknown keys: image, tags"),
        ("a: {trigger: b, when: delayed}", "jobs:a when should be one of: on_success, on_failure, always, manual"),
        ("a: {script: make, onyl: [main]}", "jobs:a config contains unknown keys: onyl"),
        (
            "a: {script: make, stage: ship}",
            "a job: chosen stage ship does not exist; available stages are .pre, build, ",
        ),
        (
            "a: {script: make, when: never}",
            "jobs:a when should be one of: on_success, on_failure, always, manual, delay",
        ),
        ("a: {script: make, when: delayed}", "jobs:a start in should be a duration"),
        ("a: {script: make, when: delayed, start_in: soon}", "jobs:a start in should be a duration"),
        ("a: {script: make, when: delayed, start_in: 2 weeks}", "jobs:a start in should not exceed the limit"),
        ("a: {script: make, retry: 3}", "jobs:a:retry config must be less than or equal to 2"),
        ("a: {script: make, parallel: 300}", "jobs:a:parallel config must be a number from 1 to 200"),
        ("a: {script: make, parallel: two}", "jobs:a:parallel should be an integer or a hash"),
        ("a: {script: make, allow_failure: never}", "jobs:a allow failure should be a hash or a boolean value"),
        ("a: {script: make, environment: {url: x}}", "jobs:a:environment name can't be blank"),
        ("a: {trigger: {project: b, strategy: hope}}", "jobs:a:trigger strategy should be one of: depend, mirror"),
        ("a: {script: make, rules: [{if: $A =}]}", "jobs:a:rules:rule if invalid expression syntax"),
        ("a: {script: make, rules: [{if: '$A =~ /a(?=b)/'}]}", "jobs:a:rules:rule if invalid expression syntax"),
        # The four examples of https://docs.gitlab.com/ci/jobs/job_troubleshooting/
        (
            'a: {script: x}\nb:\n  script: x\n  rules:\n    - if: ${A} == "b"',
            "jobs:b:rules:rule if invalid expression syntax",
        ),
        ('a:\n  script: x\n  rules:\n    - if: "$A" == "b"', "(<unknown>): expected <block end>"),
        ("a:\n  script: x\n  rules:\n    - if: $A == production", "jobs:a:rules:rule if invalid expression syntax"),
        ('a:\n  script: x\n  rules:\n    - if: "b" == "b"', "(<unknown>): expected <block end>"),
        ("a: {script: make, rules: [{when: later}]}", "jobs:a:rules:rule when unknown value: later"),
        (
            "a: {script: make, rules: {if: $A}}",
            "jobs:a rules should be an array containing hashes and arrays of hashes",
        ),
        ("a: {script: x, rules: [{}]}", "jobs:a:rules:rule config can't be blank"),
        ("a: {script: x, rules: [{changes: src/*}]}", "jobs:a:rules:rule:changes config should be an array of strings"),
        ("a: {script: x, rules: [{changes: [1]}]}", "jobs:a:rules:rule:changes config should be an array of strings"),
        ("a: {script: x, rules: [{changes: {compare_to: b}}]}", "rule:changes config should be an array of strings"),
        ("a: {script: x, rules: [{exists: {paths: b}}]}", "rule:exists config should be an array of strings"),
        ("a: {script: x, rules: [{allow_failure: often}]}", "rules:rule allow failure should be a boolean value"),
        ("a: {script: x, rules: [{variables: [B]}]}", "rule:variables config should be a hash of key value pairs"),
        ("a: {script: x, rules: [{needs: b}]}", "jobs:a:rules:rule:needs config can only be a hash or an array"),
        ("a: {script: x, rules: [{when: delayed}]}", "jobs:a:rules:rule start in can't be blank"),
        ("a: {script: x, rules: [{start_in: 5m}]}", "jobs:a:rules:rule config contains disallowed keys: start_in"),
        ("workflow: {rules: [{changes: b}]}\n" + JOB, "workflow:rules:rule:changes config should be an array"),
        ("include: [{local: b.yml, rules: [{when: manual}]}]\n" + JOB, "include:rules:rule when unknown value: manual"),
        (
            "include: [{local: b.yml, rules: [{iff: $B}]}]\n" + JOB,
            "include:rules:rule config contains unknown keys: iff",
        ),
        ("a: {trigger: 5}", "jobs:a:trigger has to be either a string or a hash"),
        ("a: {script: x, parallel: {matrix: [{B: {c: d}}]}}", "matrix config should be an array of hashes, each key"),
        ("a: {script: make, rules: [{fi: $A}]}", "jobs:a:rules:rule config contains unknown keys: fi"),
        ("a: {script: make, only: [main], rules: [{when: always}]}", "config key may not be used with `rules`: only"),
        ("a: {script: make, only: {variables: [$A =]}}", "jobs:a:only variables invalid expression syntax"),
        ("workflow: {rules: [{when: manual}]}\n" + JOB, "workflow:rules:rule when unknown value: manual"),
        ("workflow: {rule: []}\n" + JOB, "workflow config contains unknown keys: rule"),
        ("a: {script: make, needs: [b]}", "a job: undefined need: b"),
        (
            "a: {script: make, needs: [b]}\nb: {stage: deploy, script: x}",
            "need b is not defined in current or prior st",
        ),
        ("a: {script: make, needs: [a]}", "The pipeline has circular dependencies: self-dependency: a"),
        ("a: {script: x, needs: [b]}\nb: {script: x, needs: [a]}", "The pipeline has circular dependencies: topologi"),
        ("a: {script: x, dependencies: [b]}", "a job: undefined dependency: b"),
        (
            "a: {script: x, dependencies: [b]}\nb: {stage: deploy, script: x}",
            "a job: dependency b is not defined in current or prior stages",
        ),
        (
            "a: {script: x, needs: [b], dependencies: [c]}\nb: {stage: build, script: x}\nc: {stage: build, script: x}",
            "jobs:a dependencies the c should be part of needs",
        ),
        (
            "a: {script: x, needs: [b, {job: b}]}\nb: {stage: build, script: x}",
            "a has the following needs duplicated: b.",
        ),
        ("a: {script: x, rules: [{needs: [b]}]}", "a job: undefined need: b"),
        ("a: {script: x, environment: {name: e, on_stop: b}}", "a job: on_stop job b is not defined"),
        (
            "a: {script: x, environment: {name: e, on_stop: b}}\nb: {script: x, environment: {name: f, action: stop}}",
            "a job: on_stop job b have different environment name",
        ),
        ("a: {extends: .b}", "a: unknown keys in `extends` (.b)"),
        ("a: {extends: .b}\n.b: {extends: .c}\n.c: {extends: .b}", "a: circular dependency detected in `extends`"),
        ("a: {script: [!reference [.b, script]]}", '!reference [".b", "script"] could not be found'),
        (".b: {s: !reference [.b, s]}\n" + JOB, '!reference [".b", "s"] is part of a circular chain'),
        ("include: /none.yml\n" + JOB, "Local file `none.yml` does not exist!"),
        ("include: /../secret.yml\n" + JOB, "Local file `../secret.yml` does not exist!"),
        ("include: /none.txt\n" + JOB, "Included file `none.txt` does not have YAML extension!"),
        ("include: .gitlab-ci.yml\n" + JOB, "Maximum of 150 nested includes are allowed!"),
        ("variables: {A: $B, B: $A}\n" + JOB, 'circular variable reference detected: ["A", "B"]'),
        ("a: &a [*a]\n" + JOB, "An alias refers to a node that contains it"),
        ("a: {script: " + "[" * 200 + "]" * 200 + "}", "The parsed YAML is too big"),
        (
            "x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n"
            + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 9)),
            "The parsed YAML is too big",
        ),
    ],
)
def test_invalid_files_cause_the_errors_of_gitlab(tmp_path: pathlib.Path, text: str, error: str) -> None:
    (tmp_path.parent / "secret.yml").write_text("b: {script: make}", encoding="utf-8")
    found = make(tmp_path, text).yaml_errors
    assert found is not None and error in found


@pytest.mark.parametrize(
    ("child", "why"),
    [
        ("b: {script: x, rules: [{if: $NONE}]}", "the rules exclude all jobs"),
        ("workflow: {rules: [{when: never}]}\nb: {script: x}", "excluded by workflow:rules"),
        ("b: {}", "jobs b config should implement the script:, run:, or trigger: keyword"),
    ],
)
def test_reason_for_a_missing_downstream_pipeline_is_noted(tmp_path: pathlib.Path, child: str, why: str) -> None:
    made = make(tmp_path, "stages: [test]\na: {trigger: {include: child.yml}}", child=child)
    assert f"trigger of a: the downstream pipeline cannot be created: {why} (.gitlab-ci.yml:2)" in made.notes


def test_unsupported_keywords_are_noted_with_their_lines(tmp_path: pathlib.Path) -> None:
    text = """\
include: other.yml
build:
  image: alpine
  inputs: {level: {default: 1, type: number}}
  script: [make]
  artifacts:
    paths: [x]
  retry: {max: 1, exit_codes: 137}
deploy:
  script: make
  environment:
    name: x
    url: https://example.com
  rules:
    - changes: [a]
      interruptible: true
.template:
  image: debian
"""
    made = make(tmp_path, text, other="later: {script: make, timeout: 1h}\n")
    notes = {line.partition(": ")[0]: line for line in made.notes}
    assert set(notes) == {
        "image", "inputs", "script", "artifacts", "retry:exit_codes", "environment:url", "changes",
        "rules:interruptible", "timeout",
    }  # fmt: skip
    assert notes["image"].endswith("(.gitlab-ci.yml:3,18)")
    assert notes["script"].endswith("(.gitlab-ci.yml:5,10; other.yml:1)")
    assert notes["environment:url"].endswith("(.gitlab-ci.yml:13)")
    assert "without a list of files (--files), this counts as changed" in notes["changes"]


def test_missing_predefined_variables_are_noted(tmp_path: pathlib.Path) -> None:
    text = """\
variables:
  CI_MINE: 1
a:
  script: echo $CI_JOB_ID
  environment: ${CI_REGISTRY}/$CI_MINE/$CI_COMMIT_REF_SLUG
  rules:
    - if: $CI_DEPLOY_FREEZE == null && $CI_COMMIT_TAG == null && $CI_MERGE_REQUEST_IID == null
"""
    noted = [note for note in make(tmp_path, text).notes if note.startswith("$")]
    why = "not predefined here, so it is empty"
    assert noted == [f"$CI_REGISTRY: {why} (.gitlab-ci.yml:5)", f"$CI_DEPLOY_FREEZE: {why} (.gitlab-ci.yml:7)"]


def test_environment_action_stop_is_noted(tmp_path: pathlib.Path) -> None:
    made = make(tmp_path, "a:\n  script: x\n  environment:\n    name: b\n    action: stop\n")
    note = "environment:action stop: only jobs that deploy have an environment (.gitlab-ci.yml:5)"
    assert "environment" not in made.jobs[0] and note in made.notes


def test_environment_action_null_counts_as_start(tmp_path: pathlib.Path) -> None:
    made = make(tmp_path, "a: {script: x, environment: {name: b, action: null}}")
    assert made.yaml_errors is None and made.jobs[0]["environment"] == "b"


def test_references_to_external_files_are_accepted_and_noted(tmp_path: pathlib.Path) -> None:
    text = """\
include:
  - project: group/templates
    file: all.yml
  - https://example.com/more.yml
build:
  extends: [.from-there, .here]
  needs: [from there]
  rules: [!reference [.rules, all]]
.here: {stage: build, rules: [{when: manual}]}
"""
    made = make(tmp_path, text)
    assert made.yaml_errors is None
    assert made.refused == "no_jobs"
    notes = "\n".join(made.notes)
    assert "include:project: only files of the project itself are read (.gitlab-ci.yml:2)" in notes
    assert "include:remote: only files of the project itself are read (.gitlab-ci.yml:1)" in notes
    assert "extends: .from-there is not in the files of the project (.gitlab-ci.yml:6)" in notes
    assert '!reference [".rules", "all"]: not in the files of the project, so it is empty' in notes


def test_child_pipeline_from_an_artifact_is_empty_and_noted(tmp_path: pathlib.Path) -> None:
    text = "a: {trigger: {include: [{artifact: made.yml, job: b}]}}\nb: {stage: build, script: make}\n"
    made = make(tmp_path, text)
    assert made.jobs[1]["trigger"] == {"pipeline": {"status": "success"}}
    assert any(note.startswith("trigger:include:artifact") for note in made.notes)


def test_child_pipelines_are_limited_to_two_levels(tmp_path: pathlib.Path) -> None:
    made = make(
        tmp_path,
        "a: {trigger: {include: one.yml}}",
        one="b: {trigger: {include: two.yml}}",
        two="c: {trigger: {include: three.yml}}",
        three="d: {script: make}",
    )
    one = made.jobs[0]["trigger"]["pipeline"]
    two = one["jobs"][0]["trigger"]["pipeline"]
    assert two["jobs"][0]["trigger"] == {"creation_fails": "reached_max_descendant_pipelines_depth"}


def test_pipeline_variables_take_precedence(tmp_path: pathlib.Path) -> None:
    text = "variables: {A: file}\na: {script: make, environment: $A, variables: {A: job}}\n"
    (tmp_path / ".gitlab-ci.yml").write_text(text, encoding="utf-8")
    file = ProjectFile(tmp_path / ".gitlab-ci.yml", tmp_path, None, {}, {"A": "project"})
    assert file.make(CONTEXTS["branch"], pipeline_of_other_project).jobs[0]["environment"] == "project"
    context = dataclasses.replace(CONTEXTS["branch"], variables={"A": "pipeline"})
    assert file.make(context, pipeline_of_other_project).jobs[0]["environment"] == "pipeline"


def test_downstream_pipeline_gets_variables_but_not_predefined_ones(
    tmp_path: pathlib.Path,
) -> None:
    text = """\
variables: {A: a, KEPT: {value: $A, expand: false}}
a:
  parallel: {matrix: [{B: [b, c]}]}
  trigger: {include: child.yml}
"""
    made = make(tmp_path, text, child="d: {script: make, environment: $KEPT}")
    pipeline = made.jobs[0]["trigger"]["pipeline"]
    assert pipeline["variables"] == {"A": "a", "KEPT": "$A", "B": "b"}
    assert pipeline["jobs"][0]["environment"] == "$A"


def test_many_paths_through_needs_are_checked_quickly(tmp_path: pathlib.Path) -> None:
    names = [f"j{n}" for n in range(40)]
    jobs = (f"{name}: {{script: make, needs: [{', '.join(names[:n])}]}}" for n, name in enumerate(names))
    assert len(make(tmp_path, "\n".join(jobs)).jobs) == 40


def test_missing_file_creates_no_pipeline(tmp_path: pathlib.Path) -> None:
    assert (
        ProjectFile(tmp_path / "none.yml", tmp_path, None, {}, {})
        .make(CONTEXTS["tag"], pipeline_of_other_project)
        .refused
        == "no_config"
    )
