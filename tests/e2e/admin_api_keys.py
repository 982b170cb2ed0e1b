"""API keys of the three kinds."""
import uuid

from admin_client import RFC3339, Client, check, times
from admin_providers import virtual_keys


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
