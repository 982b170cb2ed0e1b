"""Providers, and virtual keys, which are providers with an integration of their own."""
from admin_client import check


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
    named = api.post("/configs", {"name": "names it", "config": {"provider": "@mine"}, "workspace_id": workspace_id})
    impact = api.delete(f"/providers/mine?workspace_id={workspace_id}", None, 409)["data"]["impact"]
    check([c["id"] for c in impact["configs"]] == [named["id"]] and impact["last_7_days"]["requests"] == 0, "what is in use is told", impact)
    rehearsed = api.call("DELETE", f"/providers/mine?workspace_id={workspace_id}&dry_run=true", rehearsal=True)
    check(rehearsed["object"] == "impact" and [p["effect"] for p in rehearsed["providers"]] == ["deleted"], "dry run", rehearsed.body)
    api.delete(f"/providers/mine?workspace_id={workspace_id}", {"force_delete": True})
    api.get(f"/providers/mine?workspace_id={workspace_id}", 404)
    check(api.get("/admin/deleted?type=provider")["data"][0]["id"] == made["id"], "it can be restored")
    api.post(f"/admin/deleted/{made['id']}/restore")
    check(api.get(f"/providers/mine?workspace_id={workspace_id}")["created_at"] == read["created_at"], "as it was")
    api.delete(f"/configs/{named['slug']}")
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
