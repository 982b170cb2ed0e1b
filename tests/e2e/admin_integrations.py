"""Integrations, their models, and which workspaces have them."""
from admin_client import check, times


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
