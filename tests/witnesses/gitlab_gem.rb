# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Makes the calls that the gem gitlab has; see witness.py for what is read and written. It sends forms, and the token as
# a bearer token. It takes what is text for JSON. It returns true for an empty answer.
# frozen_string_literal: true

require 'base64'
require 'gitlab'
require 'json'

$stdout.sync = true
URL, TOKEN, TRIGGER_TOKEN = ARGV
API = Gitlab.client(endpoint: "#{URL}/api/v4", private_token: TOKEN)
SHA = "c0ffee#{'0' * 34}"

CALLS = {
  'current user' => -> { API.user },
  'version' => -> { API.version },
  'list projects' => -> { API.projects(membership: true) },
  'project by path' => -> { API.project('group/app') },
  'project by id' => -> { API.project(7) },
  'project that is hidden' => -> { API.project('group/secret') },
  'commit of a branch' => -> { API.commit(7, 'release') },
  'commit that is not there' => -> { API.commit(7, 'f' * 40) },
  'list jobs' => -> { API.jobs(7) },
  'list jobs in pages of two' => -> { API.jobs(7, per_page: 2) },
  'list failed and running jobs' => -> { API.jobs(7, scope: %w[failed running]) },
  'list jobs of a wrong status' => -> { API.jobs(7, scope: 'nonsense') },
  'list jobs of a pipeline' => -> { API.pipeline_jobs(7, 100) },
  'list them with retried ones' => -> { API.pipeline_jobs(7, 100, include_retried: true) },
  'list jobs of an unknown pipeline' => -> { API.pipeline_jobs(7, 999) },
  'list bridges' => -> { API.pipeline_bridges(7, 100) },
  'get a job' => -> { API.job(7, 1000) },
  'get a job that failed' => -> { API.job('group/app', 1001) },
  'get a bridge as a job' => -> { API.job(7, 1005) },
  'get a log' => -> { API.job_trace(7, 1000) },
  'get a log that is empty' => -> { API.job_trace(7, 1003) },
  'download a file' => -> { API.download_job_artifact_file(7, 1000, 'tool.bin') },
  'download a file that is not there' => -> { API.download_job_artifact_file(7, 1000, 'no') },
  'download an archive by ref' => -> { API.job_artifacts_download(7, 'stable', 'build') },
  'download a file by ref' => -> { API.download_branch_artifact_file(7, 'stable', 'tool.bin', 'build') },
  'download by a ref without success' => -> { API.job_artifacts_download(7, 'release', 'build') },
  'keep artifacts' => -> { API.job_artifacts_keep(7, 1000) },
  'delete artifacts' => -> { API.job_artifacts_delete(7, 1000) },
  'play a job' => -> { API.job_play(7, 1003) },
  'play a job that cannot be played' => -> { API.job_play(7, 1000) },
  'play a job without approval' => -> { API.job_play(7, 1004) },
  'retry a job' => -> { API.job_retry(7, 1001) },
  'retry a running job' => -> { API.job_retry(7, 1002) },
  'cancel a job' => -> { API.job_cancel(7, 1002) },
  'cancel a finished job' => -> { API.job_cancel(7, 1000) },
  'erase a job' => -> { API.job_erase(7, 1000) },
  'erase a running job' => -> { API.job_erase(7, 1002) },
  'list pipelines' => -> { API.pipelines(7) },
  'list pipelines of a ref and status' => -> { API.pipelines(7, ref: 'release', status: 'failed') },
  'list pipelines of a commit' => -> { API.pipelines(7, sha: SHA) },
  'list pipelines of a user and source' => -> { API.pipelines(7, username: 'olga', source: 'web') },
  'list finished pipelines, oldest first' => -> { API.pipelines(7, scope: 'finished', sort: 'asc') },
  'list pipelines changed since' => -> { API.pipelines(7, updated_after: '2026-01-05T11:30:00Z') },
  'list child pipelines' => -> { API.pipelines(7, source: 'parent_pipeline') },
  'list pipelines of a wrong status' => -> { API.pipelines(7, status: 'nonsense') },
  'list pipelines of a merge request' => -> { API.merge_request_pipelines(7, 5) },
  'get a pipeline' => -> { API.pipeline(7, 100) },
  'get a pipeline that is not there' => -> { API.pipeline(7, 999) },
  'get the latest pipeline' => -> { API.pipeline(7, 'latest') },
  'get a test report' => -> { API.pipeline_test_report(7, 100) },
  'create a pipeline' => -> { API.create_pipeline(7, 'main') },
  'create a pipeline with variables' => -> { API.create_pipeline(7, 'main', { A: '1' }) },
  'create a pipeline of an unknown ref' => -> { API.create_pipeline(7, 'nothing') },
  'create a pipeline that rules forbid' => -> { API.create_pipeline(7, 'release') },
  'trigger a pipeline' => -> { API.run_trigger(7, TRIGGER_TOKEN, 'main', { A: '1' }) },
  'trigger with a wrong token' => -> { API.run_trigger(7, 'wrong', 'main') },
  'retry a pipeline' => -> { API.retry_pipeline(7, 101) },
  'cancel a pipeline' => -> { API.cancel_pipeline(7, 103) },
  'delete a pipeline' => -> { API.delete_pipeline(7, 101) },
  'list blocked deployments' => -> { API.deployments(7, environment: 'production', status: 'blocked') },
  'get a deployment' => -> { API.deployment(7, 1) },
  'list environments' => -> { API.environments(7) },
  'get an environment' => -> { API.environment(7, 1) },
  'ask for what does not exist' => -> { API.pipeline_schedules(7) }
}.freeze

def plain(value)
  case value
  when Gitlab::PaginatedResponse then value.auto_paginate.map(&:to_h)
  when Gitlab::ObjectifiedHash then value.to_h
  when Gitlab::FileResponse then { base64: Base64.strict_encode64(value.to_hash[:data].read) }
  else value
  end
end

def outcome(name)
  { result: plain(CALLS[name].call) }
rescue Gitlab::Error::ResponseError => e
  { error: { status: e.response_status, text: e.message } }
rescue StandardError => e
  { error: { status: 0, text: "#{e.class}: #{e.message}" } }
end

puts JSON.generate(CALLS.keys)
$stdin.each_line(chomp: true) { |name| puts JSON.generate(outcome(name)) }
