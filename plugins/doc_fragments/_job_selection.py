# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

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
      - Names of jobs. A name stands for the newest attempt of the job.
      - A job with exactly that name is selected. Only if there is none, C(*) and C(?) in the name are wildcards. This
        is decided for each entry.
      - Each entry must match at least one job, and with O(stage) one in these stages. Otherwise the task fails and
        lists what there is.
      - >-
        C([) is an ordinary character, because matrix jobs carry it, as in V(test: [py311, linux]). A text with commas
        that is the name of a job as a whole stands for that job; any other text is split at its commas.
      - With O(include_downstream=true) a bare name means the job of the pipeline itself, and a job of a downstream
        pipeline only if the pipeline itself has none. V(linux/amd64) means the job of that name if there is one, and
        otherwise job V(amd64) in the pipeline that trigger job V(linux) has started, to any depth. V(**/deploy) means
        every job of that name at any depth.
      - An empty list selects nothing. Leave the option out to select jobs of any name.
    type: list
    elements: str
  stage:
    description:
      - Only jobs of these stages, by exact name or with the wildcards C(*) and C(?).
      - Each entry must match at least one stage. Otherwise the task fails and lists the stages.
      - An empty list selects nothing. Leave the option out to select jobs of any stage.
    type: list
    elements: str
  scope:
    description:
      - Only jobs that have one of these statuses when the task begins. A job that is waited for stays selected whatever
        its status becomes.
      - So V(manual) leaves out a manual job whose turn has not come, which is V(created) until then. To wait for its
        turn and play it, leave this option out.
      - GitLab knows V(created), V(waiting_for_resource), V(preparing), V(waiting_for_callback), V(pending),
        V(running), V(canceling), V(success), V(failed), V(canceled), V(skipped), V(manual) and V(scheduled). Anything
        else is an error.
      - An empty list means any status.
    type: list
    elements: str
  include_downstream:
    description:
      - Also select jobs of the child and multi-project pipelines that trigger jobs of this pipeline have started, and
        of those that they have started in turn.
      - A downstream pipeline that the token cannot read is passed over with a warning. For an action or a wait it is an
        error, unless exact names say that none of its jobs is meant.
      - Cannot be used with O(job_id).
    type: bool
    default: false
  allow_empty:
    description:
      - Whether an action or a wait may select no job at all. It then succeeds without a change.
      - By default such a task fails, because a gate that looks at nothing must not open. The one exception is an action
        for whose jobs, named or not, O(scope) has no match, such as canceling what runs when nothing does. It changes
        nothing then.
      - A name or a stage that does not exist is an error in any case.
    type: bool
    default: false
"""

    PIPELINE = r"""
options:
  project:
    description:
      - The project, by its numeric id or its full path such as V(group/subgroup/app). Write the path as it is, and not
        URL-encoded.
      - The address of a page of the project on the server of the connection, or of a pipeline or job of it, stands for
        the path. An address of another server is an error.
    type: str
    required: true
  pipeline_id:
    description:
      - Id of a pipeline, the long number in the address of its page. Excludes O(ref), O(sha) and O(merge_request).
      - It is not the short number that counts within the project (the C(iid)), and the error about such a number gives
        the id.
    type: int
  ref:
    description:
      - Branch or tag. Put a version in quotes; without them YAML reads C(1.10) as the number 1.1, which is an error.
      - Its newest pipeline is used, whatever that pipeline's status. A pipeline that GitLab has skipped
        as a whole, as for C([skip ci]), has no jobs; it is passed over with a warning.
      - The pipeline found first is used for the whole task, even if a newer one starts meanwhile.
      - V(refs/heads/main) is the branch and V(refs/tags/v1.2.0) the tag. Names of git's own, such as V(HEAD) and
        V(origin/main), are an error, and so are blanks or line breaks around the name.
      - Together with O(sha), the newest pipeline of that commit on that branch or tag.
    type: str
  sha:
    description:
      - Commit SHA, whole or its first seven digits or more. The newest pipeline of the commit is used, so that a
        release gates the very commit that it is about to deploy. Alone or together with O(ref).
    type: str
  ref_type:
    description:
      - Whether O(ref) is a branch or a tag, where both exist.
      - With V(any) the newest pipeline of either is used. A warning says so if a branch and a tag of this name have
        pipelines.
    type: str
    choices:
      - any
      - branch
      - tag
    default: any
  pipeline_source:
    description:
      - Only pipelines with one of these sources, such as V(push), V(schedule), V(web), V(api), V(trigger) or
        V(merge_request_event). So a nightly pipeline of the same branch is not taken for the one of the last push.
      - Only with O(ref), O(sha) or O(merge_request). Leave it out for any source; an empty list is an error.
    type: list
    elements: str
  merge_request:
    description:
      - Number of a merge request within its project (the one behind the C(!)). Its newest pipeline is used, whether of
        the branch, the merge request or a merge train. Excludes O(pipeline_id), O(ref) and O(sha).
    type: int
"""
