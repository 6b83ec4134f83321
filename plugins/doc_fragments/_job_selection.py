# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this is a private part of the collection: no other collection may extend its documentation with it.

"""Options that choose a pipeline, and jobs in it."""

from __future__ import annotations


class ModuleDocFragment:
    """Job selection; with a block for the pipeline alone, which the job selection needs as well."""

    # To be used together with the block for the pipeline.
    DOCUMENTATION = r"""
options:
  job_id:
    description:
      - Id of one job, as in the address of its page. It needs no pipeline, and excludes all other options that choose a
        pipeline or a job in it.
      - Trigger jobs cannot be read by their id; choose them by name.
    type: int
  name:
    description:
      - Names of jobs. A job of exactly that name is taken; only if there is none, C(*) and C(?) in the name are
        wildcards. This is decided for each name of the list.
      - >-
        C([) is an ordinary character, since jobs made by C(parallel:matrix) carry it, as in V(test: [py311, linux]).
        Write such a name as an item of a YAML list and in quotes. Ansible cuts a plain string at its commas.
      - A name stands for the newest attempt of the job.
      - With O(include_downstream=true), V(bridge/job) is the job of that name in the pipeline that the trigger job
        C(bridge) has started, to any depth, as in V(trigger:infra/apply). A name without a slash is looked for in
        every pipeline of the tree.
      - A name that nothing matches is an error that shows close names.
    type: list
    elements: str
  stage:
    description:
      - Only jobs of these stages. Exact names, no wildcards.
    type: list
    elements: str
  scope:
    description:
      - Only jobs that have one of these statuses when the task begins. A job that is waited for stays chosen whatever
        its status becomes.
      - GitLab knows V(created), V(waiting_for_resource), V(preparing), V(waiting_for_callback), V(pending),
        V(running), V(canceling), V(success), V(failed), V(canceled), V(skipped), V(manual) and V(scheduled). Anything
        else is an error.
    type: list
    elements: str
  include_downstream:
    description:
      - Look for jobs in the child and multi-project pipelines, too, that trigger jobs of this pipeline have started,
        and in those that they have started in turn.
      - A downstream project that the token cannot read is passed over, and mentioned when a name is not found.
      - Needs a pipeline to start from, so it is an error together with O(job_id).
    type: bool
    default: false
"""

    PIPELINE = r"""
options:
  project:
    description:
      - The project, by its numeric id or its full path such as V(group/subgroup/app). Write the path as it is, and not
        URL-encoded.
    type: str
    required: true
  pipeline_id:
    description:
      - Id of a pipeline, the long number in the address of its page. Excludes O(ref), O(sha) and O(merge_request).
    type: int
  ref:
    description:
      - Branch or tag. Its newest pipeline is used, whatever that pipeline's status.
      - The pipeline found first is kept for the whole task, even if a newer one starts meanwhile.
      - Together with O(sha), the newest pipeline of that commit on that branch or tag.
    type: str
  sha:
    description:
      - Full commit SHA. Its newest pipeline is used, so that a release gates the very commit it is about to deploy and
        not whatever was pushed last. Alone or together with O(ref).
    type: str
  merge_request:
    description:
      - Number of a merge request within its project (the one behind the C(!)). Its newest pipeline is used, be it of
        the branch, the merge request or a merge train. Excludes O(pipeline_id), O(ref) and O(sha).
    type: int
"""
