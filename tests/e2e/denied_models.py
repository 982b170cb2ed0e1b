"""A model that an admin denied cannot be had under another spelling, on any endpoint, by an alias, a config or a batch row.

Each endpoint first answers with an allowed model in a request of the same shape, so a refusal is about the model and nothing else.
"""
import json

import harness

# Spellings of the denied "gpt-4o" that some provider, proxy or reader of ids might take for the same model.
SPELLINGS = [
    "gpt-4o", "GPT-4o", "Gpt-4O", " gpt-4o", "gpt-4o ", "\tgpt-4o", "gpt-4o\n", "\u00a0gpt-4o", "gpt\u200b-4o", "gpt-4o\ufeff",
    "gpt\u00ad-4o", "gpt\u20104o", "gpt\u20114o", "gpt\u2212\u0034o", "\uff47\uff50\uff54-4o", "gpt%2D4o", "gpt%252D4o", "%67pt-4o",
    "models/gpt-4o", "/gpt-4o", "gpt-4o/", "./gpt-4o", "x/../gpt-4o", "gpt-4o/.", "\\gpt-4o", "openai/gpt-4o", "openai.gpt-4o",
    "deployments/gpt-4o", "gpt-4o?a=b", "gpt-4o#a", "gpt-4o:latest", "gpt-4o-latest", "gpt-4o@20240806", "gpt-4o-2024-08-06",
    "gpt-4o-2024-05-13", "ft:gpt-4o:acme::abc123", "ft:gpt-4o-2024-08-06:acme:x:abc123", "us.gpt-4o",
]
FILE = ("file", "a.wav", b"RIFF" + bytes(3200))
IMAGE = ("image", "a.png", b"\x89PNG\r\n\x1a\n" + bytes(64))


def chat(model):
    return {"model": model, "messages": [{"role": "user", "content": "hello"}]}


# path -> (an allowed model, body or (fields, files) for a model)
ENDPOINTS = {
    "/chat/completions": ("gpt-4o-mini", chat),
    "/completions": ("gpt-3.5-turbo-instruct", lambda m: {"model": m, "prompt": "x"}),
    "/embeddings": ("text-embedding-3-small", lambda m: {"model": m, "input": "x"}),
    "/images/generations": ("gpt-image-1", lambda m: {"model": m, "prompt": "x"}),
    "/audio/speech": ("tts-1", lambda m: {"model": m, "input": "x", "voice": "alloy"}),
    "/moderations": ("omni-moderation-latest", lambda m: {"model": m, "input": "x"}),
    "/responses": ("gpt-4o-mini", lambda m: {"model": m, "input": "x"}),
    "/images/edits": ("gpt-image-1", lambda m: ([("model", m), ("prompt", "x")], [IMAGE])),
    "/audio/transcriptions": ("whisper-1", lambda m: ([("model", m)], [FILE])),
    "/audio/translations": ("whisper-1", lambda m: ([("model", m)], [FILE])),
}


class Denied(harness.Case):
    @classmethod
    def setUpClass(cls):
        s = harness.Case.stack
        s.make_integration("open", [{"slug": "gpt-4o", "enabled": False},
                                    {"slug": "best", "enabled": True, "is_custom": True, "upstream_model": "gpt-4o"},
                                    {"slug": "best-mini", "enabled": True, "is_custom": True, "upstream_model": "gpt-4o-mini"}],
                           [s.workspace], allow_all=True)
        s.make_integration("listed", [{"slug": model, "enabled": True} for model in ("gpt-4o-mini", "gpt-4.1", "o3-mini", "o1-mini")]
                           + [{"slug": pattern, "enabled": False} for pattern in ("o1-*", "*-preview")], [s.workspace])

    def post(self, path, model, make, headers=None, key=True):
        body = make(model)
        if isinstance(body, tuple):
            body, kind = harness.multipart(*body)
            headers = {**(headers or {}), "content-type": kind}
        return self.s.gateway("POST", path, body, headers, key)

    def test_every_spelling_on_every_endpoint(self):
        self.assertEqual(len(SPELLINGS), len(set(SPELLINGS)))
        for path, (allowed, make) in ENDPOINTS.items():
            self.s.sim.reset()
            reply = self.post(path, "@open/" + allowed, make)
            self.assertEqual(reply.status, 200, f"{path}: {reply}")
            self.assertEqual(self.s.sim.wait_record()[0]["model"], allowed)
            self.s.sim.reset()
            for spelling in SPELLINGS:
                for model, headers in (("@open/" + spelling, {}), (spelling, {"x-portkey-provider": "@open"})):
                    with self.subTest(path=path, model=model):
                        reply = self.post(path, model, make, headers)
                        # 400: the spelling cannot stand in such a body at all
                        self.assertIn(reply.status, (400, 403) if "\n" in spelling and isinstance(make("x"), tuple) else (403,), str(reply))
            self.assertEqual(self.s.sim.records(), [], path)
        print(f"{len(SPELLINGS)} spellings x {len(ENDPOINTS)} endpoints x 2 ways to name the provider")

    def test_spellings_of_json(self):
        """Bytes of the document, not of the string: escapes, white space, the member twice."""
        for text, status in ((r'{"model":"@open\/gpt\u002d4o","messages":[]}', 403), ('{ "model" :\n"@open/gpt-4o" ,"messages":[]}', 403),
                             ('{"mod\\u0065l":"@open/gpt-4o","messages":[]}', 403), ('{"model":"@open/gpt-4o-mini","model":"@open/gpt-4o"}', 400),
                             ('{"model":"@open/gpt-4o-mini","mod\\u0065l":"@open/gpt-4o"}', 400), ('{"model":["@open/gpt-4o"]}', 400),
                             ('{"model":"@open/gpt-4o\\u0000"}', 403), ('{"MODEL":"@open/gpt-4o","messages":[]}', 400)):
            with self.subTest(text):
                reply = self.s.gateway("POST", "/chat/completions", text.encode(), {"content-type": "application/json"})
                self.refused(reply, status)

    def test_model_twice_in_a_form(self):
        for fields in ([("model", "@open/whisper-1"), ("model", "@open/gpt-4o")], [("model", "@open/gpt-4o"), ("model", "@open/whisper-1")]):
            body, kind = harness.multipart(fields, [FILE])
            reply = self.s.gateway("POST", "/audio/transcriptions", body, {"content-type": kind})
            self.assertIn(reply.status, (400, 403), str(reply))
        self.assertEqual(self.s.sim.records(), [])

    def test_fine_tuning_of_it(self):
        body, kind = harness.multipart([("purpose", "fine-tune")], [("file", "t.jsonl", b'{"messages":[]}\n' * 10)])
        made = self.s.gateway("POST", "/files", body, {"content-type": kind, "x-portkey-provider": "@open"})
        job = {"training_file": made.json["id"]}
        self.s.sim.wait_record()
        reply = self.s.gateway("POST", "/fine_tuning/jobs", {**job, "model": "@open/gpt-4o-mini"})
        self.assertEqual(reply.status, 200, str(reply))
        count = len(self.s.sim.wait_record(2))
        for spelling in SPELLINGS:
            reply = self.s.gateway("POST", "/fine_tuning/jobs", {**job, "model": "@open/" + spelling})
            self.assertEqual(reply.status, 403, str(reply))
        self.assertEqual(len(self.s.sim.records()), count)

    def test_aliases(self):
        self.refused(self.s.chat(model="@open/best"), 403, "stands for a denied model", code="model_not_allowed")
        self.assertEqual(self.s.chat(model="@open/best-mini").status, 200)
        self.assertEqual(self.s.sim.wait_record()[0]["model"], "gpt-4o-mini")

    def test_configs(self):
        for config in ({"override_params": {"model": "@open/gpt-4o"}}, {"provider": "@open", "override_params": {"model": "gpt-4o"}},
                       {"strategy": {"mode": "single"}, "targets": [{"virtual_key": "open", "override_params": {"model": "GPT-4o"}}]}):
            for model in ("@open/gpt-4o-mini", "gpt-4o-mini"):
                with self.subTest(config=config, model=model):
                    self.refused(self.s.chat(model=model, headers={"x-portkey-config": json.dumps(config)}), 403)
        body = {**chat("gpt-4o"), "stream": True}
        config = json.dumps({"provider": "@open"})
        self.refused(self.s.gateway("POST", "/chat/completions", body, {"x-portkey-config": config}), 403)

    def test_patterns(self):
        for model, status in (("gpt-4o-mini", 200), ("o3-mini", 200), ("o1-mini", 200), ("o1-preview", 403), ("O1-Preview", 403),
                              ("gpt-4.5-preview", 403), ("o1-pro", 403), ("openai/o1-preview", 403), ("gpt-4o", 403)):
            with self.subTest(model):  # an exact row beats a pattern: o1-mini is allowed although o1-* is denied
                reply = self.s.chat(model="@listed/" + model)
                self.assertEqual(reply.status, status, str(reply))

    def test_the_list_and_the_call_agree(self):
        ids = {row["id"] for row in self.s.gateway("GET", "/models").json["data"]}
        self.assertIn("@open/gpt-4o-mini", ids)
        self.assertIn("@listed/o1-mini", ids)
        for model in ("@open/gpt-4o", "@open/best", "@open/gpt-4o-2024-08-06", "@listed/o1-preview", "@listed/gpt-4o"):
            with self.subTest(model):
                self.assertNotIn(model, ids)
                self.assertEqual(self.s.gateway("GET", "/models/" + model.replace("@", "%40").replace("/", "%2F")).status, 404)
        for model in [row for row in ids if row.startswith("@listed/")]:
            self.assertEqual(self.s.chat(model=model).status, 200, model)

    def test_allowed_models_only_narrow(self):
        s = self.s
        s.make_integration("narrow", [{"slug": "gpt-4o-mini", "enabled": True}, {"slug": "gpt-4.1", "enabled": True}], [s.workspace])
        s.admin("PUT", f"/providers/narrow?workspace_id={s.workspace}", {"allowed_models": ["gpt-4.1*", "gpt-4o"]})
        self.assertEqual(s.chat(model="@narrow/gpt-4.1").status, 200)
        s.sim.reset()
        self.refused(s.chat(model="@narrow/gpt-4o-mini"), 403, "allowed_models of provider @narrow")
        self.refused(s.chat(model="@narrow/gpt-4o"), 403, "not enabled")  # named by the provider, but not of the integration
        key = s.make_key(allowed_models=["gpt-4o-mini", "@listed/o3-*"])["key"]
        for model, status in (("@listed/gpt-4o-mini", 200), ("@listed/o3-mini", 200), ("@listed/gpt-4.1", 403),
                              ("@open/o3-mini", 403), ("@open/gpt-4o", 403)):
            self.assertEqual(s.chat(model=model, key=key).status, status, model)
        ids = {row["id"] for row in s.gateway("GET", "/models", key=key).json["data"]}
        self.assertEqual(ids & {"@listed/gpt-4o-mini", "@listed/o3-mini", "@listed/gpt-4.1"}, {"@listed/gpt-4o-mini", "@listed/o3-mini"})


if __name__ == "__main__":
    harness.run_cases()
