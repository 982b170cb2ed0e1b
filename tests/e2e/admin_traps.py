#!/usr/bin/env python3
"""Black box: every wire rule of reference/admin-api.md section 7 (a function each, by its number) and the life that Terraform leads with a
resource: create, read, plan-read, update, read, import, delete. Terraform compares what it reads with what it wrote, so nothing that was
configured may come back in another form, and two reads must be the same bytes. Rules about policies and secret references (20, 26) are with
those resources. Usage: admin_traps.py BUILD_DIR. Standard library only."""
import http.client
import json
import sys
import tempfile
import urllib.parse
from pathlib import Path

from admin_client import RFC3339, Client, check, finish, make, start, stop

INTS = ("credit_limit", "alert_threshold", "value", "periodic_reset_days", "is_default", "total", "key_transition_period_ms")
TIMES = ("created_at", "last_updated_at", "updated_at", "expires_at", "accepted_at", "last_reset_at", "next_rotation_at", "next_usage_reset_at", "timestamp")


def go_decodes(node, path=""):
    """What Go's decoder would choke on: a fraction or exponent where an int is read, a time that is none."""
    if isinstance(node, list):
        for item in node:
            go_decodes(item, path)
    elif isinstance(node, dict):
        for name, value in node.items():
            where = f"{path}.{name}"
            if name in INTS and value is not None:
                check(isinstance(value, int), f"{where} is a whole number", value)
            if name in TIMES and value is not None and isinstance(value, str):
                check(RFC3339.match(value) is not None or value.endswith("Z"), f"{where} is RFC 3339", value)
            go_decodes(value, where)


def holds(read, wanted, what):
    for name, value in wanted.items():
        check(read.get(name) == value, f"{what}: {name} as configured", read.get(name), value)


def life(api, what, create, read, configured, update=None, updated=None, imports=(), delete=None, gone="404"):
    """One resource as Terraform leads it. create/update/delete: (method, path, body); read: path, or a function of the create's answer."""
    made = api.call(*create)
    path = read(made) if callable(read) else read
    first = api.get(path)
    go_decodes(first.body)
    holds(first.body, configured, what)
    check(api.get(path).raw == first.raw, f"{what}: the plan reads the same bytes")
    if update:
        method, target, body = update
        api.call(method, target(made) if callable(target) else target, body)
        second = api.get(path)
        holds(second.body, {**configured, **updated}, f"{what} updated")
        check(api.get(path).raw == second.raw, f"{what}: the plan after the update reads the same bytes")
    for target in imports:
        check(api.get(target(made)).body == api.get(path).body, f"{what}: import reads the same thing")
    if delete:
        method, target, body = delete
        answer = api.call(method, target(made) if callable(target) else target, body)
        check(answer.body == {}, f"{what}: DELETE answers {{}}", answer.body)
        check(gone in api.get(path, 404)["message"], f"{what}: gone says {gone}")
    return made


def lives(api):
    limits = [{"type": "cost", "credit_limit": 500, "alert_threshold": 400, "periodic_reset": "monthly"}]
    rates = [{"type": "requests", "unit": "rpm", "value": 100}]
    workspace = life(api, "workspace",
                     ("POST", "/admin/workspaces", {"name": "TF", "description": "d", "icon": "🎯", "defaults": {"metadata": {"a": "b"}}, "usage_limits": limits, "rate_limits": rates}),
                     lambda made: f"/admin/workspaces/{made['id']}", {"description": "d", "icon": "🎯", "usage_limits": limits, "rate_limits": rates},
                     ("PUT", lambda made: f"/admin/workspaces/{made['id']}", {"name": "TF 2", "description": "e", "usage_limits": None, "rate_limits": None}),
                     {"description": "e", "usage_limits": None, "rate_limits": None}, [lambda made: f"/admin/workspaces/{made['slug']}"])
    ws = workspace["id"]
    life(api, "user invite", ("POST", "/admin/users/invites", {"email": "tf@example.com", "role": "member", "workspaces": [{"id": workspace["slug"], "role": "member"}]}),
         lambda made: f"/admin/users/invites/{made['id']}", {"email": "tf@example.com", "role": "member", "workspaces": [{"id": workspace["slug"], "role": "member"}]})
    configurations = {"azure_auth_mode": "workload", "azure_resource_name": "acme", "azure_workload_tenant_id": "t", "azure_workload_client_id": "c", "is_key_required": False,
                      "azure_deployment_config": [{"azure_deployment_name": "d", "azure_api_version": "2024-06-01", "azure_model_slug": "gpt-4o", "is_default": False}]}
    life(api, "integration", ("POST", "/integrations", {"name": "Azure", "slug": "tf-azure", "ai_provider_id": "azure-openai", "configurations": configurations}),
         "/integrations/tf-azure", {"name": "Azure", "slug": "tf-azure", "ai_provider_id": "azure-openai", "configurations": configurations, "type": "organisation"},
         ("PUT", "/integrations/tf-azure", {"name": "Azure 2"}), {"name": "Azure 2"}, [lambda made: f"/integrations/{made['id']}"], ("DELETE", "/integrations/tf-azure", None))
    api.post("/integrations", {"name": "OpenAI", "slug": "tf-openai", "ai_provider_id": "openai", "key": "sk-0123456789abcdef"})
    access = {"usage_limits": [{"type": "cost", "credit_limit": 50, "alert_threshold": 75}], "rate_limits": rates}
    api.put("/integrations/tf-openai/workspaces", {"workspaces": [{"id": ws, "enabled": True, **access}]})
    row = api.get("/integrations/tf-openai/workspaces")["workspaces"][0]
    holds(row, {"id": workspace["slug"], "enabled": True, **access}, "workspace access")
    provider = life(api, "provider", ("POST", "/providers", {"name": "P", "slug": "tf-p", "integration_id": "tf-openai", "workspace_id": ws, "note": "n"}),
                    lambda made: f"/providers/{made['id']}?workspace_id={ws}", {"name": "P", "slug": "tf-p", "integration_id": "tf-openai", "ai_provider_name": "openai", "note": "n"},
                    ("PUT", lambda made: f"/providers/{made['id']}", {"name": "P2", "workspace_id": ws}), {"name": "P2"}, [lambda made: f"/providers/tf-p?workspace_id={ws}"],
                    ("DELETE", lambda made: f"/providers/{made['id']}?workspace_id={ws}", None))
    config = life(api, "config", ("POST", "/configs", {"name": "C", "config": json.dumps({"retry": {"attempts": 2}}), "workspace_id": ws, "isDefault": 0}),
                  lambda made: f"/configs/{made['slug']}", {"name": "C", "is_default": 0, "config": {"retry": {"attempts": 2}}, "status": "active"},
                  ("PUT", lambda made: f"/configs/{made['slug']}", {"name": "C2", "config": json.dumps({"retry": {"attempts": 3}})}), {"name": "C2", "config": {"retry": {"attempts": 3}}},
                  [lambda made: f"/configs/{made['id']}"])
    usage = {"credit_limit": 500, "periodic_reset": "monthly"}
    key = life(api, "api key", ("POST", "/api-keys/workspace/service", {"name": "K", "description": "d", "workspace_id": ws, "scopes": ["logs.view", "logs.list"], "usage_limits": usage,
                                                                        "rate_limits": rates, "alert_emails": ["a@example.com"], "rotation_policy": {"rotation_period": "monthly"},
                                                                        "defaults": {"config_id": config["id"], "metadata": {"a": "b"}, "allow_config_override": False}}),
               lambda made: f"/api-keys/{made['id']}", {"name": "K", "scopes": ["logs.view", "logs.list"], "usage_limits": usage, "rate_limits": rates, "alert_emails": ["a@example.com"],
                                                        "allow_config_override": 0, "type": "workspace-service", "workspace_id": ws},
               ("PUT", lambda made: f"/api-keys/{made['id']}", {"name": "K2", "scopes": ["logs.list"], "usage_limits": None, "rate_limits": None}),
               {"name": "K2", "scopes": ["logs.list"], "usage_limits": None, "rate_limits": []}, (), ("DELETE", lambda made: f"/api-keys/{made['id']}", {"id": "x"}))
    return {"ws": ws, "slug": workspace["slug"], "provider": provider, "config": config, "key": key}


def trap_01(api, seen):
    check(api.get(f"/providers/?workspace_id={seen['ws']}")["object"] == "list", "1: an empty provider id lists")


def trap_02(api, seen):
    made = api.post("/providers", {"name": "T2", "integration_id": "tf-openai", "workspace_id": seen["ws"]})
    read = api.get(f"/providers/{made['id']}?workspace_id={seen['ws']}")
    check(read["id"] == made["id"] and read["ai_provider_name"] == "openai", "2: provider by UUID, with id and ai_provider_name")


def trap_03(api, _):
    check(all(api.get(f"/integrations/{row['slug']}")["type"] in ("organisation", "workspace") for row in api.get("/integrations")["data"]), "3: type is never empty")


def trap_04(api, _):
    api.put("/integrations/tf-openai/models", {"models": [{"slug": "gpt-4o", "enabled": False}]})
    first, second = (api.get("/integrations/tf-openai/models") for _ in range(2))
    check(first["allow_all_models"] is True and first.raw == second.raw, "4: allow_all_models, stable order")
    check([m["enabled"] for m in first["models"] if m["slug"] == "gpt-4o"] == [False], "4: disabled ones stay")


def trap_05(api, _):
    before = api.get("/integrations/tf-openai/models")["total"]
    api.put("/integrations/tf-openai/models", {"models": [], "allow_all_models": True})
    check(api.get("/integrations/tf-openai/models")["total"] == before, "5: models:[] deletes nothing")


def trap_06(api, _):
    for method in (lambda: api.delete("/integrations/tf-openai/models", {"models": ["t6:1"]}), lambda: api.delete("/integrations/tf-openai/models?slugs=t6:1")):
        api.put("/integrations/tf-openai/models", {"models": [{"slug": "t6:1", "enabled": True, "is_custom": True}]})
        method()
        check("t6:1" not in [m["slug"] for m in api.get("/integrations/tf-openai/models")["models"]], "6: both ways to delete a model")


def trap_07(api, seen):
    api.put("/integrations/tf-openai/workspaces", {"workspaces": [{"id": seen["ws"], "enabled": False}]})
    row = api.get("/integrations/tf-openai/workspaces")["workspaces"][0]
    check(row["enabled"] is False and row["id"] == seen["slug"], "7: a disabled row stays, named by its slug")
    api.put("/integrations/tf-openai/workspaces", {"workspaces": [{"id": seen["slug"], "enabled": True}]})


def trap_08(api, _):
    made = api.post("/api-keys/organisation/service", {"name": "t8", "scopes": [], "usage_limits": {"credit_limit": 5}})
    check(api.get(f"/api-keys/{made['id']}")["usage_limits"] == {"credit_limit": 5}, "8: limits of keys word for word")


def trap_09(api, seen):
    for sent, top, inner in ((True, 1, True), (False, 0, False), (None, None, None)):
        defaults = {"metadata": {}} if sent is None else {"allow_config_override": sent}
        made = api.post("/api-keys/workspace/service", {"name": "t9", "workspace_id": seen["ws"], "scopes": [], "defaults": defaults})
        read = api.get(f"/api-keys/{made['id']}")
        check(read["allow_config_override"] == top and read["defaults"].get("allow_config_override") is inner, "9: override, outside and inside", read.body)


def trap_10(api, seen):
    for path, body in ((f"/admin/workspaces/{seen['ws']}", {"defaults": {"metadata": {"a": 1}}}), (f"/admin/workspaces/{seen['ws']}", {"defaults": {"metadata": {"a": None}}})):
        check("metadata" in api.put(path, body, 400)["message"], "10: metadata is text")


def trap_11(api, seen):
    raw = api.post("/admin/workspaces", {"name": "t11", "usage_limits": [{"credit_limit": 100.0}], "rate_limits": [{"type": "requests", "unit": "rpm", "value": 5.0}]}).raw
    check(b'"credit_limit":100}' in raw and b'"value":5}' in raw, "11: 100, not 100.0", raw)


def trap_12(api, seen):
    for path in ("/admin/workspaces", "/admin/users", "/admin/users/invites", "/integrations", f"/providers?workspace_id={seen['ws']}", "/api-keys", "/configs"):
        reply = api.get(path)
        go_decodes(reply.body)
        check(b'_at":""' not in reply.raw, f"12: no empty time in {path}")


def trap_13(api, seen):
    read = api.get(f"/configs/{seen['config']['slug']}")
    check(read["id"] and read["version_id"] and isinstance(read["is_default"], int) and "config" in read.body, "13: a config is flat", read.body)
    total = api.get(f"/configs?workspace_id={seen['ws']}")["total"]
    made = api.post("/configs", {"name": "t13", "config": {}, "workspace_id": seen["ws"], "is_default": 1})
    check(api.get(f"/configs/{made['slug']}")["is_default"] == 1, "13: is_default as well as isDefault")
    api.delete(f"/configs/{made['slug']}")
    check(api.get(f"/configs?workspace_id={seen['ws']}")["total"] == total, "13: deleted ones are not listed")


def trap_14(api, seen):
    reply = api.put(f"/integrations/tf-openai", {"description": "t14"})
    check(reply.status == 200 and reply.raw == b"{}" and reply.headers["content-type"].startswith("application/json"), "14: 200 and {}")


def trap_15(api, _):
    for n in range(3):
        api.post("/admin/workspaces", {"name": f"t15 {n}"})
    for size, page in (("page_size", "current_page"), ("pageSize", "currentPage")):
        rows = [row["name"] for n in range(3) for row in api.get(f"/admin/workspaces?name=t15&{size}=1&{page}={n}")["data"]]
        check(rows == ["t15 0", "t15 1", "t15 2"], f"15: {size}, from page 0", rows)
    check(api.get("/admin/workspaces?name=t15&page_size=1")["total"] == 3, "15: total after filters")
    check(api.get("/admin/users?pageSize=500")["total"] >= 1, "15: pages of users are not cut at 100")


def trap_16(api, _):
    made = api.post("/admin/workspaces", {"name": "t16", "usage_limits": [{"credit_limit": 5}]})
    api.put(f"/admin/workspaces/{made['id']}", {"name": "t16", "usage_limits": None, "rate_limits": None})
    check(api.get(f"/admin/workspaces/{made['id']}")["usage_limits"] is None, "16: null clears, at once")


def trap_17(api, _):
    made = api.post("/admin/users/invites", {"email": "t17@example.com", "role": "member"})
    check("workspaces" not in api.get(f"/admin/users/invites/{made['id']}").body, "17: absent on input, absent on output")
    api.put(f"/admin/users/invites/{made['id']}", {"role": "admin"}, 405)


def trap_18(api, _):
    for shown in ("t18", "🎯 t18"):
        made = api.post("/admin/workspaces", {"name": "t18", "icon": "🎯"})
        api.delete(f"/admin/workspaces/{made['id']}", {"name": "other", "force_delete": True}, 400)
        api.delete(f"/admin/workspaces/{made['id']}", {"name": shown, "force_delete": True})


def trap_19(api, seen):
    api.put("/integrations/tf-openai/workspaces", {"workspaces": [{"id": seen["ws"], "enabled": True, "usage_limits": [{"credit_limit": 50, "alert_threshold": 75}]}]})
    check("alert_threshold" in api.post("/api-keys/organisation/service", {"name": "t19", "scopes": [], "usage_limits": {"credit_limit": 5, "alert_threshold": 6}}, 400)["message"],
          "19: an alert above the limit is for provisioning rows only")
    api.post("/api-keys/organisation/service", {"name": "t19", "scopes": [], "usage_limits": {"credit_limit": 5, "alert_threshold": 5}})


def trap_21(api, seen):
    for flag in ("override_existing_workspace_access", "override_existing_workspaces_access"):
        api.put("/integrations/tf-openai/workspaces", {"workspaces": [{"id": seen["ws"], "enabled": True, "usage_limits": [{"credit_limit": 1}]}]})
        api.put("/integrations/tf-openai/workspaces", {"global_workspace_access": {"enabled": True, "usage_limits": [{"credit_limit": 2}]}, flag: True})
        row = [r for r in api.get("/integrations/tf-openai/workspaces")["workspaces"] if r["workspace_id"] == seen["ws"]][0]
        check(row["usage_limits"] == [{"credit_limit": 2}], f"21: {flag}", row)
    read = api.get("/integrations/tf-openai")
    check(read["global_workspace_access"] == read["global_workspace_access_settings"], "21: both names of the default access")
    api.put("/integrations/tf-openai/workspaces", {"global_workspace_access": {"enabled": False}})


def trap_22(api, _):
    for provider, configurations in (("azure-openai", {"azure_auth_mode": "entraFederated", "azure_resource_name": "a", "azure_deployment_config": [{"azure_deployment_name": "d", "azure_api_version": "1", "azure_model_slug": "m"}]}),
                                     ("vertex-ai", {"vertex_auth_type": "workload", "vertex_region": "europe-west1", "vertex_project_id": "p", "is_key_required": False})):
        made = api.post("/integrations", {"name": "t22", "ai_provider_id": provider, "configurations": configurations})
        check(api.get(f"/integrations/{made['slug']}")["configurations"] == configurations, "22: words that the description lacks")
    for unit in ("rps", "rpw"):
        api.post("/api-keys/organisation/service", {"name": "t22", "scopes": [], "rate_limits": [{"type": "requests", "unit": unit, "value": 1}]})


def trap_23(api, seen):
    for body in ({"apiVersion": "2024-06-01", "resourceName": "acme", "deploymentConfig": [{"apiVersion": "1", "deploymentName": "d"}]},
                 {"api_version": "2024-06-01", "resource_name": "acme", "deployment_config": [{"apiVersion": "1", "deploymentName": "d"}]}):
        made = api.post("/virtual-keys", {"name": "t23", "provider": "azure-openai", "key": "k" * 20, "workspace_id": seen["ws"], **body})
        model = api.get(f"/virtual-keys/{made['slug']}?workspace_id={seen['ws']}")["model_config"]
        check(model["azure_resource_name"] == "acme" and model["azure_deployment_config"][0]["azure_deployment_name"] == "d", "23: both spellings of a virtual key", model)


def trap_24(api, _):
    check("x-portkey-trace-id" in api.get("/providers/none", 404).headers, "24: every answer has a trace id")


def trap_25(api, seen):
    check(Client(seen["port"], seen["admin"], "authorization").get("/integrations")["object"] == "list", "25: a bearer alone authenticates")


def trap_27(api, seen):
    for slug in ("a/b:c@1", "x:1"):
        api.put("/integrations/tf-openai/models", {"models": [{"slug": slug, "enabled": True, "is_custom": True}]})
        path = urllib.parse.quote(f"@tf-openai/{slug}", safe="")
        check(api.get(f"/models/{path}?workspace_id={seen['ws']}")["slug"] == slug, "27: ':', '/' and '@' in a model")
        api.delete("/integrations/tf-openai/models", {"models": [slug]})


def trap_28(api, _):
    made = api.post("/integrations", {"name": "t28", "ai_provider_id": "openai", "key": "sk-canary-0123456789"})
    before = api.get(f"/integrations/{made['slug']}")
    api.put(f"/integrations/{made['slug']}", {"name": "t28"})
    after = api.get(f"/integrations/{made['slug']}")
    check(b"canary" not in before.raw + after.raw and before["masked_key"] == after["masked_key"], "28: a key is never shown, and kept without one")


def trap_29(api, _):
    for row in api.get("/integrations")["data"]:
        check(isinstance(api.get(f"/integrations/{row['slug']}")["configurations"], dict), "29: configurations is an object")


def trap_30(api, _):
    invite = api.post("/admin/users/invites", {"email": "t30@example.com", "role": "member"})
    api.post(f"/admin/users/invites/{invite['id']}/resend")
    key = api.post("/api-keys/organisation/service", {"name": "t30", "scopes": []})
    api.post(f"/api-keys/{key['id']}/rotate")


def trap_31(api, _):
    noise = {"x-portkey-provider": "openai", "x-portkey-config": "pc-none", "x-portkey-virtual-key": "none", "x-portkey-metadata": "{}"}
    made = api.call("POST", "/admin/workspaces?unknown=1", {"name": "t31", "nonsense": {"a": [1]}, "workspace_id": "echo"}, headers=noise)
    check("nonsense" not in made.body, "31: what is unknown is ignored")


def section_0(api, seen):
    """Rules that hold for all: content type and object (held by Client on every call), success 200, errors, ids and slugs."""
    for method, path, body in (("GET", "/providers/none", None), ("POST", "/admin/workspaces", {}), ("POST", "/admin/workspaces", b"{")):
        connection = http.client.HTTPConnection("127.0.0.1", seen["port"], timeout=20)
        connection.request(method, "/v1" + path, body if isinstance(body, (bytes, type(None))) else json.dumps(body), {"x-portkey-api-key": seen["admin"], "content-type": "application/json"})
        reply = connection.getresponse()
        error = json.loads(reply.read())
        check(error["success"] is False and error["data"]["errorCode"].startswith("AB") and error["message"] == error["data"]["message"], "0: the envelope", error)
    check(api.call("GET", "/v2/integrations")["object"] == "list", "0: /v2 is /v1")
    check(api.get("/admin/workspaces?current_page=1000")["data"] == [], "0: a page out of range is empty")
    check(api.get(f"/admin/workspaces/{seen['slug']}")["id"] == api.get(f"/admin/workspaces/{seen['ws']}")["id"], "0: id or slug")


def main():
    build = Path(sys.argv[1]).resolve()
    traps = {name: function for name, function in globals().items() if name.startswith("trap_")}
    elsewhere = {"trap_20", "trap_26"}
    with tempfile.TemporaryDirectory(prefix="sluice-traps-") as name:
        folder = Path(name) / "data"
        boot = make(build, folder)
        program, port = start(build, folder)
        try:
            api = Client(port, boot["org_admin_key"])
            seen = {**lives(api), "port": port, "admin": boot["org_admin_key"]}
            section_0(api, seen)
            for number in range(1, 32):
                trap = f"trap_{number:02}"
                check(trap in traps or trap in elsewhere, f"{trap} is looked at")
                if trap in traps:
                    traps[trap](api, seen)
        finally:
            stop(program)
    finish()


main()
