"""Configs and their versions."""
import json
import re

from admin_client import check


def configs(api, workspace_id):
    document = {"strategy": {"mode": "single"}, "override_params": {"model": "@openai-prod/gpt-4o-mini", "temperature": 0.70, "seed": 9007199254740993}}
    made = api.post("/configs", {"name": "My Config", "config": document, "workspace_id": workspace_id, "isDefault": 1})
    check(re.match(r"^pc-my-config-[0-9a-f]{6}$", made["slug"]) and made["version_id"] and made["data"]["id"] == made["id"], "config made", made.body)
    read = api.get(f"/configs/{made['slug']}")
    check(read["config"] == document and read["data"]["config"] == document and read["is_default"] == 1 and b"9007199254740993" in read.raw, "config read", read.raw)
    for name in ("workspace_id", "organisation_id", "owner_id", "format", "type", "version_id", "status"):
        check(read[name], f"config has {name}")
    second = api.post("/configs", {"name": "Other", "config": json.dumps(document), "workspace_id": workspace_id, "is_default": 1})
    check(api.get(f"/configs/{made['id']}")["is_default"] == 0 and api.get(f"/configs/{second['slug']}")["is_default"] == 1, "one default")
    changed = api.put(f"/configs/{made['slug']}", {"name": "My Config", "config": {"retry": {"attempts": 2}}})
    check(changed["version_id"] != made["version_id"], "a new version")
    versions = api.get(f"/configs/{made['slug']}/versions")["data"]
    check([v["config"] for v in versions] == [document, {"retry": {"attempts": 2}}], "versions", versions)
    listed = api.get(f"/configs?workspace_id={workspace_id}")
    check(listed["total"] == 2 and listed["success"] is True and listed["object"] == "list", "list")
    check("config" in api.post("/configs", {"name": "x", "config": "nope", "workspace_id": workspace_id}, 400)["message"], "no JSON object")
    check("workspace_id" in api.post("/configs", {"name": "x", "config": {}}, 400)["message"], "an organisation key names the workspace")
    api.delete(f"/configs/{second['id']}")
    check(api.get(f"/configs?workspace_id={workspace_id}")["total"] == 1, "deleted ones are not listed")
    return made["id"], made["slug"]
