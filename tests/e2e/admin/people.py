"""Users and members."""
from admin.client import check, times


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
