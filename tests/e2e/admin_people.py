"""Users of the organisation, members of workspaces, invites, and people at the console: passwords, sessions, reset links."""
import json
import subprocess
from urllib.parse import urlsplit

from admin_client import Client, check, times


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


class Person(Client):
    """Somebody at the console: a cookie and its guard word in place of a key."""

    def __init__(self, port):
        super().__init__(port)
        self.who = None

    def sign_in(self, email, password, want=200, **more):
        self.headers.pop("cookie", None)
        self.who = self.post("/console/session", {"email": email, "password": password, **more}, want)
        if want == 200:
            cookie = self.who.headers["set-cookie"]
            check("HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie, "cookie", cookie)
            self.headers.update({"cookie": cookie.split(";")[0], "x-csrf-token": self.who["csrf_token"]})
        return self


def token(link, page):
    parts = urlsplit(link)
    check(parts.fragment.startswith(f"/{page}?token="), "the token is behind '#'", link)
    return parts.fragment.split("token=")[1]


def invites(api, port, workspace_slug):
    path = "/admin/users/invites"
    wanted = [{"id": workspace_slug, "role": "member"}]
    made = api.post(path, {"email": "Grace@Example.com", "role": "member", "workspaces": wanted,
                           "workspace_api_key_details": {"scopes": ["models.list", "completions.write"]}})
    times(made, "created_at", "expires_at", "accepted_at")
    check(made["status"] == "pending" and made["workspaces"] == wanted and made["object"] == "invite" and "scopes" not in str(made.body), "invite", made.body)
    check(api.get(f"{path}/{made['id']}")["email"] == "grace@example.com", "read back")
    api.call("PUT", f"{path}/{made['id']}", {"role": "admin"}, 405)
    check("workspaces" not in api.get(f"{path}/{api.post(path, {'email': 'x@example.com', 'role': 'admin'})['id']}").body, "absent stays absent")
    check(api.get(f"{path}?pageSize=1&currentPage=1")["total"] == 2, "camelCase pages")
    again = api.post(f"{path}/{made['id']}/resend")
    nobody = Client(port)
    accept = {"password": "grace's password", "first_name": "Grace", "last_name": "Hopper"}
    nobody.post("/console/invite", {"token": token(made["invite_link"], "invite"), **accept}, 400)
    entered = nobody.post("/console/invite", {"token": token(again["inviteLink"], "invite"), **accept})
    check(Client(port, entered["api_keys"][0]["key"]).get("/models")["object"] == "list", "the invite's key works")
    check(api.get(f"{path}/{made['id']}")["status"] == "accepted", "accepted")
    nobody.post("/console/invite", {"token": token(again["inviteLink"], "invite"), **accept}, 400)
    cancelled = api.post(path, {"email": "y@example.com", "role": "member"})
    api.delete(f"{path}/{cancelled['id']}", {"invite_id": cancelled["id"]})
    check(api.get(f"{path}?status=cancelled")["total"] == 1, "cancelled")
    api.get(path + "/00000000-0000-7000-8000-000000000000", 404)
    return entered["user_id"]


def console(api, port, build, folder, boot, workspace_slug, workspace_id):
    owner = Person(port).sign_in("Ada@example.com", boot["password"])
    check(owner.who["user"]["role"] == "owner" and len(owner.get("/admin/workspaces")["data"]) == len(owner.who["workspaces"]), "an owner sees all")
    grace = Person(port).sign_in("grace@example.com", "grace's password")
    check([w["slug"] for w in grace.who["workspaces"]] == [workspace_slug], "a member's workspaces", grace.who.body)
    grace.get("/models")
    grace.get(f"/providers?workspace_id={workspace_id}")
    grace.get("/providers?workspace_id=default", 403)
    grace.get("/admin/users", 403)
    grace.post("/integrations", {"name": "x", "ai_provider_id": "openai", "key": "k"}, 403)
    mine = grace.post("/api-keys/workspace/user", {"name": "laptop", "scopes": ["completions.write"]})
    check([k["id"] for k in grace.get("/api-keys")["data"] if k["creation_mode"] == "ui"] == [mine["id"]], "own keys")
    forged = Person(port)
    forged.headers["cookie"] = grace.headers["cookie"]
    forged.get("/console/session")
    forged.post("/api-keys/workspace/user", {"name": "forged", "scopes": []}, 403)
    Person(port).sign_in("grace@example.com", "not the password", 401)
    grace.put("/console/password", {"current_password": "grace's password", "password": "grace's new password"})
    forged.get("/console/session")
    other = Person(port).sign_in("grace@example.com", "grace's new password")
    check(other.get("/console/sessions")["total"] == 2, "sessions")
    link = owner.post("/admin/users/grace@example.com/reset-link")
    Client(port).post("/console/reset", {"token": token(link["reset_link"], "reset"), "password": "grace's third one"})
    for ended in (grace, other, forged):
        ended.get("/console/session", 401)
    made = subprocess.run([build / "bin/sluicectl", "admin", "reset-link", "grace@example.com", "--json", "--data-dir", folder, "--control", "https://c.example"],
                          check=True, stdout=subprocess.PIPE)
    link = json.loads(made.stdout)["reset_link"]
    check(link.startswith("https://c.example/#/reset?token=slr_"), "sluicectl admin reset-link", link)
    Client(port).post("/console/reset", {"token": token(link, "reset"), "password": "grace's fourth one"})
    grace.sign_in("grace@example.com", "grace's fourth one")
    owner.put(f"/admin/workspaces/{workspace_id}/users/grace@example.com", {"role": "manager"})
    made = grace.post("/configs", {"name": "grace's", "config": {"retry": {"attempts": 1}}})
    grace.delete(f"/configs/{made['slug']}")
    api.delete("/admin/users/grace@example.com")
    grace.get("/console/session", 401)
    Client(port, mine["key"]).get("/models", 401)
    owner.delete("/console/session")
    owner.get("/console/session", 401)
