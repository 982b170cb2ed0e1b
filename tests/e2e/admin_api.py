#!/usr/bin/env python3
"""Black box: sluice-control over HTTP, every resource in the order Terraform uses it (create, read, update, read, delete), and the
traps of reference/admin-api.md section 7 that concern them; one module per resource. Usage: admin_api.py BUILD_DIR. Standard library only."""
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from admin_api_keys import api_keys
from admin_client import Client, check, finish, make, start, stop
from admin_configs import configs
from admin_integrations import integrations
from admin_people import console, invites, people
from admin_policies import policies
from admin_providers import providers
from admin_server import bearer, canaries, errors, health, tls
from admin_workspaces import workspaces


def reports(api):
    check(api.get("/data-planes")["object"] == "list", "data planes")
    for group in ("provider", "model", "key", "day", "workspace", "integration"):
        usage = api.get(f"/usage?group_by={group}&from=2026-01-01&to=2026-12-31")
        check(usage["data"] == [] and usage["totals"]["requests"] == 0 and usage["totals"]["cost_usd"] == 0, "usage", usage.body)
    api.get("/usage?group_by=colour", 400)
    logs = api.get("/audit-logs?start_time=2020-01-01T00:00:00Z&end_time=2100-01-01T00:00:00Z&page_size=5")
    check(len(logs["records"]) == 5 and logs["total"] > 5 and b"canary" not in logs.raw, "audit", logs.raw)
    bodies = [json.loads(r["request_body"]) for r in api.get("/audit-logs?resource_type=integration&page_size=100")["records"] if r["request_body"]]
    check(any(b.get("key") == "***" and b.get("configurations", {}).get("custom_headers") == "***" for b in bodies), "what was asked, without secrets", bodies)
    record = logs["records"][0]
    check(record["user_type"] == "api_key" and record["method"] in ("POST", "PUT", "DELETE") and record["action"], "audit record", record)
    settings = api.get("/admin/organisation")
    check(settings["workspace_integrations"] == "admins_and_managers", "organisation", settings.body)


def audit(api, build, folder):
    """What was done and what was refused, with the states before and after; the chain proves itself beside the running server."""
    made = api.post("/admin/workspaces", {"name": "Audited", "description": "one"})
    api.put(f"/admin/workspaces/{made['id']}", {"description": "two"})
    api.put(f"/admin/workspaces/{made['id']}", {"description": 2}, 400)
    records = api.get(f"/audit-logs?resource_id={made['id']}")["records"]
    check([r["response_status_code"] for r in records] == [400, 200, 200], "refusals are recorded", records)
    check(records[1]["before"]["description"] == "one" and records[1]["after"]["description"] == "two", "before and after", records[1])
    api.delete(f"/admin/workspaces/{made['id']}", {"force_delete": True})
    done = subprocess.run([build / "bin/sluicectl", "audit", "verify", "--json", "--data-dir", folder], stdout=subprocess.PIPE, check=True)
    chain = json.loads(done.stdout)
    check(chain["audit_intact"] is True and chain["audit_records"] > 100, "sluicectl audit verify", chain)


def main():
    build = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="sluice-api-") as name:
        folder = Path(name) / "data"
        boot = make(build, folder)
        walk(build, folder, boot)
    finish()


def walk(build, folder, boot):
    program, port = start(build, folder)
    try:
        api = Client(port, boot["org_admin_key"])
        health(port)
        errors(api, port)
        bearer(port, boot["org_admin_key"])
        workspace_id, workspace_slug = workspaces(api)
        user_id = people(api, workspace_id)
        invites(api, port, workspace_slug)
        console(api, port, build, folder, boot, workspace_slug, workspace_id)
        integration_id = integrations(api, workspace_id, workspace_slug)
        providers(api, workspace_id, integration_id)
        config_id, _ = configs(api, workspace_id)
        key_id = api_keys(api, port, workspace_id, config_id, user_id)
        policies(api, workspace_id, workspace_slug)
        reports(api)
        audit(api, build, folder)
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
