# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options for the connection to the GitLab server."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options for modules. A second block adds the variables and settings of other plugins."""

    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - Address of the GitLab server, including its path if it is not installed at the root. C(/api/v4) and a trailing
        slash are optional.
      - If omitted, the first of E(GITLAB_API_URL), E(GITLAB_URL), E(GITLAB_SERVER_URL), E(GITLAB_HOST), E(GL_HOST) and
        E(CI_SERVER_URL) that is set and not empty is used. E(GITLAB_HOST) and E(GL_HOST) may be a host name without a
        scheme, which is then used with https. In a CI job, the default is the server of that job.
      - The token is sent only to this scheme, host and port. Downloads that GitLab redirects to another server, such as
        an object storage, are requested there without it. No other redirects to another server are followed, and none
        from https to http.
    type: str
    default: https://gitlab.com
  api_token:
    description:
      - A personal, project or group access token, sent in the header C(PRIVATE-TOKEN). Reading requires the scope
        C(read_api), and acting on jobs requires the scope C(api).
      - If no token option is set, the first of E(GITLAB_API_TOKEN), E(GITLAB_TOKEN) and E(GITLAB_PRIVATE_TOKEN) that is
        set and not empty is used. A token option of any kind takes precedence over all of them.
      - The token options are mutually exclusive. Without a token, requests are anonymous and can only read some of the
        data of public projects.
      - Usernames and passwords are not supported, because GitLab's API requires tokens.
    type: str
    aliases:
      - private_token
      - access_token
  api_oauth_token:
    description:
      - An OAuth 2.0 access token, sent in the header C(Authorization) as a bearer token.
      - If no token option is set, E(GITLAB_OAUTH_TOKEN) is used.
      - It is not refreshed if it expires during the task.
    type: str
  api_job_token:
    description:
      - The token of a running CI job, sent in the header C(JOB-TOKEN).
      - E(CI_JOB_TOKEN) is never used automatically, because the task would silently act as another user. To use it, set
        it here.
      - Job tokens have limited access. They can list the jobs of a project or pipeline in GitLab 18 and later, and read
        pipelines and trigger jobs in GitLab 19.2 and later. They cannot read logs, or play, retry, cancel or erase
        jobs; use O(api_token) instead.
      - Access to another project requires the project of the CI job on the allowlist of that project. If the allowlist
        entry has fine-grained permissions, it requires C(read_jobs) and C(read_pipelines).
    type: str
  ca_path:
    description:
      - File or folder with the CA certificates that verify the certificate of the server, for servers with a private
        CA.
      - Read on the machine that runs the task. Has no effect with O(validate_certs=false).
      - If omitted, the first of E(REQUESTS_CA_BUNDLE), E(CURL_CA_BUNDLE), E(SSL_CERT_FILE) and E(SSL_CERT_DIR) that is
        set is used, or else the certificates of the Python library C(requests).
    type: path
  client_cert:
    description:
      - PEM file with a client certificate, for servers that require one (mutual TLS). It may also contain the private
        key.
      - Read on the machine that runs the task. It is presented only to the server of O(api_url), not to proxies or
        object storages.
    type: path
  client_key:
    description:
      - PEM file with the private key of O(client_cert), if that file does not contain the key.
      - The key must not be encrypted.
    type: path
  http_headers:
    description:
      - Additional HTTP headers for every request to the server of O(api_url), for example for a proxy in front of
        GitLab. They are not sent to other servers.
      - Headers that identify the user or belong to the connection, such as C(Authorization), C(PRIVATE-TOKEN),
        C(Cookie) and C(Host), cannot be set.
      - An empty dictionary is the same as omitting the option.
      - Values of eight or more characters are masked in the output. If a task runs as a module, ansible-core 2.22 and
        later mask all values in the output of the play, even words such as V(prod).
    type: dict
  validate_certs:
    description:
      - Whether to verify the certificate of the server.
      - If V(false), anyone between you and the server can read the token. Set O(ca_path) instead whenever possible.
    type: bool
    default: true
  api_timeout:
    description:
      - Seconds to wait for a connection, and for each further part of an answer.
      - It limits how long the server may be silent, not how long the task may take.
      - A whole answer may take up to ten times as long, and no longer than the task. Downloads may take any time while
        each 64 KiB arrive within this time, unless the server sends no length.
    type: float
    default: 30
  api_retries:
    description:
      - How often to repeat a request after a dropped connection, a rate limit (429) or a server error (5xx).
      - A request that acts on a job is repeated only if it certainly was not executed. If its answer is lost, the task
        first reads the job again.
      - V(0) fails at the first error.
    type: int
    default: 5
  api_concurrency:
    description:
      - Maximum number of simultaneous requests of one task. Higher values read large pipelines and trees of pipelines
        faster. Lower values use less of the server's rate limit.
      - V(1) sends one request after the other. Tasks for several hosts count separately.
    type: int
    default: 8
  api_requests_per_minute:
    description:
      - Maximum number of requests that one task sends per minute. A task that waits polls less often, and reserves a
        tenth of the requests for those that cannot wait, such as playing a job.
      - Requests that this limit would delay beyond the timeout of the task are not sent. A wait then ends with the last
        known state; anything else is an error.
      - If omitted, the rate limit in GitLab's answers sets the pace of a wait. Tasks with the same token share that
        limit automatically.
    type: int
  extensions:
    description:
      - Python extensions to load, by the names of their entry points in the group C(jobgate.gitlab). Extensions can
        veto actions on jobs during a change freeze, write an audit log, annotate returned records, or connect through a
        special proxy. They cannot veto actions on pipelines, or approvals.
      - If omitted, E(JOBGATE_EXTENSIONS) is used, with the names separated by commas. An empty list loads no
        extensions, whatever that variable contains.
      - Only listed extensions are loaded, and a name that is not installed is an error. Extensions must be installed on
        the machine that runs the task.
    type: list
    elements: str
    default: []
notes:
  - Empty strings are errors for every option, so that an empty variable cannot select another server or user. V(null)
    is the same as omitting the option.
  - Connection options can also be set by variables with the prefix C(jobgate_gitlab_), such as
    C(jobgate_gitlab_api_url), and all except O(http_headers) in the section C(jobgate_gitlab) of C(ansible.cfg).
  - The environment variables E(HTTPS_PROXY), E(HTTP_PROXY), E(ALL_PROXY) and E(NO_PROXY) of the task set the proxies.
    SOCKS proxies also require the Python library C(PySocks).
"""

    # For plugins other than modules, together with the standard block.
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
