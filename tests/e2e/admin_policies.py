"""Usage and rate policies, and what an organisation says about limits."""
from admin_client import check, times


def policies(api, workspace_id, workspace_slug):
    path = "/policies/usage-limits"
    body = {"name": "Monthly", "conditions": [{"key": "workspace_id", "value": workspace_id}], "group_by": [{"key": "api_key"}],
            "type": "cost", "credit_limit": 1000.0, "alert_threshold": 800, "periodic_reset": "monthly", "workspace_id": workspace_slug,
            "organisation_id": "ignored"}
    made = api.post(path, body)
    check(made["object"] == "policy_usage_limits" and set(made.body) == {"id", "object"}, "create answers id and object", made.body)
    read = api.get(f"{path}/{made['id']}")
    times(read, "created_at", "last_updated_at", "last_reset_at", "next_usage_reset_at")
    for name in ("name", "conditions", "group_by", "type", "credit_limit", "alert_threshold", "periodic_reset"):
        check(read[name] == body[name], f"policy {name} reads back", read[name])
    check(read["workspace_id"] == workspace_id and read["status"] == "active", "the workspace's id", read.body)
    check(api.put(f"{path}/{made['id']}", {}).body == {}, "an empty PUT")
    api.put(f"{path}/{made['id']}", {"credit_limit": 10, "alert_threshold": None, "periodic_reset": None})
    read = api.get(f"{path}/{made['id']}")
    check((read["credit_limit"], read["alert_threshold"], read["periodic_reset"]) == (10, None, None), "null removes", read.body)
    check(read["name"] == "Monthly", "absent keeps")
    for change, word in (({"alert_threshold": 10}, "alert_threshold"), ({"type": "tokens"}, "type"), ({"credit_limit": "5"}, "credit_limit"),
                         ({"conditions": []}, "conditions"), ({"mode": "lax"}, "mode")):
        check(word in api.put(f"{path}/{made['id']}", change, 400)["message"], f"400 names {word}")
    api.post(path, {**body, "group_by": []}, 400)
    check(api.get(f"{path}?workspace_id={workspace_slug}&type=cost")["total"] == 1, "list by type")
    check(api.delete(f"{path}/{made['id']}").body == {}, "DELETE answers {}")
    api.get(f"{path}/{made['id']}", 404)
    check(api.get(f"{path}/{made['id']}?status=archived")["status"] == "archived", "archived")
    rates(api, workspace_id)


def rates(api, workspace_id):
    path = "/policies/rate-limits"
    body = {"name": "RPM", "conditions": [{"key": "metadata.team", "value": ["a", "b"], "excludes": "c"}], "group_by": [{"key": "metadata._user"}],
            "type": "requests", "unit": "rpm", "value": 100, "workspace_id": workspace_id}
    made = api.post(path, body)
    read = api.get(f"{path}/{made['id']}")
    check(all(read[name] == body[name] for name in body), "a rate policy reads back", read.body)
    check(read["object"] == "policy_rate_limits" and read["target"] == "llm", "object and target", read.body)
    api.put(f"{path}/{made['id']}", {"unit": "rpw", "value": 5})
    check(api.get(f"{path}?unit=rpw&workspace_id={workspace_id}")["total"] == 1, "list by unit")
    check("value" in api.put(f"{path}/{made['id']}", {"value": -1}, 400)["message"], "400 names value")
    api.delete(f"{path}/{made['id']}")
    check(api.get(f"{path}?workspace_id={workspace_id}")["total"] == 0, "archived ones are not listed")
