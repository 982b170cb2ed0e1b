"""Errors, authentication, health and reports."""
import http.client
import json

from admin.client import Client, check


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
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for path, want in (("/healthz", b'"ok"'), ("/readyz", b'"ready"'), ("/metrics", b"sluice_control_revision")):
        connection.request("GET", path)
        response = connection.getresponse()
        check(response.status == 200 and want in response.read(), path)
