# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Makes the calls that GitLab::API::v4 has; see witness.py for what is read and written. It decodes every answer as
# JSON, so it has no calls for logs and archives.
use strict;
use warnings;
use GitLab::API::v4;
use JSON;

$| = 1;
my ($url, $token, $trigger_token) = @ARGV;
my $api = GitLab::API::v4->new(url => "$url/api/v4", private_token => $token);
my $json = JSON->new->utf8->allow_nonref->canonical;
my $sha = 'c0ffee' . '0' x 34;

sub all { return $api->paginator(@_)->all() }

my %calls = (
    'current user' => sub { $api->current_user() },
    'version' => sub { $api->version() },
    'list projects' => sub { all('projects', { membership => 'true' }) },
    'project by path' => sub { $api->project('group/app') },
    'project by id' => sub { $api->project(7) },
    'project that is hidden' => sub { $api->project('group/secret') },
    'commit of a branch' => sub { $api->commit(7, 'release') },
    'commit that is not there' => sub { $api->commit(7, 'f' x 40) },
    'list jobs' => sub { all('jobs', 7) },
    'list jobs in pages of two' => sub { all('jobs', 7, { per_page => 2 }) },
    'list failed and running jobs' => sub { all('jobs', 7, { 'scope[]' => ['failed', 'running'] }) },
    'list jobs of a wrong status' => sub { $api->jobs(7, { scope => 'nonsense' }) },
    'list jobs of a pipeline' => sub { all('pipeline_jobs', 7, 100) },
    'list them with retried ones' => sub { all('pipeline_jobs', 7, 100, { include_retried => 'true' }) },
    'list jobs of an unknown pipeline' => sub { $api->pipeline_jobs(7, 999) },
    'get a job' => sub { $api->job(7, 1000) },
    'get a job that failed' => sub { $api->job('group/app', 1001) },
    'get a bridge as a job' => sub { $api->job(7, 1005) },
    'get a file with JSON' => sub { $api->job_artifacts_file(7, 1000, 'sub/data.json') },
    'download a file that is not there' => sub { $api->job_artifacts_file(7, 1000, 'no') },
    'download by a ref without success' => sub { $api->job_artifacts_archive(7, 'release', { job => 'build' }) },
    'keep artifacts' => sub { $api->keep_job_artifacts(7, 1000) },
    'play a job' => sub { $api->play_job(7, 1003) },
    'play a job that cannot be played' => sub { $api->play_job(7, 1000) },
    'play a job without approval' => sub { $api->play_job(7, 1004) },
    'retry a job' => sub { $api->retry_job(7, 1001) },
    'retry a running job' => sub { $api->retry_job(7, 1002) },
    'cancel a job' => sub { $api->cancel_job(7, 1002) },
    'cancel a finished job' => sub { $api->cancel_job(7, 1000) },
    'erase a job' => sub { $api->erase_job(7, 1000) },
    'erase a running job' => sub { $api->erase_job(7, 1002) },
    'list pipelines' => sub { all('pipelines', 7) },
    'list pipelines of a ref and status' => sub { all('pipelines', 7, { ref => 'release', status => 'failed' }) },
    'list pipelines of a commit' => sub { all('pipelines', 7, { sha => $sha }) },
    'list pipelines of a user and source' => sub { all('pipelines', 7, { username => 'olga', source => 'web' }) },
    'list finished pipelines, oldest first' => sub { all('pipelines', 7, { scope => 'finished', sort => 'asc' }) },
    'list pipelines changed since' => sub { all('pipelines', 7, { updated_after => '2026-01-05T11:30:00Z' }) },
    'list child pipelines' => sub { all('pipelines', 7, { source => 'parent_pipeline' }) },
    'list pipelines of a wrong status' => sub { $api->pipelines(7, { status => 'nonsense' }) },
    'get a pipeline' => sub { $api->pipeline(7, 100) },
    'get a pipeline that is not there' => sub { $api->pipeline(7, 999) },
    'get the latest pipeline' => sub { $api->pipeline(7, 'latest') },
    'create a pipeline' => sub { $api->create_pipeline(7, { ref => 'main' }) },
    'create a pipeline with variables' => sub {
        $api->create_pipeline(7, { ref => 'main', variables => [{ key => 'A', value => '1' }] });
    },
    'create a pipeline of an unknown ref' => sub { $api->create_pipeline(7, { ref => 'nothing' }) },
    'create a pipeline that rules forbid' => sub { $api->create_pipeline(7, { ref => 'release' }) },
    'trigger a pipeline' => sub {
        $api->trigger_pipeline(7, { ref => 'main', token => $trigger_token, variables => { A => '1' } });
    },
    'trigger with a wrong token' => sub { $api->trigger_pipeline(7, { ref => 'main', token => 'wrong' }) },
    'retry a pipeline' => sub { $api->retry_pipeline_jobs(7, 101) },
    'cancel a pipeline' => sub { $api->cancel_pipeline_jobs(7, 103) },
    'delete a pipeline' => sub { $api->delete_pipeline(7, 101) },
    'list blocked deployments' => sub { all('deployments', 7, { environment => 'production', status => 'blocked' }) },
    'get a deployment' => sub { $api->deployment(7, 1) },
    'list environments' => sub { all('environments', 7) },
    'ask for what does not exist' => sub { $api->pipeline_schedules(7) },
);

sub outcome {
    my ($name) = @_;
    my $result = eval { $calls{$name}->() };
    my $failure = $@;
    my $response = $api->rest_client->http_tiny_response();
    # it returns nothing at all for what is not there
    return { result => $result } if !$failure and $response->{status} < 400;
    return { error => { status => $response->{status} + 0, text => $response->{content} || $failure } };
}

print $json->encode([sort keys %calls]), "\n";
while (my $name = <STDIN>) {
    chomp $name;
    print $json->encode(outcome($name)), "\n";
}
