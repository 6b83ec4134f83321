# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options for the way to the GitLab server."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options, for modules; with a second block for other plugins."""

    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - Address of the GitLab server, with the path below which it is installed, if any. C(/api/v4) and a slash at the
        end make no difference.
      - When it is not given, the first of E(GITLAB_API_URL), E(GITLAB_URL), E(GITLAB_SERVER_URL), E(GITLAB_HOST),
        E(GL_HOST) and E(CI_SERVER_URL) that is set and not empty is used. E(GITLAB_HOST) and E(GL_HOST) may hold the
        bare name of a host, which is then asked by https. In a CI job this is the server of that job.
      - The token travels to this scheme, host and port only. A download that GitLab redirects to another server, such
        as an object storage, comes from there without it. No other redirect to another server is followed, and none
        from https to http.
    type: str
    default: https://gitlab.com
  api_token:
    description:
      - A personal, project or group access token, sent in the header C(PRIVATE-TOKEN). To read it needs the scope
        C(read_api), to act on jobs the scope C(api).
      - When no token option is given, the first of E(GITLAB_API_TOKEN), E(GITLAB_TOKEN) and E(GITLAB_PRIVATE_TOKEN)
        that is set and not empty is used. A token given as an option, of whatever kind, beats all of them.
      - At most one token can be given; two are an error. With none at all the request is anonymous, which is enough
        only for reading public projects, and there not for everything.
      - User names and passwords are not supported; GitLab's API takes tokens.
    type: str
    aliases:
      - private_token
      - access_token
  api_oauth_token:
    description:
      - An OAuth 2.0 access token, sent in the header C(Authorization) as a bearer token.
      - When no token option is given, E(GITLAB_OAUTH_TOKEN) is used.
      - It is not renewed when it expires during the task.
    type: str
  api_job_token:
    description:
      - The token of a running CI job, sent in the header C(JOB-TOKEN).
      - E(CI_JOB_TOKEN) is never used automatically, because the task would silently act as another user. Name it here
        if you want it.
      - GitLab lets a job token do little. It can list the jobs of a project or pipeline from GitLab 18 on, and read
        pipelines and trigger jobs from GitLab 19.2 on. It cannot read a log, nor play, retry, cancel or erase a job;
        use O(api_token) for that.
      - In another project than its own it works only if that project has the project of the CI job on its allowlist.
        Where the entry names permissions, these are C(read_jobs) and C(read_pipelines).
    type: str
  ca_path:
    description:
      - File or folder with the certificates of the authorities that may have signed the server's certificate, for
        servers with a certificate of the company's own authority.
      - Read on the machine that runs the task. Without effect when O(validate_certs=false).
      - When it is not set, the first of E(REQUESTS_CA_BUNDLE), E(CURL_CA_BUNDLE), E(SSL_CERT_FILE) and E(SSL_CERT_DIR)
        that is set is used, and else the certificates that come with the Python library C(requests).
    type: path
  client_cert:
    description:
      - File in PEM format with a client certificate, for servers that demand one (mutual TLS). It may hold the private
        key as well.
      - Read on the machine that runs the task. It is shown to the server of O(api_url) only, not to a proxy, nor to an
        object storage that a download is redirected to.
    type: path
  client_key:
    description:
      - File in PEM format with the private key of O(client_cert), when that file does not hold it.
      - The key must not be encrypted.
    type: path
  http_headers:
    description:
      - Further HTTP headers to send with every request to the server of O(api_url), for a proxy in front of GitLab. No
        other server gets them.
      - Headers that identify the user or belong to the connection, like C(Authorization), C(PRIVATE-TOKEN), C(Cookie)
        and C(Host), cannot be set.
      - An empty dictionary is the same as leaving the option out.
      - From ansible-core 2.22 on, Ansible hides the values in everything that the play shows, words such as V(prod)
        among them.
    type: dict
  validate_certs:
    description:
      - Whether the server's certificate is verified.
      - Anyone between you and the server can read the token when this is V(false). Give O(ca_path) instead wherever you
        can.
    type: bool
    default: true
  api_timeout:
    description:
      - Seconds to wait for a connection, and for each further piece of an answer.
      - It limits how long the server may be silent, not how long the whole task may take.
      - An answer that comes in small pieces may take ten times as long, and no longer than the task. A download may
        take any time as long as each 64 KiB of it arrive within this time, unless the server announces no length.
    type: float
    default: 30
  api_retries:
    description:
      - How often a request is repeated after a dropped connection, a rate limit (429) or a server error (5xx).
      - A request that acts on a job is repeated only if it certainly was not executed. When its answer is lost, the
        job is read again before anything else is done.
      - V(0) reports the first fault.
    type: int
    default: 5
  api_concurrency:
    description:
      - The most requests that one task has under way at the same time. A higher value reads big pipelines and trees of
        pipelines faster. A lower value spares the server's rate limit.
      - V(1) sends one request after the other. Tasks for several hosts each count for themselves.
    type: int
    default: 8
  api_requests_per_minute:
    description:
      - The most requests that one task makes in a minute. A task that waits polls less often then, and leaves a tenth
        of them to requests that cannot wait, such as playing a job.
      - A request for which it leaves no time before the time limit of the task is not sent. A wait then ends with what
        it has seen last, anything else is an error.
      - When it is not given, the limit that GitLab tells with its answers sets the pace of a wait. Tasks that share a
        token share that limit without further settings.
    type: int
  extensions:
    description:
      - Python extensions to load, by the name of their entry point in the group C(jobgate.gitlab). They can veto an
        action on jobs during a change freeze, write an audit log, annotate what is returned, or go through a special
        proxy. They are not asked about actions on pipelines, nor about approvals.
      - When it is not given, E(JOBGATE_EXTENSIONS) is used, with the names separated by commas. An empty list loads
        none, whatever that variable says.
      - Nothing is loaded that is not named, and a name that is not installed is an error. An extension has to be
        installed where the task runs.
    type: list
    elements: str
    default: []
notes:
  - An empty text is an error for every option, so that an empty variable leads neither to another server nor to another
    user. V(null) is the same as leaving the option out.
  - Connection options can also be set by variables such as C(jobgate_gitlab_api_url), and all but O(http_headers) in
    the section C(jobgate_gitlab) of C(ansible.cfg). The names are those of the options, for variables with
    C(jobgate_gitlab_) before them.
  - Proxies are those of E(HTTPS_PROXY), E(HTTP_PROXY), E(ALL_PROXY) and E(NO_PROXY) in the environment of the task. A
    SOCKS proxy needs the Python library C(PySocks) as well.
"""

    # To be used together with the standard block, by plugins that are not modules.
    PLUGINS = r"""
options:
  api_url:
    env:
      - name: GITLAB_API_URL
      - name: GITLAB_URL
      - name: GITLAB_SERVER_URL
      - name: GITLAB_HOST
      - name: GL_HOST
      - name: CI_SERVER_URL
    ini:
      - section: jobgate_gitlab
        key: api_url
    vars:
      - name: jobgate_gitlab_api_url
  api_token:
    env:
      - name: GITLAB_API_TOKEN
      - name: GITLAB_TOKEN
      - name: GITLAB_PRIVATE_TOKEN
    ini:
      - section: jobgate_gitlab
        key: api_token
    vars:
      - name: jobgate_gitlab_api_token
  api_oauth_token:
    env:
      - name: GITLAB_OAUTH_TOKEN
    ini:
      - section: jobgate_gitlab
        key: api_oauth_token
    vars:
      - name: jobgate_gitlab_api_oauth_token
  api_job_token:
    ini:
      - section: jobgate_gitlab
        key: api_job_token
    vars:
      - name: jobgate_gitlab_api_job_token
  ca_path:
    ini:
      - section: jobgate_gitlab
        key: ca_path
    vars:
      - name: jobgate_gitlab_ca_path
  client_cert:
    ini:
      - section: jobgate_gitlab
        key: client_cert
    vars:
      - name: jobgate_gitlab_client_cert
  client_key:
    ini:
      - section: jobgate_gitlab
        key: client_key
    vars:
      - name: jobgate_gitlab_client_key
  http_headers:
    vars:
      - name: jobgate_gitlab_http_headers
  validate_certs:
    ini:
      - section: jobgate_gitlab
        key: validate_certs
    vars:
      - name: jobgate_gitlab_validate_certs
  api_timeout:
    ini:
      - section: jobgate_gitlab
        key: api_timeout
    vars:
      - name: jobgate_gitlab_api_timeout
  api_retries:
    ini:
      - section: jobgate_gitlab
        key: api_retries
    vars:
      - name: jobgate_gitlab_api_retries
  api_concurrency:
    ini:
      - section: jobgate_gitlab
        key: api_concurrency
    vars:
      - name: jobgate_gitlab_api_concurrency
  api_requests_per_minute:
    ini:
      - section: jobgate_gitlab
        key: api_requests_per_minute
    vars:
      - name: jobgate_gitlab_api_requests_per_minute
  extensions:
    env:
      - name: JOBGATE_EXTENSIONS
    ini:
      - section: jobgate_gitlab
        key: extensions
    vars:
      - name: jobgate_gitlab_extensions
"""
