# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All keywords of GitLab's CI/CD YAML reference, in two lists: FOLLOWED are supported, NOT_FOLLOWED are not.

Nested keywords are written with colons, as in the reference: https://docs.gitlab.com/ci/yaml/
"""

from __future__ import annotations

import typing as t

_RUNNER: t.Final = "jobs are not run; the scenario defines how long they take and how they end"
_ARTIFACTS: t.Final = "creates no files; set `artifacts` of the job in the scenario"
_STOPS: t.Final = "environments are not stopped and have no description"
_ALONE: t.Final = "the values of an input cannot depend on other inputs"
_JOB_INPUTS: t.Final = "defines no inputs; set `inputs` of the job in the scenario"
_ELSEWHERE: t.Final = "only files of the project itself are read"

FOLLOWED: t.Final = frozenset(
    {
        # global
        "default", "spec", "spec:inputs", "spec:inputs:default", "spec:inputs:options", "spec:inputs:regex",
        "spec:inputs:type", "include", "include:local", "include:inputs", "include:rules", "include:rules:if",
        "include:rules:changes", "include:rules:changes:paths", "include:rules:changes:compare_to",
        "include:rules:exists", "include:rules:exists:paths", "include:rules:when", "stages", "variables",
        "variables:value", "variables:expand", "workflow", "workflow:name", "workflow:rules", "workflow:rules:if",
        "workflow:rules:changes", "workflow:rules:changes:paths", "workflow:rules:changes:compare_to",
        "workflow:rules:exists", "workflow:rules:exists:paths", "workflow:rules:when", "workflow:rules:variables",
        # jobs
        "allow_failure", "environment", "environment:name", "environment:action", "extends", "inherit",
        "inherit:default", "inherit:variables", "needs", "needs:job", "needs:optional", "needs:parallel",
        "needs:parallel:matrix", "only", "only:refs", "only:variables", "only:changes", "except", "except:refs",
        "except:variables", "except:changes", "parallel", "parallel:matrix", "resource_group", "retry", "retry:max",
        "retry:when", "rules", "rules:if", "rules:changes", "rules:changes:paths", "rules:changes:compare_to",
        "rules:exists", "rules:exists:paths", "rules:when", "rules:allow_failure", "rules:needs", "rules:needs:job",
        "rules:needs:optional", "rules:variables", "rules:start_in", "stage", "start_in", "tags", "trigger",
        "trigger:include", "trigger:include:local", "trigger:project", "trigger:branch", "trigger:strategy",
        "trigger:inputs",
        "trigger:include:inputs", "trigger:forward", "trigger:forward:yaml_variables",
        "trigger:forward:pipeline_variables", "when",
    }
)  # fmt: skip

NOT_FOLLOWED: t.Final[dict[str, str]] = {
    # global
    **{f"include:{name}": _ELSEWHERE for name in ("project", "remote", "template", "component")},
    **dict.fromkeys(("include:file", "include:ref", "include:integrity", "include:cache"), _ELSEWHERE),
    "include:rules:exists:project": "always uses the list of files of this project",
    "include:rules:exists:ref": "always uses the list of files of this project",
    **{f"spec:{name}": _ELSEWHERE for name in ("component", "include")},
    **{f"spec:include:{name}": _ELSEWHERE for name in ("local", "remote", "project", "file", "ref")},
    "spec:description": "there is no form to show it in",
    "spec:inputs:description": "there is no form to show it in",
    **dict.fromkeys(("spec:inputs:rules", "spec:inputs:rules:if"), _ALONE),
    **dict.fromkeys(("spec:inputs:rules:options", "spec:inputs:rules:default"), _ALONE),
    "variables:description": "there is no form to show it in",
    "variables:options": "values are not checked",
    "workflow:auto_cancel": "pipelines do not cancel other pipelines",
    "workflow:auto_cancel:on_new_commit": "pipelines do not cancel other pipelines",
    "workflow:auto_cancel:on_job_failure": "jobs do not cancel their pipeline",
    "workflow:rules:auto_cancel": "pipelines do not cancel other pipelines",
    "workflow:rules:auto_cancel:on_new_commit": "pipelines do not cancel other pipelines",
    "workflow:rules:auto_cancel:on_job_failure": "jobs do not cancel their pipeline",
    "workflow:rules:start_in": "GitLab refuses it here, too",
    **{f"workflow:rules:{name}": "GitLab ignores it here, too" for name in ("allow_failure", "needs")},
    "workflow:rules:exists:project": "always uses the list of files of this project",
    "workflow:rules:exists:ref": "always uses the list of files of this project",
    # jobs: what the runner does
    **dict.fromkeys(("script", "before_script", "after_script", "run", "hooks", "coverage", "timeout"), _RUNNER),
    **dict.fromkeys(("hooks:pre_get_sources_script", "dependencies", "interruptible", "rules:interruptible"), _RUNNER),
    **dict.fromkeys(("image", "services", "cache", "identity", "id_tokens", "secrets", "release"), _RUNNER),
    **{
        f"run:{name}": _RUNNER
        for name in ("name", "script", "step", "env", "inputs", "run", "outputs", "delegate", "action", "exec")
    },
    **{f"image:{name}": _RUNNER for name in ("name", "entrypoint", "docker", "kubernetes", "pull_policy")},
    **{
        f"{above}:{name}": _RUNNER
        for above in ("image", "services")
        for name in ("docker:platform", "docker:user", "kubernetes:user")
    },
    **{
        f"services:{name}": _RUNNER
        for name in ("name", "alias", "entrypoint", "command", "variables", "docker", "kubernetes", "pull_policy")
    },
    **{
        f"cache:{name}": _RUNNER
        for name in (
            "paths", "key", "key:files", "key:files_commits", "key:prefix", "untracked", "unprotect", "when", "policy",
            "fallback_keys",
        )  # fmt: skip
    },
    **{
        f"secrets:{name}": _RUNNER
        for name in (
            "vault", "gcp_secret_manager", "azure_key_vault", "aws_secrets_manager", "gitlab_secrets_manager",
            "akeyless", "file", "token", "vault:engine", "vault:engine:name", "vault:engine:path", "vault:path",
            "vault:field", "gcp_secret_manager:name", "gcp_secret_manager:version", "azure_key_vault:name",
            "azure_key_vault:version", "aws_secrets_manager:secret_id", "aws_secrets_manager:version_id",
            "aws_secrets_manager:version_stage", "aws_secrets_manager:region", "aws_secrets_manager:role_arn",
            "aws_secrets_manager:role_session_name", "aws_secrets_manager:field", "gitlab_secrets_manager:name",
        )  # fmt: skip
    },
    "id_tokens:aud": _RUNNER,
    **{
        f"release:{name}": _RUNNER
        for name in (
            "tag_name", "tag_message", "name", "description", "ref", "milestones", "released_at", "assets",
            "assets:links", "assets:links:name", "assets:links:url", "assets:links:filepath", "assets:links:link_type",
        )  # fmt: skip
    },
    # jobs: artifacts
    "artifacts": _ARTIFACTS,
    **{
        f"artifacts:{name}": _ARTIFACTS
        for name in (
            "paths", "exclude", "expire_in", "expose_as", "name", "public", "access", "reports", "untracked", "when",
        )  # fmt: skip
    },
    **{
        f"artifacts:reports:{name}": _ARTIFACTS
        for name in (
            "accessibility", "annotations", "api_fuzzing", "browser_performance", "codequality", "container_scanning",
            "coverage_fuzzing", "coverage_report", "coverage_report:coverage_format", "coverage_report:path",
            "cyclonedx", "dast", "dependency_scanning", "dotenv", "junit", "license_scanning", "load_performance",
            "lsif", "metrics", "repository_xray", "requirements", "sast", "secret_detection", "terraform",
        )  # fmt: skip
    },
    **dict.fromkeys(("pages", "pages:publish", "pages:path_prefix", "pages:expire_in", "publish"), _ARTIFACTS),
    # jobs: the rest
    "allow_failure:exit_codes": "jobs have no exit codes; any failure counts",
    **{f"dast_configuration{name}": "there are no profiles" for name in ("", ":site_profile", ":scanner_profile")},
    **{
        f"environment:{name}": _STOPS
        for name in ("url", "on_stop", "auto_stop_in", "kubernetes", "deployment_tier")
    },
    **{
        f"environment:kubernetes:{name}": _STOPS
        for name in (
            "agent", "namespace", "flux_resource_path", "dashboard", "dashboard:namespace",
            "dashboard:flux_resource_path", "managed_resources", "managed_resources:enabled",
        )  # fmt: skip
    },
    **{f"inputs{name}": _JOB_INPUTS for name in ("", ":type", ":description", ":options", ":regex", ":default")},
    "manual_confirmation": "no confirmation is required",
    "needs:artifacts": "jobs do not download artifacts",
    "needs:project": "jobs do not wait for another project",
    "needs:ref": "jobs do not wait for another project",
    "needs:pipeline": "jobs do not mirror the status of another pipeline",
    "needs:pipeline:job": "jobs do not wait for another pipeline",
    "rules:needs:artifacts": "jobs do not download artifacts",
    "rules:needs:parallel": "requires all jobs of that name",
    "only:kubernetes": "there is no cluster, so the condition is ignored",
    "except:kubernetes": "there is no cluster, so the condition is ignored",
    "retry:exit_codes": "jobs have no exit codes",
    "rules:exists:project": "always uses the list of files of this project",
    "rules:exists:ref": "always uses the list of files of this project",
    "trigger:include:rules": "always includes the file",
    "trigger:include:artifact": "jobs create no files; the downstream pipeline is empty and successful",
    "trigger:include:job": "jobs create no files",
    **{f"trigger:include:{name}": _ELSEWHERE for name in ("project", "file", "ref", "remote", "template", "component")},
    # removed from GitLab
    "types": "removed from GitLab; use stages",
    "type": "removed from GitLab; use stage",
}  # fmt: skip

ROOT_KEYWORDS: t.Final = frozenset(
    {
        "default", "include", "stages", "variables", "workflow", "spec", "types",
        "image", "services", "cache", "before_script", "after_script",
    }
)  # fmt: skip
# The keys of these mappings are user-defined names. The value is the keyword to which their own values belong.
NAMED_BY_USERS: t.Final = {
    "spec:inputs": "spec:inputs",
    "variables": "variables",
    "rules:variables": "variables",
    "workflow:rules:variables": "variables",
    "parallel:matrix": "",
    "needs:parallel:matrix": "",
}
# The keywords that a job inherits from `default`, and from the root of the file as in old files.
DEFAULTS: t.Final = (
    "after_script", "artifacts", "before_script", "cache", "hooks", "id_tokens", "identity", "image", "interruptible",
    "retry", "services", "tags", "timeout",
)  # fmt: skip
OLD_DEFAULTS: t.Final = ("image", "services", "cache", "before_script", "after_script")


def below(name: str) -> frozenset[str]:
    """Return the keys that a mapping can have, by the name of the keyword above it; that of a job is empty."""
    known = {*FOLLOWED, *NOT_FOLLOWED}
    if not name:
        return frozenset(each for each in known if ":" not in each) - {
            "include",
            "stages",
            "workflow",
            "default",
            "spec",
        }
    return frozenset(each[len(name) + 1 :] for each in known if each.rpartition(":")[0] == name)
