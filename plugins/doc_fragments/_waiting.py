# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options for waiting."""

from __future__ import annotations


class ModuleDocFragment:
    """Waiting, as far as it is the same everywhere; with a block for jobs, and one for whole pipelines."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until O(wait_for) is reached. Without it the task returns what is there now.
      - A wait goes on through restarts of the server, server errors, rate limits and dropped connections, until
        O(wait_timeout) has passed.
      - A pipeline that does not exist yet for O(ref), O(sha) or O(merge_request) is waited for. So is everything that a
        trigger job has yet to start. A wrong name in a complete pipeline is an error at once.
      - A job or trigger job that somebody else retries meanwhile is followed to its new attempt. So is a job that
        GitLab retries by itself; a failure is read twice before it counts.
      - A request that is denied in the middle of a wait, or led to a login page, is repeated three times within ten
        seconds.
      - In check mode nothing waits.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds for everything the task does, measured on a monotonic clock. GitLab's own limit for a job is one hour as
        well, unless the project says otherwise.
      - V(0) reads once and does not wait.
      - When they have passed, O(on_timeout) decides, whether the pipeline and its jobs exist by then or not.
    type: float
    default: 3600
  wait_interval:
    description:
      - The longest pause between two polls, in seconds. The first pause is one second. Each further pause is half as
        long again, until this value is reached. All have some jitter. When some jobs have ended, the next poll comes
        halfway to the time at which the others are expected to end.
      - One poll costs one request for each pipeline, however many jobs it has. Of more than twenty jobs it counts those
        that are still waited for, where the server gives totals. It lists the jobs when the count says that the wait
        may be over, or that there is something to decide or to show.
    type: float
    default: 10
    aliases:
      - interval
"""

    # To be used together with the standard block.
    JOBS = r"""
options:
  pending_timeout:
    description:
      - Fail the task when a job has been V(pending) for this many seconds, and say which runner tags it asks for. So a
        missing runner shows after minutes, and not only after O(wait_timeout).
      - Time before the queue, as in V(created) or V(waiting_for_resource), does not count. When it is not set, a job
        may be pending as long as O(wait_timeout) allows.
      - Can only be used with O(wait=true).
    type: float
  on_timeout:
    description:
      - What to do when O(wait_timeout) has passed.
      - V(fail) fails the task and leaves the jobs as they are.
      - V(continue) lets the task succeed with RV(timed_out) set to V(true), for playbooks that decide by themselves.
    type: str
    choices:
      - fail
      - continue
    default: fail
  log_follow:
    description:
      - Whether to show the log of the job, line by line as it grows, while the task waits. Colour codes, section marks
        and time stamps are removed.
      - Only with O(wait=true) and for a single job. When the job is retried, the log of the new attempt follows.
      - It has an effect only where lines can be shown, which is in Ansible's own process on the controller, and not
        with C(no_log). The result is the same either way.
      - Secrets that GitLab has not masked in the log are not masked here either, apart from the token of this task.
      - A log that cannot be read for a while does not fail the task. Job tokens cannot read logs.
    type: bool
    default: false
  ignore_allowed_failures:
    description:
      - Whether a job with C(allow_failure) may end in a state of O(fail_on) without failing the task. Its failure then
        also satisfies O(wait_for=success).
      - It is V(false) because GitLab gives C(allow_failure) to manual jobs by default. A deployment that was played and
        failed would otherwise pass unnoticed.
    type: bool
    default: false
"""

    # To be used together with the standard block.
    PIPELINES = r"""
options:
  wait_for:
    description:
      - What the pipeline has to reach. With several entries, any one of them is enough.
      - V(created) is a pipeline that exists, whatever becomes of it.
      - V(finished) is a pipeline that is V(success), V(failed), V(canceled) or V(skipped); O(fail_on) says which of
        these ends fail the task.
      - V(success) is a pipeline that has succeeded. When it has ended otherwise, the task fails at once and says which
        jobs have failed.
      - V(manual) is a pipeline that stands still at a manual job; GitLab's pages call it blocked. Without V(manual),
        such a pipeline fails the task, which names the job, since nobody would play it while the task waits. Jobs that
        nobody has to play do not count.
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
      - The longest pause between two polls, in seconds. The first pause is one second. Each further pause is half as
        long again, until this value is reached. All have some jitter. When some jobs have ended, the next poll comes
        halfway to the time at which the others are expected to end.
      - One poll costs one request. For a pipeline of more than twenty jobs that is its own record; the jobs are listed
        when its status has changed, and now and then to show how they are.
    type: float
    default: 10
    aliases:
      - interval
  pending_timeout:
    description:
      - Fail the task when a job of the pipeline has been V(pending) for this many seconds, and say which runner tags it
        asks for. So a missing runner shows after minutes, and not only after O(wait_timeout).
      - When it is not set, a job may be pending as long as O(wait_timeout) allows.
      - Can only be used with O(wait=true).
    type: float
"""
