"""Workspaces and their members."""
import uuid

from admin_client import check, times


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
