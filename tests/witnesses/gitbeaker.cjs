// Copyright (c) 2026, the jobgate.gitlab contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Makes the calls that @gitbeaker/rest has; see witness.py for what is read and written.
"use strict";

const readline = require("node:readline");
const { Gitlab } = require("@gitbeaker/rest");

const [url, token, triggerToken] = process.argv.slice(2);
const api = new Gitlab({ host: url, token });
const SHA = "c0ffee" + "0".repeat(34);

const CALLS = {
  "current user": () => api.Users.showCurrentUser(),
  "metadata": () => api.Metadata.show(),
  "list projects": () => api.Projects.all({ membership: true }),
  "project by path": () => api.Projects.show("group/app"),
  "project by id": () => api.Projects.show(7),
  "project that is hidden": () => api.Projects.show("group/secret"),
  "commit of a branch": () => api.Commits.show(7, "release"),
  "commit that is not there": () => api.Commits.show(7, "f".repeat(40)),
  "list jobs": () => api.Jobs.all(7),
  "list jobs in pages of two": () => api.Jobs.all(7, { perPage: 2 }),
  "list jobs by keyset": () => api.Jobs.all(7, { pagination: "keyset", orderBy: "id", sort: "desc", perPage: 5 }),
  "list failed and running jobs": () => api.Jobs.all(7, { scope: ["failed", "running"] }),
  "list jobs of a wrong status": () => api.Jobs.all(7, { scope: "nonsense" }),
  "list jobs of a pipeline": () => api.Jobs.all(7, { pipelineId: 100 }),
  "list them with retried ones": () => api.Jobs.all(7, { pipelineId: 100, includeRetried: true }),
  "list jobs of an unknown pipeline": () => api.Jobs.all(7, { pipelineId: 999 }),
  "list bridges": () => api.Jobs.allPipelineBridges(7, 100),
  "get a job": () => api.Jobs.show(7, 1000),
  "get a job that failed": () => api.Jobs.show("group/app", 1001),
  "get a bridge as a job": () => api.Jobs.show(7, 1005),
  "get a log": () => api.Jobs.showLog(7, 1000),
  "get a log that is empty": () => api.Jobs.showLog(7, 1003),
  "download an archive": () => api.JobArtifacts.downloadArchive(7, { jobId: 1000 }),
  "download a file": () => api.JobArtifacts.downloadArchive(7, { jobId: 1000, artifactPath: "tool.bin" }),
  "download a text": () => api.JobArtifacts.downloadArchive(7, { jobId: 1000, artifactPath: "notes.txt" }),
  "get a file with JSON": () => api.JobArtifacts.downloadArchive(7, { jobId: 1000, artifactPath: "sub/data.json" }),
  "download a file that is not there": () => api.JobArtifacts.downloadArchive(7, { jobId: 1000, artifactPath: "no" }),
  "download an archive by ref": () => api.JobArtifacts.downloadArchive(7, { ref: "stable", job: "build" }),
  "download a file by ref": () =>
    api.JobArtifacts.downloadArchive(7, { ref: "stable", job: "build", artifactPath: "tool.bin" }),
  "download by a ref without success": () => api.JobArtifacts.downloadArchive(7, { ref: "release", job: "build" }),
  "keep artifacts": () => api.JobArtifacts.keep(7, 1000),
  "delete artifacts": () => api.JobArtifacts.remove(7, { jobId: 1000 }),
  "delete artifacts of the project": () => api.JobArtifacts.remove(7),
  "play a job": () => api.Jobs.play(7, 1003),
  "play a job with variables": () => api.Jobs.play(7, 1003, { jobVariablesAttributes: [{ key: "A", value: "1" }] }),
  "play a job that cannot be played": () => api.Jobs.play(7, 1000),
  "play a job without approval": () => api.Jobs.play(7, 1004),
  "retry a job": () => api.Jobs.retry(7, 1001),
  "retry a running job": () => api.Jobs.retry(7, 1002),
  "cancel a job": () => api.Jobs.cancel(7, 1002),
  "cancel a finished job": () => api.Jobs.cancel(7, 1000),
  "erase a job": () => api.Jobs.erase(7, 1000),
  "erase a running job": () => api.Jobs.erase(7, 1002),
  "list pipelines": () => api.Pipelines.all(7),
  "list pipelines of a ref and status": () => api.Pipelines.all(7, { ref: "release", status: "failed" }),
  "list pipelines of a commit": () => api.Pipelines.all(7, { sha: SHA }),
  "list pipelines of a user and source": () => api.Pipelines.all(7, { username: "olga", source: "web" }),
  "list finished pipelines, oldest first": () => api.Pipelines.all(7, { scope: "finished", sort: "asc" }),
  "list pipelines changed since": () => api.Pipelines.all(7, { updatedAfter: "2026-01-05T11:30:00Z" }),
  "list child pipelines": () => api.Pipelines.all(7, { source: "parent_pipeline" }),
  "list pipelines of a wrong status": () => api.Pipelines.all(7, { status: "nonsense" }),
  "list pipelines of a merge request": () => api.MergeRequests.allPipelines(7, 5),
  "get a pipeline": () => api.Pipelines.show(7, 100),
  "get a pipeline that is not there": () => api.Pipelines.show(7, 999),
  "get the latest pipeline": () => api.Pipelines.showLatest(7),
  "get the latest pipeline of a ref": () => api.Pipelines.showLatest(7, { ref: "release" }),
  "get the latest pipeline of an unknown ref": () => api.Pipelines.showLatest(7, { ref: "nothing" }),
  "get variables of a pipeline": () => api.Pipelines.allVariables(7, 100),
  "get a test report": () => api.Pipelines.showTestReport(7, 100),
  "get a summary of tests": () => api.Pipelines.showTestReportSummary(7, 100),
  "create a pipeline": () => api.Pipelines.create(7, "main"),
  "create a pipeline with variables": () =>
    api.Pipelines.create(7, "main", { variables: [{ key: "A", value: "1" }] }),
  "create a pipeline of an unknown ref": () => api.Pipelines.create(7, "nothing"),
  "create a pipeline that rules forbid": () => api.Pipelines.create(7, "release"),
  "trigger a pipeline": () => api.PipelineTriggerTokens.trigger(7, "main", triggerToken, { variables: { A: "1" } }),
  "trigger with a wrong token": () => api.PipelineTriggerTokens.trigger(7, "main", "wrong"),
  "retry a pipeline": () => api.Pipelines.retry(7, 101),
  "cancel a pipeline": () => api.Pipelines.cancel(7, 103),
  "delete a pipeline": () => api.Pipelines.remove(7, 101),
  "list blocked deployments": () => api.Deployments.all(7, { environment: "production", status: "blocked" }),
  "get a deployment": () => api.Deployments.show(7, 1),
  "approve a deployment": () => api.Deployments.setApproval(7, 1, "approved"),
  "reject a deployment": () => api.Deployments.setApproval(7, 1, "rejected", { comment: "not today" }),
  "approve with a wrong word": () => api.Deployments.setApproval(7, 1, "maybe"),
  "list environments": () => api.Environments.all(7),
  "get an environment": () => api.Environments.show(7, 1),
  "list freeze periods": () => api.FreezePeriods.all(7),
  "ask for what does not exist": () => api.PipelineSchedules.all(7),
};

async function plain(value) {
  if (value instanceof Blob) return { base64: Buffer.from(await value.arrayBuffer()).toString("base64") };
  return value === undefined ? null : value;
}

async function outcome(name) {
  try {
    return { result: await plain(await CALLS[name]()) };
  } catch (error) {
    const response = error.cause?.response;
    return { error: { status: response ? response.status : 0, text: String(error.cause?.description ?? error) } };
  }
}

async function main() {
  const say = (data) => process.stdout.write(JSON.stringify(data) + "\n");
  say(Object.keys(CALLS));
  for await (const name of readline.createInterface({ input: process.stdin })) say(await outcome(name));
}

main();
