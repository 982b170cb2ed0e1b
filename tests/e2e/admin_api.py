#!/usr/bin/env python3
"""Black box: sluice-control over HTTP, every resource in the order Terraform uses it (create, read, update, read, delete), and the
traps of reference/admin-api.md section 7 that concern them. Usage: admin_api.py BUILD_DIR. Standard library only."""
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from pathlib import Path

RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
checked = 0
failed = 0


def check(good, what, *shown):
    global checked, failed
    checked += 1
    if not good:
        failed += 1
        print("FAILED:", what, *shown)


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.raw = response.read()
        self.body = json.loads(self.raw)

    def __getitem__(self, name):
        return self.body[name]


class Client:
    """One key on one kept connection; every reply is held to the rules of section 0."""

    def __init__(self, port, key=None, header="x-portkey-api-key"):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"content-type": "application/json"}
        if key:
            self.headers[header] = key if header != "authorization" else "Bearer " + key

    def call(self, method, path, body=None, want=200, headers=None):
        text = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        self.connection.request(method, path if path.startswith("/v2/") else "/v1" + path, text, {**self.headers, **(headers or {})})
        reply = Reply(self.connection.getresponse())
        check(reply.status == want, f"{method} {path}: {reply.status}, not {want}", reply.body)
        check(reply.headers.get("content-type", "").startswith("application/json"), f"{method} {path}: content type")
        check(isinstance(reply.body, dict), f"{method} {path}: the body is an object")
        check("x-portkey-trace-id" in reply.headers and "x-request-id" in reply.headers, f"{method} {path}: trace and request id")
        if reply.status >= 400:
            check(reply.body.get("success") is False and reply["data"]["message"] == reply["message"], f"{method} {path}: envelope", reply.body)
        elif method != "GET":
            check(reply.headers.get("x-sluice-revision", "").isdigit(), f"{method} {path}: revision")
        return reply

    def fresh(self):
        """The next call opens a new connection."""
        self.connection.close()
        return self

    def get(self, path, want=200):
        return self.call("GET", path, None, want)

    def post(self, path, body=None, want=200):
        return self.call("POST", path, body, want)

    def put(self, path, body=None, want=200):
        return self.call("PUT", path, body, want)

    def delete(self, path, body=None, want=200):
        return self.call("DELETE", path, body, want)


def times(body, *names):
    for name in names:
        check(body[name] is None or RFC3339.match(body[name]), f"{name} is RFC 3339", body[name])


def errors(api, port):
    check(api.get("/nothing", 404)["data"]["errorCode"] == "AB08", "unknown route: AB08")
    reply = api.call("PATCH", "/providers", b"{}", 405)
    check("GET" in reply.headers.get("allow", ""), "405 names the methods")
    check(Client(port).get("/providers", 401)["data"]["errorCode"] == "AB05", "no key: AB05")
    check(Client(port, "slk_wrong").get("/providers", 401)["data"]["errorCode"] == "AB05", "wrong key: AB05")
    check(api.post("/admin/workspaces", b"{\"name\":", 400)["data"]["errorCode"] == "AB01", "broken JSON: AB01")
    api.post("/admin/workspaces", b"[]", 400)
    check("name" in api.post("/admin/workspaces", {}, 400)["message"], "400 names the field")
    check("name" in api.post("/admin/workspaces", {"name": 5}, 400)["message"], "400 names the field")
    reply = api.call("GET", "/admin/workspaces", headers={"x-portkey-trace-id": "my-trace"})
    check(reply.headers["x-portkey-trace-id"] == "my-trace", "a clean trace id is kept")
    check(api.call("GET", "/v2/admin/workspaces")["object"] == "list", "/v2 is /v1")


def bearer(port, key):
    check(Client(port, key, "authorization").get("/providers")["object"] == "list", "Authorization: Bearer alone authenticates")


def workspaces(api):
    applied = api.post("/admin/workspaces?wait=applied&wait_ms=100", {"name": "Waited", "default_limit_mode": "strict"})
    check(applied.headers.get("x-sluice-applied") == "applied=0 of=0 refused=0" and applied["default_limit_mode"] == "strict", "?wait=applied", applied.headers)
    made = api.post("/admin/workspaces", {"name": "Team A", "icon": "🎯", "description": "d", "defaults": {"metadata": {"team": "a"}},
                                          "usage_limits": [{"credit_limit": 500.0, "alert_threshold": 400, "periodic_reset": "monthly"}],
                                          "rate_limits": [{"type": "requests", "unit": "rpm", "value": 100}]})
    for name in ("id", "slug", "name", "icon", "description", "created_at", "last_updated_at", "defaults", "usage_limits", "rate_limits"):
        check(name in made.body, f"workspace has {name}")
    times(made, "created_at", "last_updated_at")
    check(made["icon"] == "🎯" and made["name"] in ("Team A", "🎯 Team A"), "icon persists")
    check(b'"credit_limit":500,' in made.raw and made["usage_limits"][0]["alert_threshold"] == 400, "whole numbers are plain", made.raw)
    check(made["defaults"]["metadata"] == {"team": "a"}, "metadata")
    uuid.UUID(made["id"])
    for name in (made["id"], made["slug"]):
        check(api.get(f"/admin/workspaces/{name}")["slug"] == made["slug"], "workspace by id and slug")
    api.put(f"/admin/workspaces/{made['id']}", {"name": "Team B", "icon": "", "usage_limits": None, "rate_limits": None})
    read = api.get(f"/admin/workspaces/{made['id']}")
    check(read["name"] == "Team B" and not read["icon"] and read["usage_limits"] is None and read["rate_limits"] is None, "null clears", read.body)
    check(read["description"] == "d" and read["defaults"]["metadata"] == {"team": "a"}, "absent keeps")
    check("defaults" in api.put(f"/admin/workspaces/{made['id']}", {"defaults": {"metadata": {"a": 1}}}, 400)["message"], "metadata is text")
    emoji = api.post("/admin/workspaces", {"name": "🚀 Rockets", "users": []})
    check(api.get(f"/admin/workspaces/{emoji['id']}")["name"] == "🚀 Rockets", "a leading emoji reads back")
    check(api.get("/admin/workspaces?exact_name=Team%20B")["total"] == 1, "exact_name")
    check(api.get("/admin/workspaces?pageSize=1&currentPage=0")["data"].__len__() == 1, "camelCase pages")
    check(api.get("/admin/workspaces?page_size=1&current_page=99")["data"] == [], "a page out of range is empty")
    check(api.get("/admin/workspaces?page_size=2")["total"] >= 3, "total counts all")
    api.delete(f"/admin/workspaces/{emoji['id']}", {"name": "wrong"}, 400)
    api.delete(f"/admin/workspaces/{emoji['id']}", {"name": "🚀 Rockets"})
    api.get(f"/admin/workspaces/{emoji['id']}", 404)
    return made["id"], made["slug"]


def people(api, workspace):
    users = api.get("/admin/users?pageSize=100")
    owner = users["data"][0]
    check(users["total"] == len(users["data"]) and owner["role"] == "owner" and owner["status"] == "active", "users", users.body)
    times(owner, "created_at", "last_updated_at", "updated_at")
    check(api.get(f"/admin/users/{owner['id']}")["email"] == owner["email"], "user by id")
    check(api.get("/admin/users?email=" + owner["email"].upper())["total"] == 1, "user by e-mail")
    api.put(f"/admin/users/{owner['id']}", {"role": "member"}, 403)
    api.delete(f"/admin/users/{owner['id']}", {"user_id": owner["id"]}, 403)
    members = f"/admin/workspaces/{workspace}/users"
    api.post(members, {"users": [{"id": owner["id"], "role": "manager"}]})
    api.post(members, {"users": [{"id": owner["id"], "role": "manager"}]})
    check(api.get(members)["total"] == 1, "adding twice makes one member")
    member = api.get(f"{members}/{owner['id']}")
    check(member["role"] == "admin" and member["id"] == owner["id"] and member["object"] == "workspace-user", "owners are admins", member.body)
    api.put(f"{members}/{owner['id']}", {"role": "ws-admin"})
    api.put(f"{members}/{owner['id']}", {"role": "king"}, 400)
    api.delete(f"{members}/{owner['id']}")
    api.get(f"{members}/{owner['id']}", 404)
    return owner["id"]


def integrations(api, workspace_id, workspace_slug):
    made = api.post("/integrations", {"name": "My OpenAI", "slug": "openai-prod", "ai_provider_id": "openai", "key": "sk-canary-1234567890abcdef",
                                      "configurations": {"openai_organization": "org-1", "custom_headers": {"x-team": "secret-header-value-42"}, "odd": [1, {"a": None}]}})
    check(made["slug"] == "openai-prod", "slug as given")
    check(api.post("/integrations", {"name": "x", "slug": "openai-prod", "ai_provider_id": "openai"}, 409)["data"]["errorCode"] == "AB07", "AB07")
    check("ai_provider_id" in api.post("/integrations", {"name": "x", "ai_provider_id": "nobody"}, 400)["message"], "unknown provider")
    check("slug" in api.post("/integrations", {"name": "x", "slug": "a b", "ai_provider_id": "openai"}, 400)["message"], "bad slug")
    for name in ("openai-prod", made["id"]):
        read = api.get(f"/integrations/{name}")
        check(read["type"] == "organisation" and read["workspace_id"] is None and read["ai_provider_id"] == "openai", "type", read.body)
        check(read["masked_key"].startswith("sk-***") and b"canary" not in read.raw, "the key is masked", read.raw)
        check(b"secret-header" not in read.raw and "custom_headers" not in read["configurations"], "header values are masked", read.raw)
        check(read["configurations"]["openai_organization"] == "org-1" and read["configurations"]["odd"] == [1, {"a": None}], "echo")
        check(read["allow_all_models"] is True and read["global_workspace_access"] == read["global_workspace_access_settings"], "access")
        times(read, "created_at", "last_updated_at")
    api.put("/integrations/openai-prod", {"name": "Renamed"})
    read = api.get("/integrations/openai-prod")
    check(read["name"] == "Renamed" and read["masked_key"].endswith("cdef"), "a PUT without key keeps it", read.body)
    api.put("/integrations/openai-prod", {"key": "sk-canary-rotated-87654321", "usage_limits": [{"type": "cost", "credit_limit": 10}]})
    read = api.get("/integrations/openai-prod")
    check(read["masked_key"].endswith("4321") and read["usage_limits"] == [{"type": "cost", "credit_limit": 10}], "key replaced", read.body)
    check("masked_custom_headers" in read["configurations"], "headers stay when the key changes")
    reply = api.put("/integrations/openai-prod", {"configurations": {"custom_host": "https://evil.example/v1"}}, 400)
    check("send the credentials again" in reply["message"], "a kept key does not go to another host", reply.body)
    bedrock = api.post("/integrations", {"name": "aws", "ai_provider_id": "aws-bedrock",
                                         "configurations": {"aws_role_arn": "arn:aws:iam::1:role/T", "aws_region": "us-east-1", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG"}})
    read = api.get(f"/integrations/{bedrock['slug']}")
    check(read["ai_provider_id"] == "aws-bedrock" and read["configurations"]["aws_region"] == "us-east-1", "aws-bedrock", read.body)
    check("aws_secret_access_key" not in read["configurations"] and "masked_aws_secret_access_key" in read["configurations"], "masked field")
    for host in ("http://169.254.169.254/v1", "https://127.0.0.1/v1", "https://0x7f.1/", "ftp://a/", "https://u:p@a.example/", "https://a.example/#x",
                 "https://[::ffff:10.0.0.1]/", "http://example.com/v1"):
        check("custom_host" in api.post("/integrations", {"name": "h", "ai_provider_id": "openai", "configurations": {"custom_host": host}}, 400)["message"], host)
    for value in ("a.example/", "a@b", "x.y:1", "../.."):
        body = {"name": "z", "ai_provider_id": "azure-openai", "key": "k", "configurations": {"azure_resource_name": value}}
        check("azure_resource_name" in api.post("/integrations", body, 400)["message"], "no host through a placeholder: " + value)
    api.delete(f"/integrations/{bedrock['slug']}")
    api.get(f"/integrations/{bedrock['slug']}", 404)
    check({"integration"} == {row["object"] for row in api.get("/integrations")["data"]}, "list")
    check(api.get("/integrations?type=workspace")["total"] == 0, "type filter")
    models(api)
    provisioning(api, workspace_id, workspace_slug)
    return made["id"]


def models(api):
    path = "/integrations/openai-prod/models"
    before = api.get(path)
    check(before["allow_all_models"] is True and before["total"] == len(before["models"]) > 10, "the whole catalogue")
    slugs = [row["slug"] for row in before["models"]]
    check(slugs == sorted(slugs) and api.get(path)["models"] == before["models"], "stable order")
    custom = {"slug": "ft:gpt-4o:acme/x:1", "enabled": True, "is_custom": True, "is_finetune": True, "base_model_slug": "gpt-4o",
              "pricing_config": {"type": "static", "pay_as_you_go": {"request_token": {"price": 0.00025}, "response_token": {"price": 0.001}}}}
    api.put(path, {"models": [{"slug": "gpt-4o", "enabled": False}, custom], "allow_all_models": False})
    after = {row["slug"]: row for row in api.get(path)["models"]}
    check(after["gpt-4o"]["enabled"] is False and len(after) == before["total"] + 1, "disabled ones stay")
    check(after[custom["slug"]]["is_custom"] is True and after[custom["slug"]]["pricing_config"] == custom["pricing_config"], "custom model", after[custom["slug"]])
    check(after["gpt-4o-mini"]["enabled"] is False, "without the flag the rest is off")
    api.put(path, {"models": [], "allow_all_models": True})
    after = {row["slug"]: row for row in api.get(path)["models"]}
    check(after["gpt-4o"]["enabled"] is False and after["gpt-4o-mini"]["enabled"] is True and custom["slug"] in after, "models:[] deletes nothing")
    api.put(path, {"models": [{"slug": custom["slug"], "enabled": False}]})
    row = {row["slug"]: row for row in api.get(path)["models"]}[custom["slug"]]
    check(row["enabled"] is False and row["is_finetune"] is True and row["base_model_slug"] == "gpt-4o", "omitted members stay", row)
    check("pricing_config" in api.put(path, {"models": [{**custom, "pricing_config": {"pay_as_you_go": {"request_token": {"price": -1}}}}]}, 400)["message"], "price")
    api.delete(path, {"models": [custom["slug"]]})
    check(custom["slug"] not in [row["slug"] for row in api.get(path)["models"]], "DELETE with a body")
    api.put(path, {"models": [{"slug": "a:1", "enabled": True}, {"slug": "b/2", "enabled": True}]})
    api.delete(path + "?slugs=a:1,b/2")
    check(not {"a:1", "b/2"} & {row["slug"] for row in api.get(path)["models"]}, "DELETE ?slugs=")


def provisioning(api, workspace_id, workspace_slug):
    path = "/integrations/openai-prod/workspaces"
    check(api.get(path)["workspaces"] == [], "nobody has it yet")
    row = {"id": workspace_id, "enabled": True, "usage_limits": [{"credit_limit": 50, "alert_threshold": 75}], "rate_limits": None}
    api.put(path, {"workspaces": [row]})
    listed = api.get(path)["workspaces"]
    check(listed[0]["id"] == workspace_slug and listed[0]["usage_limits"] == row["usage_limits"] and listed[0]["rate_limits"] is None, "access row", listed)
    made = api.get(f"/providers?workspace_id={workspace_id}")["data"]
    check([p["slug"] for p in made] == ["openai-prod"], "provisioning makes the provider", made)
    api.put(path, {"workspaces": [{"id": workspace_slug, "enabled": True}]})
    check(api.get(f"/providers?workspace_id={workspace_id}")["total"] == 1, "enabling twice makes one")
    check(api.get(path)["workspaces"][0]["usage_limits"] == row["usage_limits"], "absent limits stay")
    api.put(path, {"workspaces": [{"id": workspace_slug, "enabled": False}]})
    check(api.get(path)["workspaces"][0]["enabled"] is False, "a disabled row stays")
    check(api.get(f"/models?workspace_id={workspace_id}")["total"] == 0, "a disabled integration offers no model")
    api.put(path, {"workspaces": [{"id": workspace_slug, "enabled": True}]})
    listed = api.get(f"/models?workspace_id={workspace_id}&limit=5")
    check(len(listed["data"]) == 5 < listed["total"] and all(m["id"].startswith("@openai-prod/") and m["object"] == "model" for m in listed["data"]), "models", listed.body)
    ids = [m["id"] for m in api.get(f"/models?workspace_id={workspace_id}")["data"]]
    check("@openai-prod/gpt-4o" not in ids and "@openai-prod/gpt-4o-mini" in ids, "a denied model is not listed")
    check(api.get(f"/models/%40openai-prod%2Fgpt-4o-mini?workspace_id={workspace_id}")["slug"] == "gpt-4o-mini", "model by escaped id")
    check(api.get(f"/models/@openai-prod/gpt-4o-mini?workspace_id={workspace_id}")["slug"] == "gpt-4o-mini", "model by plain id")
    api.put(path, {"global_workspace_access": {"enabled": True, "usage_limits": [{"credit_limit": 7}]}})
    fresh = api.post("/admin/workspaces", {"name": "Later"})
    check([p["slug"] for p in api.get(f"/providers?workspace_id={fresh['slug']}")["data"]] == ["openai-prod"], "a later workspace gets it")
    rows = {r["id"]: r for r in api.get(path)["workspaces"]}
    check(rows[fresh["slug"]]["usage_limits"] == [{"credit_limit": 7}] and rows[workspace_slug]["usage_limits"] == row["usage_limits"], "default limits", rows)
    api.put(path, {"global_workspace_access": {"enabled": True, "usage_limits": [{"credit_limit": 9}]}, "override_existing_workspaces_access": True})
    check({tuple(r["usage_limits"][0].values()) for r in api.get(path)["workspaces"]} == {(9,)}, "override rewrites rows")
    api.put(path, {"workspaces": [{"id": workspace_id, "enabled": True, **{"usage_limits": row["usage_limits"]}}], "global_workspace_access": {"enabled": False}})
    api.delete(f"/admin/workspaces/{fresh['id']}", {"name": "Later"}, 409)
    api.delete(f"/admin/workspaces/{fresh['id']}", {"name": "Later", "force_delete": True})


def providers(api, workspace_id, integration_id):
    body = {"name": "Mine", "integration_id": integration_id, "workspace_id": workspace_id, "slug": "mine", "note": "n",
            "rate_limits": {"type": "requests", "unit": "rpm", "value": 5}, "usage_limits": {"credit_limit": 3}}
    made = api.post("/providers", body)
    check(made["slug"] == "mine" and made["object"] == "provider", "provider made")
    check(api.post("/providers", body, 409)["data"]["errorCode"] == "AB07", "duplicate slug")
    for name in ("mine", made["id"]):
        read = api.get(f"/providers/{name}?workspace_id={workspace_id}")
        check(read["id"] == made["id"] and read["ai_provider_name"] == "openai" and read["integration_id"] == integration_id, "provider read", read.body)
        check(read["usage_limits"] == {"credit_limit": 3} and read["rate_limits"] == [body["rate_limits"]] and read["model_config"] == {}, "shapes", read.body)
    check(api.get(f"/providers/{made['id']}")["slug"] == "mine", "provider by id without workspace")
    api.put("/providers/mine", {"workspace_id": workspace_id, "name": "Mine 2", "usage_limits": None, "reset_usage": True})
    read = api.get(f"/providers/mine?workspace_id={workspace_id}")
    check(read["name"] == "Mine 2" and read["usage_limits"] is None and read["note"] == "n", "provider updated", read.body)
    check(api.get(f"/providers/?workspace_id={workspace_id}")["object"] == "list", "the list with an empty id")
    api.post("/providers", {"name": "x", "workspace_id": workspace_id}, 400)
    api.delete(f"/providers/mine?workspace_id={workspace_id}")
    check("404" in api.get(f"/providers/mine?workspace_id={workspace_id}", 404)["message"], "gone says 404")


def virtual_keys(own):
    made = own.post("/virtual-keys", {"name": "vk", "provider": "azure-openai", "key": "azure-canary-key-0123456789", "resourceName": "acme",
                                      "deploymentConfig": [{"apiVersion": "2024-06-01", "deploymentName": "d1", "alias": "gpt", "is_default": True}]})
    check(made["success"] is True and made["data"]["slug"] == made["slug"], "hybrid answer", made.body)
    read = own.get(f"/virtual-keys/{made['slug']}")
    check(read["object"] == "virtual-key" and read["ai_provider_name"] == "azure-openai" and b"canary" not in read.raw, "virtual key", read.raw)
    check(read["model_config"]["azure_deployment_config"][0]["azure_deployment_name"] == "d1", "camelCase deployments", read.body)
    check(own.get("/providers/" + made["slug"])["object"] == "provider", "a virtual key is a provider")
    own.put(f"/virtual-keys/{made['slug']}", {"name": "vk2", "key": "azure-canary-key-9876543210"})
    check(own.get(f"/virtual-keys/{made['slug']}")["masked_api_key"].endswith("3210"), "key changed")
    own.delete(f"/virtual-keys/{made['slug']}")
    own.get(f"/virtual-keys/{made['slug']}", 404)
    check(own.get("/integrations?type=workspace")["total"] == 0, "its integration went with it")


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


def api_keys(api, port, workspace_id, config_id, user_id):
    limits = {"credit_limit": 500, "periodic_reset": "monthly"}
    made = api.post("/api-keys/organisation/service", {"name": "k", "scopes": ["logs.view", "logs.list"], "type": "organisation", "sub-type": "service",
                                                       "usage_limits": limits, "alert_emails": ["a@example.com"], "defaults": {"metadata": {"_user": "x"}}})
    read = api.get(f"/api-keys/{made['id']}")
    check(read["type"] == "organisation-service" and read["scopes"] == ["logs.view", "logs.list"] and read["status"] == "active", "key", read.body)
    check(read["usage_limits"] == limits and made["key"] not in read.raw.decode(), "limits as sent, text never again", read.raw)
    check(read["allow_config_override"] is None and read["defaults"]["metadata"] == {"_user": "x"} and read["rate_limits"] == [], "key defaults", read.body)
    times(read, "created_at", "last_updated_at", "expires_at", "last_reset_at")
    api.put(f"/api-keys/{made['id']}", {"name": "k2", "scopes": ["providers.list"], "usage_limits": None, "rate_limits": None})
    read = api.get(f"/api-keys/{made['id']}")
    check(read["usage_limits"] is None and read["alert_emails"] == ["a@example.com"] and read["scopes"] == ["providers.list"], "three-state", read.body)
    Client(port, made["key"]).get(f"/providers?workspace_id={workspace_id}")
    Client(port, made["key"]).get("/configs", 403)
    check("alert_threshold" in api.put(f"/api-keys/{made['id']}", {"usage_limits": {"credit_limit": 5, "alert_threshold": 6}}, 400)["message"], "alert > limit")
    check("scopes" in api.put(f"/api-keys/{made['id']}", {"scopes": ["completions.write"]}, 400)["message"], "organisation keys never call models")
    check("scopes" in api.post("/api-keys/organisation/service", {"name": "k", "scopes": ["no.such"]}, 400)["message"], "unknown scope")
    api.put(f"/api-keys/{made['id']}", {"reset_usage": True})
    check(RFC3339.match(api.get(f"/api-keys/{made['id']}")["last_reset_at"]), "last_reset_at")
    rotated = api.post(f"/api-keys/{made['id']}/rotate")
    times(rotated, "key_transition_expires_at")
    for key in (made["key"], rotated["key"]):
        Client(port, key).get(f"/providers?workspace_id={workspace_id}")
    api.post(f"/api-keys/{made['id']}/rotate", None, 409)
    api.delete(f"/api-keys/{made['id']}", {"id": made["id"]})
    api.get(f"/api-keys/{made['id']}", 404)
    for key in (made["key"], rotated["key"]):
        Client(port, key).get("/providers", 401)

    brought = "pk-brought-from-elsewhere-0123456789"
    service = api.post("/api-keys/workspace/service", {"name": "ws", "workspace_id": workspace_id, "key": brought, "scopes": ["providers.list", "workspace_service_api_keys.create", "workspace_integrations.create",
                                                       "virtual_keys.create", "virtual_keys.read", "virtual_keys.update", "virtual_keys.delete", "workspace_integrations.list", "workspace_integrations.update", "workspaces.update"],
                                                       "defaults": {"config_id": config_id, "allow_config_override": False, "metadata": {}},
                                                       "rotation_policy": {"rotation_period": "weekly", "key_transition_period_ms": 3600000}})
    check(service["key"] == brought, "a value may be brought")
    read = api.get(f"/api-keys/{service['id']}")
    check(read["defaults"]["config_id"] == config_id and read["allow_config_override"] == 0 and read["defaults"]["allow_config_override"] is False, "override", read.body)
    check(RFC3339.match(read["rotation_policy"]["next_rotation_at"]) and read["rotation_policy"]["next_rotation_at"].endswith("T00:00:00.000Z"), "rotation date")
    check(api.get(f"/api-keys/{service['id']}")["rotation_policy"] == read["rotation_policy"], "the date stands still")
    api.put(f"/api-keys/{service['id']}", {"defaults": {"allow_config_override": True}})
    read = api.get(f"/api-keys/{service['id']}")
    check(read["allow_config_override"] == 1 and read["defaults"]["config_id"] == config_id, "defaults merge", read.body)
    api.post("/api-keys/workspace/service", {"name": "w", "workspace_id": workspace_id, "key": brought, "scopes": []}, 409)
    api.post("/api-keys/workspace/service", {"name": "w", "scopes": []}, 400)
    api.post("/api-keys/workspace/user", {"name": "w", "workspace_id": workspace_id, "scopes": []}, 400)
    user = api.post("/api-keys/workspace/user", {"name": "u", "workspace_id": workspace_id, "user_id": user_id, "scopes": ["completions.write"],
                                                 "expires_at": "2020-01-01T00:00:00Z"})
    check(api.get(f"/api-keys/{user['id']}")["status"] == "expired", "expired")
    Client(port, user["key"]).get("/providers", 401)
    api.delete(f"/configs/{config_id}", None, 409)
    own = Client(port, brought)
    check(own.get("/providers")["total"] >= 1, "a workspace key sees its workspace")
    own.get("/providers?workspace_id=default", 403)
    own.put(f"/admin/workspaces/{workspace_id}", {"usage_limits": [{"credit_limit": 1000000}]}, 403)
    own.get("/providers?workspace_id=" + str(uuid.uuid4()), 403)
    own.get("/configs", 403)
    check("not hold" in own.post("/api-keys/workspace/service", {"name": "w", "scopes": ["configs.read"]}, 403)["message"], "nobody gives what they do not hold")
    check(api.get(f"/api-keys?workspace_id={workspace_id}")["total"] == 2 and api.get(f"/api-keys?ids={service['id']}")["total"] == 1, "lists")
    virtual_keys(own)
    api.put("/admin/organisation", {"workspace_integrations": "off"})
    own.post("/virtual-keys", {"name": "vk", "provider": "openai", "key": "sk-1"}, 403)
    api.put("/admin/organisation", {"workspace_integrations": "admins_and_managers"})
    api.put(f"/api-keys/{service['id']}", {"defaults": {"config_id": None}})
    check("config_id" not in api.get(f"/api-keys/{service['id']}")["defaults"], "null unbinds")
    api.delete(f"/configs/{config_id}")
    return service["id"]


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


def health(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for path, want in (("/healthz", b'"ok"'), ("/readyz", b'"ready"'), ("/metrics", b"sluice_control_revision")):
        connection.request("GET", path)
        response = connection.getresponse()
        check(response.status == 200 and want in response.read(), path)


def tls(build, folder, key):
    """TLS on every address: the right certificate, the real client in the log, and no way in without TLS."""
    cert, private = folder / "tls.pem", folder / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", private, "-out", cert], check=True, stderr=subprocess.DEVNULL)
    private.chmod(0o600)
    program, port = start(build, folder, "--control-bind=0.0.0.0", f"--tls-cert={cert}", f"--tls-key=file:{private}")
    try:
        context = ssl.create_default_context(cafile=str(cert))
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
        body = json.dumps({"name": "TLS " + "x" * 200, "description": "y" * 1000}).encode()
        for _ in range(3):
            connection.request("POST", "/v1/admin/workspaces", body, {"x-portkey-api-key": key})
            response = connection.getresponse()
            check(response.status == 200 and len(response.read()) > 1000, "a call over TLS on a kept connection")
        connection.request("GET", "/v1/integrations", headers={"x-portkey-api-key": key})
        check(connection.getresponse().status == 200, "TLS")
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            check(b"200" not in plain.recv(100), "no plain HTTP on the TLS port")
        except ConnectionResetError:
            check(True, "no plain HTTP on the TLS port")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            old.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10))
            check(False, "TLS 1.1 is refused")
        except (ssl.SSLError, OSError):
            check(True, "TLS 1.1 is refused")
    finally:
        stop(program)
    refused = subprocess.run([build / "bin/sluice-control", f"--data-dir={folder}", "--config-dir=", "--control-port=0", "--link-port=0",
                              "--control-bind=0.0.0.0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=30)
    check(refused.returncode != 0 and b"insecure-bind" in refused.stderr, "a public address without TLS is refused")


def memory_holds(pid, canary):
    """True if a process's writable memory holds these bytes."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            begin, end = (int(part, 16) for part in span.split("-"))
            if "rw" not in mode or end - begin > 1 << 30:
                continue
            try:
                memory.seek(begin)
                if canary in memory.read(end - begin):
                    return True
            except OSError:
                pass
    return False


def forgets(pid, canary):
    """True once a process's memory does not hold these bytes; 100 ms do on a machine that is idle, and no traffic follows that would help."""
    for _ in range(200):
        time.sleep(0.1)
        if not memory_holds(pid, canary):
            return True
    return False


def canaries(api, pid, workspace_id, folder):
    """A credential is soon in no memory after the call that carried it."""
    if os.geteuid() != 0:
        print("not root: memory is not looked at")
        return
    canary = "sk-memory-" + uuid.uuid4().hex
    check(memory_holds(pid, str(folder).encode()), "this look sees")
    made = api.fresh().post("/integrations", {"name": "memory", "ai_provider_id": "openai", "key": canary, "workspace_id": workspace_id,
                                      "configurations": {"custom_headers": {"x-a": canary + "-h"}}})
    api.fresh().put(f"/integrations/{made['slug']}", {"configurations": {"openai_project": "p"}})
    check(forgets(pid, canary.encode()), "a stored credential is in no memory")
    api.fresh().post("/integrations", {"name": "padded" * 5000, "ai_provider_id": "openai", "key": canary}, 400)
    check(forgets(pid, canary.encode()), "a refused credential is in no memory")
    key = "pk-brought-" + uuid.uuid4().hex
    brought = api.fresh().post("/api-keys/workspace/service", {"name": "c", "workspace_id": workspace_id, "key": key, "scopes": []})
    check(forgets(pid, key.encode()), "an API key's text is in no memory")
    api.fresh().delete(f"/integrations/{made['slug']}")
    api.fresh().delete(f"/api-keys/{brought['id']}")


def stop(program):
    program.terminate()
    check(program.wait(60) == 0, "a clean end", program.returncode)


def start(build, folder, *more):
    program = subprocess.Popen([build / "bin/sluice-control", f"--data-dir={folder}", "--config-dir=", "--control-port=0", "--link-port=0", *more],
                               stdout=subprocess.PIPE, stderr=open(folder / "control.log", "ab"))
    line = program.stdout.readline()
    if not line:
        print((folder / "control.log").read_text()[-4000:])
        sys.exit("sluice-control did not start")
    return program, json.loads(line)["control_port"]


def make(build, folder):
    """A data folder with one organisation, and its keys."""
    ctl, where = str(build / "bin/sluicectl"), ["--data-dir", str(folder)]
    subprocess.run([ctl, "init", *where], check=True, stdout=subprocess.DEVNULL)
    made = subprocess.run([ctl, "org", "create", "Acme", "--admin-email", "ada@example.com", "--json", *where], check=True, stdout=subprocess.PIPE)
    return json.loads(made.stdout)


def main():
    build = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="sluice-api-") as name:
        folder = Path(name) / "data"
        boot = make(build, folder)
        walk(build, folder, boot)
    print(f"{checked} checks, {failed} failed")
    sys.exit(1 if failed else 0)


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
