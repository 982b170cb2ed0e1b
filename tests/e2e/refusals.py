"""Keys, providers, models and objects that a caller may not use. Two workspaces share one integration, so that at the provider all
objects lie in one account and only the gateway keeps them apart.
"""
import json
import time

import harness

UNKNOWN_ID = "0190163d-8694-739b-aea5-966c26f8ad91"


class Refusals(harness.Case):
    @classmethod
    def setUpClass(cls):
        s = harness.Case.stack
        cls.ours, cls.theirs = s.make_workspace("Ours"), s.make_workspace("Theirs")
        s.make_integration("shared", workspaces=[cls.ours["id"], cls.theirs["id"]])
        s.make_integration("listed", [{"slug": "gpt-4o-mini", "enabled": True}], [cls.ours["id"]])
        s.make_integration("secret-of-theirs", workspaces=[cls.theirs["id"]])
        s.make_integration("nobodys")

    def chat(self, model="@shared/gpt-4o", key=None, headers=None, **more):
        return self.s.chat(model=model, key=key or self.ours["key"], headers=headers, **more)

    # --- providers and models

    def test_the_allowed_call(self):
        self.assertEqual(self.chat().status, 200)
        self.assertEqual(self.chat("@listed/gpt-4o-mini").status, 200)

    def test_off_list_model(self):
        self.refused(self.chat("@listed/gpt-4o"), 403, "gpt-4o", "@listed", code="model_not_allowed")
        self.refused(self.chat("@listed/gpt-4o-mini-x"), 404, "@listed", "gpt-4o-mini", code="model_not_listed")

    def test_unprovisioned_provider(self):
        for slug in ("nobodys", "secret-of-theirs", "no-such"):
            for model, headers in ((f"@{slug}/gpt-4o", {}), ("gpt-4o", {"x-portkey-provider": slug}),
                                   ("gpt-4o", {"x-portkey-config": json.dumps({"virtual_key": slug})})):
                reply = self.refused(self.chat(model, headers=headers), 404, f"@{slug}", code="provider_not_found")
                self.assertNotIn("Theirs", reply.message)
        near = self.refused(self.chat("@sharde/gpt-4o"), 404, "@shared").message
        self.assertNotIn("secret", near)

    def test_near_names_are_the_callers_own(self):
        for _ in range(2):
            message = self.refused(self.chat("@secret-of-their/gpt-4o"), 404).message
            self.assertNotIn("secret-of-theirs", message)

    def test_disabled_and_enabled_again(self):
        s = self.s
        s.make_integration("flip", workspaces=[self.ours["id"]])
        self.assertEqual(self.chat("@flip/gpt-4o").status, 200)
        s.provision("flip", [self.ours["id"]], enabled=False)
        s.sim.reset()
        self.refused(self.chat("@flip/gpt-4o"), 403, "@flip", code="provider_disabled")
        s.provision("flip", [self.ours["id"]])
        self.assertEqual(self.chat("@flip/gpt-4o").status, 200)
        s.admin("DELETE", "/integrations/flip")
        s.sim.reset()
        self.refused(self.chat("@flip/gpt-4o"), 404)

    def test_expired_provider(self):
        s, workspace = self.s, self.ours["id"]
        s.make_integration("brief", workspaces=[workspace])
        s.admin("PUT", f"/providers/brief?workspace_id={workspace}", {"expires_at": "2020-01-01T00:00:00.000Z"})
        reply = self.chat("@brief/gpt-4o")
        self.assertIn(reply.status, (403, 412))
        self.refused(reply, reply.status, "@brief", "expired")

    def test_plain_model_names_providers_that_offer_it(self):
        message = self.refused(self.chat("gpt-4o-mini"), 400, "@shared/gpt-4o-mini", "@listed/gpt-4o-mini").message
        self.assertNotIn("secret", message)
        self.refused(self.chat("no-such-model-anywhere"), 400, "no provider of this workspace")

    # --- keys

    def test_revoked_key(self):
        made = self.s.make_key(self.ours["id"])
        self.assertEqual(self.chat(key=made["key"]).status, 200)
        self.s.admin("DELETE", f"/api-keys/{made['id']}")
        self.s.sim.reset()
        self.refused(self.chat(key=made["key"]), 401, code="invalid_api_key")

    def test_key_expires(self):
        at = time.time() + 2
        made = self.s.make_key(self.ours["id"], expires_at=time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at)))
        status = self.chat(key=made["key"]).status
        if time.time() < int(at):
            self.assertEqual(status, 200)
        harness.wait_for("the key's end", lambda: self.chat(key=made["key"]).status == 401)
        self.s.sim.reset()
        self.refused(self.chat(key=made["key"]), 401, "expired", code="api_key_expired")

    def test_rotated_key(self):
        made = self.s.make_key(self.ours["id"])
        fresh = self.s.admin("POST", f"/api-keys/{made['id']}/rotate", {"key_transition_period_ms": 1800000}).json["key"]
        for key in (made["key"], fresh):
            self.assertEqual(self.chat(key=key).status, 200)

    def test_organisation_key_calls_no_model(self):
        for path, body in (("/chat/completions", self.s.chat_body("x", "@shared/gpt-4o")), ("/embeddings", {"model": "@shared/x", "input": "x"})):
            self.refused(self.s.gateway("POST", path, body, key=self.s.admin_key), 403, "Organisation keys", code="organisation_key")
        self.refused(self.s.gateway("GET", "/files", headers={"x-portkey-provider": "shared"}, key=self.s.admin_key), 403)

    def test_missing_scope(self):
        key = self.s.make_key(self.ours["id"], ["models.list", "providers.list"])["key"]
        self.refused(self.chat(key=key), 403, "completions.write", code="permission_denied")
        self.assertEqual(self.s.gateway("GET", "/models", key=key).status, 200)
        key = self.s.make_key(self.ours["id"], ["logs.write"])["key"]
        self.refused(self.s.gateway("GET", "/models", key=key), 403, "models.list")

    def test_workspace_key_manages_nothing_of_others(self):
        s = self.s
        key = s.make_key(self.ours["id"], ["providers.list", "providers.read", "workspaces.read", "configs.list", "analytics.view"])["key"]
        for path in (f"/providers?workspace_id={self.theirs['id']}", f"/admin/workspaces/{self.theirs['id']}", f"/configs?workspace_id={self.theirs['slug']}",
                     f"/usage?workspace_id={self.theirs['id']}"):
            for url in (s.control_url, s.gateway_url):
                reply = s.admin("GET", path, key=key, expect=None, url=url)
                self.assertIn(reply.status, (403, 404), f"{path}: {reply}")
                self.assertNotIn("Theirs", reply.body.decode())
        self.assertEqual([p["slug"] for p in s.admin("GET", "/providers", key=key).json["data"] if "secret" in p["slug"]], [])
        self.assertEqual(s.admin("GET", "/providers/secret-of-theirs", key=key, expect=None).status, 404)

    def test_config_of_another_workspace(self):
        made = self.s.admin("POST", "/configs", {"name": "theirs", "config": {"provider": "@secret-of-theirs"}, "workspace_id": self.theirs["id"]}).json
        for name in (made["id"], made["slug"], UNKNOWN_ID, "pc-none"):
            self.refused(self.chat("gpt-4o", headers={"x-portkey-config": name}), 404, "x-portkey-config", name)

    def test_broken_config(self):
        for text in ("{", '{"strategy":{"mode":"single"}}', '{"strategy":{"mode":"nonsense"},"targets":[{"provider":"@shared"}]}',
                     '{"targets":"x"}', '{"provider":7}'):
            reply = self.chat("gpt-4o", headers={"x-portkey-config": text})
            self.assertEqual(reply.status, 400, f"{text}: {reply}")
            self.refused(reply, 400)

    def test_default_config_that_may_not_be_overridden(self):
        s, workspace = self.s, self.ours["id"]
        config = s.admin("POST", "/configs", {"name": "fixed", "config": {"provider": "@listed"}, "workspace_id": workspace}).json
        key = s.make_key(workspace, defaults={"config_id": config["id"], "allow_config_override": False})["key"]
        self.assertEqual(self.chat("gpt-4o-mini", key=key).status, 200)
        s.sim.reset()
        self.refused(self.chat("gpt-4o", key=key, headers={"x-portkey-config": '{"provider":"@shared"}'}), 403, "may not be overridden")

    # --- objects at the provider

    def make_objects(self, key):
        """{kind: id} of one object each, made through the shared integration."""
        s, pin = self.s, {"x-portkey-provider": "@shared"}

        def upload(purpose, data):
            body, kind = harness.multipart([("purpose", purpose)], [("file", f"{purpose}.jsonl", data)])
            return s.gateway("POST", "/files", body, {**pin, "content-type": kind}, key)

        def made(reply):
            self.assertEqual(reply.status, 200, str(reply))
            return reply.json["id"]
        row = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": s.chat_body("x", "gpt-4o")}
        out = {"file": made(upload("batch", (json.dumps(row) + "\n").encode())),
               "training": made(upload("fine-tune", b'{"messages":[]}\n' * 10))}
        out["batch"] = made(s.gateway("POST", "/batches", {"input_file_id": out["file"], "endpoint": "/v1/chat/completions",
                                                            "completion_window": "24h"}, pin, key))
        out["job"] = made(s.gateway("POST", "/fine_tuning/jobs", {"model": "gpt-4o-mini", "training_file": out["training"]}, pin, key))
        out["response"] = made(s.gateway("POST", "/responses", {"model": "gpt-4o", "input": "the secret", "background": True}, pin, key))
        return out

    def test_objects_of_another_workspace(self):
        s, pin = self.s, {"x-portkey-provider": "@shared"}
        theirs = self.make_objects(self.theirs["key"])
        uses = [("GET", "/files/{file}"), ("GET", "/files/{file}/content"), ("DELETE", "/files/{file}"), ("GET", "/batches/{batch}"),
                ("POST", "/batches/{batch}/cancel"), ("GET", "/fine_tuning/jobs/{job}"), ("POST", "/fine_tuning/jobs/{job}/cancel"),
                ("GET", "/fine_tuning/jobs/{job}/events"), ("GET", "/responses/{response}"), ("GET", "/responses/{response}/input_items"),
                ("POST", "/responses/{response}/cancel"), ("DELETE", "/responses/{response}")]
        batch = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
        quotes = [("/batches", {**batch, "input_file_id": theirs["file"]}),
                  ("/fine_tuning/jobs", {"model": "gpt-4o-mini", "training_file": theirs["training"]}),
                  ("/fine_tuning/jobs", {"model": "gpt-4o-mini", "training_file": None, "validation_file": theirs["training"]}),
                  ("/responses", {"model": "gpt-4o", "input": "go on", "previous_response_id": theirs["response"]}),
                  ("/responses", {"model": "gpt-4o", "input": [{"role": "user", "content": [{"type": "input_file", "file_id": theirs["file"]}]}]}),
                  ("/responses", {"model": "gpt-4o", "input": "x", "conversation": {"id": "conv_of_theirs"}}),
                  ("/responses", {"model": "gpt-4o", "input": "x", "tools": [{"type": "file_search", "vector_store_ids": ["vs_theirs"]}]}),
                  ("/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": [
                      {"type": "file", "file": {"file_id": theirs["file"]}}]}]})]
        quotes[2][1].pop("training_file")
        before = len(s.sim.records())
        messages = set()
        for method, path in uses:
            for ids in (theirs, dict.fromkeys(theirs, "file-0000000000000000")):
                with self.subTest(method=method, path=path, ids=ids is theirs):
                    reply = s.gateway(method, path.format(**ids), headers=pin, key=self.ours["key"])
                    self.assertEqual(reply.status, 404, str(reply))
                    self.assertEqual(reply.headers.get("x-sluice-error-source"), "gateway")
                    messages.add(reply.message.replace(next(i for i in ids.values() if i in reply.message), "ID"))
        self.assertEqual(len(messages), 1, "a stranger's object and none at all are told apart")
        for path, body in quotes:
            with self.subTest(path=path, body=body):
                reply = s.gateway("POST", path, body, pin, self.ours["key"])
                self.assertEqual(reply.status, 404, str(reply))
        config = json.dumps({"provider": "@shared", "override_params": {"previous_response_id": theirs["response"]}})
        reply = s.gateway("POST", "/responses", {"model": "gpt-4o", "input": "x"}, {"x-portkey-config": config}, self.ours["key"])
        self.assertEqual(reply.status, 404, str(reply))
        self.assertEqual(len(s.sim.records()), before, "the provider was asked")
        for method, path in [use for use in uses if use[0] == "GET"]:
            with self.subTest(owner=path):
                self.assertEqual(s.gateway(method, path.format(**theirs), headers=pin, key=self.theirs["key"]).status, 200)

    def test_lists_show_ones_own(self):
        s, pin = self.s, {"x-portkey-provider": "@shared"}
        owners = {"ours": self.ours["key"], "theirs": self.theirs["key"]}
        made = {name: self.make_objects(key) for name, key in owners.items()}
        for path, kinds in (("/files", ("file", "training")), ("/batches", ("batch",)), ("/fine_tuning/jobs", ("job",))):
            for name, key in owners.items():
                other = made["theirs" if name == "ours" else "ours"]
                with self.subTest(path=path, owner=name):
                    reply = s.gateway("GET", path, headers=pin, key=key)
                    ids = [item["id"] for item in reply.json["data"]]
                    for kind in kinds:
                        self.assertIn(made[name][kind], ids)
                        self.assertNotIn(other[kind], reply.body.decode())

    def test_the_other_worker_and_a_restart_know_owners(self):
        """What one worker learned, another finds out: many connections reach both."""
        s, pin = self.s, {"x-portkey-provider": "@shared"}
        made = self.make_objects(self.ours["key"])
        for _ in range(12):
            self.assertEqual(s.gateway("GET", f"/files/{made['file']}", headers=pin, key=self.ours["key"]).status, 200)
            self.assertEqual(s.gateway("GET", f"/files/{made['file']}", headers=pin, key=self.theirs["key"]).status, 404)
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": made["file"]}}]}]}
            self.assertEqual(s.gateway("POST", "/chat/completions", body, pin, self.ours["key"]).status, 200)

    def test_pass_through_is_off(self):
        pin = {"x-portkey-provider": "@shared"}
        self.refused(self.s.gateway("GET", "/assistants", headers=pin, key=self.ours["key"]), 404, "passthrough.invoke")
        key = self.s.make_key(self.ours["id"], ["completions.write", "passthrough.invoke"])["key"]
        for path in ("/assistants", "/organization/users", "/vector_stores", "/../v1/models"):
            reply = self.s.gateway("GET", path, headers=pin, key=key)
            self.assertIn(reply.status, (400, 403, 404), f"{path}: {reply}")
            self.assertEqual(self.s.sim.records(), [])


if __name__ == "__main__":
    harness.run_cases()
