# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that select a pipeline and its jobs."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that select jobs. A second block selects the pipeline, which these options also require."""

    # Use it together with the block for the pipeline.
    DOCUMENTATION = r"""
options:
  job_id:
    description:
      - ID of one job, as in the address of its page. Mutually exclusive with all other options that choose a pipeline
        or a job.
      - Trigger jobs cannot be read by their ID; choose them by name.
    type: int
  name:
    description:
      - Names of jobs. Each name selects the newest attempt of the job.
      - If no job has exactly the name of an entry, C(*) and C(?) in that entry are wildcards.
      - Each entry must match at least one job, and with O(stage) at least one job in these stages. Otherwise the task
        fails and lists the available jobs.
      - >-
        C([) is an ordinary character, because the names of matrix jobs contain it, as in V(test: [py311, linux]). A
        string with commas selects the job of that name if it exists; otherwise it is split at the commas.
      - With O(include_downstream=true), a name without a slash refers to the job of the pipeline itself, and to jobs of
        downstream pipelines only if the pipeline itself has no such job. V(linux/amd64) refers to the job of that name
        if it exists, and otherwise to job V(amd64) in the pipeline that trigger job V(linux) started, to any depth.
        V(**/deploy) refers to every job V(deploy) at any depth.
      - An empty list selects nothing. Omit the option to select jobs of any name.
    type: list
    elements: str
  stage:
    description:
      - Only jobs of these stages, by exact name or with the wildcards C(*) and C(?).
      - Each entry must match at least one stage. Otherwise the task fails and lists the stages.
      - An empty list selects nothing. Omit the option to select jobs of any stage.
    type: list
    elements: str
  scope:
    description:
      - Only jobs that have one of these statuses when the task starts. They remain selected when their status changes
        during a wait.
      - V(manual) does not select manual jobs that cannot be played yet, because these are V(created). To wait until a
        job can be played and then play it, omit this option.
      - The statuses are V(created), V(waiting_for_resource), V(preparing), V(waiting_for_callback), V(pending),
        V(running), V(canceling), V(success), V(failed), V(canceled), V(skipped), V(manual) and V(scheduled). Anything
        else is an error.
      - An empty list matches any status.
    type: list
    elements: str
  include_downstream:
    description:
      - Also select jobs of the downstream pipelines (child and multi-project) of this pipeline, to any depth.
      - Downstream pipelines that the token cannot read are ignored with a warning. For an action or a wait they are
        errors, unless exact names rule out all of their jobs.
      - Cannot be used with O(job_id).
    type: bool
    default: false
  allow_empty:
    description:
      - Whether an action or a wait that selects no jobs succeeds without a change.
      - By default such a task fails, because a gate that checks nothing must not open. The only exception is an action
        whose O(scope) matches none of the jobs, such as canceling running jobs when no job is running. It succeeds
        without a change.
      - Names and stages that do not exist are always errors.
    type: bool
    default: false
"""

    PIPELINE = r"""
options:
  project:
    description:
      - Project, as a numeric ID or a full path such as V(group/subgroup/app). Do not URL-encode the path.
      - The web address of a page of the project, such as a pipeline or job, is also accepted. An address on another
        server is an error.
    type: str
    required: true
  pipeline_id:
    description:
      - ID of a pipeline, which is the long number in the address of its page. Mutually exclusive with O(ref), O(sha)
        and O(merge_request).
      - Do not confuse it with the short number of the pipeline in its project (C(iid)). The error about such a number
        contains the ID.
    type: int
  ref:
    description:
      - Branch or tag. Quote versions, because YAML reads C(1.10) as the number 1.1, which is an error.
      - Selects its newest pipeline, whatever its status. Skipped pipelines without jobs, such as those caused by
        C([skip ci]), are ignored with a warning.
      - The task uses this pipeline throughout, even if a newer one starts.
      - V(refs/heads/main) is always a branch, and V(refs/tags/v1.2.0) is always a tag. Git's own names, such as V(HEAD)
        and V(origin/main), are errors, and so are spaces or line breaks around the name.
      - With O(sha), selects the newest pipeline of that commit on that branch or tag.
    type: str
  sha:
    description:
      - Full commit SHA, or at least its first seven digits. Selects the newest pipeline of exactly this commit, such as
        the commit to deploy. Can be used with or without O(ref).
    type: str
  ref_type:
    description:
      - Whether O(ref) is a branch or a tag, if both exist.
      - V(any) selects the newest pipeline of either, with a warning if both have pipelines.
    type: str
    choices:
      - any
      - branch
      - tag
    default: any
  pipeline_source:
    description:
      - Only pipelines with one of these sources, such as V(push), V(schedule), V(web), V(api), V(trigger) or
        V(merge_request_event). For example, V(push) excludes nightly pipelines of the same branch.
      - Requires O(ref), O(sha) or O(merge_request). Omit it for any source; an empty list is an error.
    type: list
    elements: str
  merge_request:
    description:
      - Number of a merge request in its project (after the C(!)). Selects its newest pipeline of any kind (branch,
        merge request or merge train). Mutually exclusive with O(pipeline_id), O(ref) and O(sha).
    type: int
"""
