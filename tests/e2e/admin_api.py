#!/usr/bin/env python3
"""Black box: sluice-control over HTTP, every resource in the order Terraform uses it (create, read, update, read, delete), and the
traps of reference/admin-api.md section 7 that concern them; one file of admin/ per resource. Usage: admin_api.py BUILD_DIR. Standard
library only."""
import signal
import sys
import tempfile
from pathlib import Path

from admin.api_keys import api_keys
from admin.basics import bearer, errors, health, reports
from admin.client import Client, check, count
from admin.configs import configs
from admin.integrations import integrations
from admin.people import people
from admin.policies import policies
from admin.process import canaries, make, start, stop, tls
from admin.providers import providers
from admin.workspaces import workspaces


def main():
    build = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="sluice-api-") as name:
        folder = Path(name) / "data"
        boot = make(build, folder)
        walk(build, folder, boot)
    print(f"{count.checked} checks, {count.failed} failed")
    sys.exit(1 if count.failed else 0)


def walk(build, folder, boot):
    program, port = start(build, folder)
    try:
        api = Client(port, boot["org_admin_key"])
        health(port)
        errors(api, port)
        bearer(port, boot["org_admin_key"])
        workspace_id, workspace_slug = workspaces(api)
        user_id = people(api, workspace_id)
        integration_id = integrations(api, workspace_id, workspace_slug)
        providers(api, workspace_id, integration_id)
        config_id, _ = configs(api, workspace_id)
        key_id = api_keys(api, port, workspace_id, config_id, user_id)
        policies(api, workspace_id, workspace_slug)
        reports(api)
        canaries(api, program.pid, workspace_id, folder)
        program.send_signal(signal.SIGKILL)
        program.wait()
        program, port = start(build, folder)
        api = Client(port, boot["org_admin_key"])
        check(api.get(f"/api-keys/{key_id}")["name"] == "ws", "an answered change survives kill -9")
        api.delete("/integrations/openai-prod")
        check(api.get(f"/providers?workspace_id={workspace_id}")["total"] == 0, "its providers went with it")
        api.delete(f"/admin/workspaces/{workspace_id}", {"name": "Team B", "force_delete": True})
        api.get(f"/api-keys/{key_id}", 404)
        check(b"canary" not in (folder / "control.log").read_bytes(), "no key in the log")
        check(all(b"canary" not in path.read_bytes() for path in (folder / "store").iterdir()), "no key in the store's files")
    finally:
        stop(program)
    tls(build, folder, boot["org_admin_key"])


main()
