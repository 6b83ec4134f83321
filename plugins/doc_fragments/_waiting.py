# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options for waiting."""

from __future__ import annotations


class ModuleDocFragment:
    """Common options for waiting. Two more blocks are for jobs and for whole pipelines."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until O(wait_for) is reached. Without it, the task returns the current state.
      - The wait continues despite server restarts, server errors, rate limits and dropped connections, until
        O(wait_timeout) expires.
      - The task also waits for the pipeline of O(ref), O(sha) or O(merge_request) if it does not exist yet, and for
        everything that trigger jobs have not started yet. A wrong name in a complete pipeline fails at once.
      - If a job or trigger job is retried during the wait, also by GitLab itself, the task waits for the new attempt.
        Failures are read twice before they count.
      - A request that is denied during a wait, or redirected to a login page, is repeated three times within ten
        seconds.
      - Check mode does not wait.
    type: bool
    default: false
  wait_timeout:
    description:
      - Timeout of the whole task in seconds, measured on a monotonic clock. GitLab's default timeout for jobs is also
        one hour.
      - V(0) reads once and does not wait.
      - When it expires, O(on_timeout) applies, even if the pipeline or its jobs do not exist yet.
    type: float
    default: 3600
  wait_interval:
    description:
      - Longest pause between two polls, in seconds. The first pause is one second, and each further pause is half
        as long again, up to this value, with some jitter. When some jobs have ended, the next poll comes halfway to the
        expected end of the others.
      - Each poll sends one request for each pipeline, for any number of jobs. For more than twenty jobs, it only counts
        the jobs that the task still waits for, if the server returns totals. It lists the jobs when the count shows
        that the wait may be over, or that there is something to decide or to show.
    type: float
    default: 10
    aliases:
      - interval
"""

    # Use it together with the standard block.
    JOBS = r"""
options:
  pending_timeout:
    description:
      - Fail the task when a job has been V(pending) for this many seconds, and report the runner tags that it requires.
        This reveals a missing runner long before O(wait_timeout).
      - Time before the job is queued, as in V(created) or V(waiting_for_resource), does not count. If omitted, only
        O(wait_timeout) limits the time in the queue.
      - Can only be used with O(wait=true).
    type: float
  on_timeout:
    description:
      - What to do when O(wait_timeout) expires.
      - V(fail) fails the task and leaves the jobs as they are.
      - V(continue) lets the task succeed with RV(timed_out=true), so that the playbook can decide what to do.
    type: str
    choices:
      - fail
      - continue
    default: fail
  log_follow:
    description:
      - Whether to show the log of the job line by line while the task waits. Color codes, section marks and time
        stamps are removed.
      - Requires O(wait=true) and a single job. When the job is retried, the log of the new attempt follows.
      - Has an effect only in Ansible's own process on the controller, where lines can be shown, and not with C(no_log).
        The result is the same in any case.
      - Secrets that GitLab has not masked in the log are not masked here either, except the token of this task.
      - A temporarily unreadable log does not fail the task. Job tokens cannot read logs.
    type: bool
    default: false
  ignore_allowed_failures:
    description:
      - Whether a job with C(allow_failure) may end with a status of O(fail_on) without failing the task. Its failure
        then also satisfies O(wait_for=success).
      - The default is V(false), because GitLab sets C(allow_failure) for manual jobs by default. Failed deployments
        would otherwise go unnoticed.
    type: bool
    default: false
"""

    # Use it together with the standard block.
    PIPELINES = r"""
options:
  wait_for:
    description:
      - State that the pipeline must reach. With several entries, any one of them is enough.
      - V(created) means that the pipeline exists, whatever its status.
      - V(finished) means V(success), V(failed), V(canceled) or V(skipped). O(fail_on) lists the statuses that fail the
        task.
      - V(success) means that the pipeline has succeeded. If it ends with another status, the task fails at once and
        lists the failed jobs.
      - V(manual) means that the pipeline is blocked by a manual job. Without V(manual), a blocked pipeline fails the
        task with the name of the job, because it does not continue until the job is played. Optional manual jobs do not
        block a pipeline.
      - Can only be used with O(wait=true).
    type: list
    elements: str
    choices:
      - created
      - finished
      - success
      - manual
  wait_interval:
    description:
      - Longest pause between two polls, in seconds. The first pause is one second, and each further pause is half
        as long again, up to this value, with some jitter. When some jobs have ended, the next poll comes halfway to the
        expected end of the others.
      - Each poll sends one request. For pipelines with more than twenty jobs, it reads only the record of the pipeline.
        It lists the jobs when the status of the pipeline has changed, and occasionally to show their progress.
    type: float
    default: 10
    aliases:
      - interval
  pending_timeout:
    description:
      - Fail the task when a job of the pipeline has been V(pending) for this many seconds, and report the runner tags
        that it requires. This reveals a missing runner long before O(wait_timeout).
      - If omitted, only O(wait_timeout) limits the time in the queue.
      - Can only be used with O(wait=true).
    type: float
"""
