"""Where two dialects meet: faults in front of and behind the first words in every front, whose figures are counted, what a custom model's
base decides, and what a provider's row changes in a body that is passed on."""
import json

import harness

TIMEOUT_S = 2
LAST = {"messages": "message_stop", "responses": "response.completed", "chat/completions": "[DONE]", "completions": "[DONE]"}


class Edges(harness.Case):
    def setUp(self):
        super().setUp()
        if not hasattr(harness.Case, "made"):
            self.s.make_integration("claude", kind="anthropic", workspaces=[self.s.workspace])
            harness.Case.made = True

    def pairs(self):
        """(path, model, body of a prompt) of every front at a provider of another dialect."""
        claude, gpt = "@claude/claude-sonnet-4-5", f"@{self.s.provider}/gpt-4o"

        def say(text):
            return [{"role": "user", "content": text}]
        return (("chat/completions", claude, lambda text: {"messages": say(text)}),
                ("messages", gpt, lambda text: {"messages": say(text), "max_tokens": 500}),
                ("responses", claude, lambda text: {"input": text}),
                ("completions", claude, lambda text: {"prompt": text, "max_tokens": 500}))

    def call(self, path, model, body, key=True, **more):
        return self.s.gateway("POST", "/" + path, {"model": model, **body, **more}, key=key)

    def kind_of(self, path, reply):
        """The error's type, after a look at its shape."""
        if path == "messages":
            self.assertEqual(set(reply.json) - {"request_id"}, {"type", "error"}, str(reply))
            self.assertEqual(reply.json["type"], "error")
        else:
            self.assertLessEqual({"message", "type", "param", "code"}, set(reply.json["error"]), str(reply))
        return reply.json["error"]["type"]

    def test_in_front_of_the_first_word(self):
        rows = (("status:500", 500, "provider"), ("status:429;retry-after:3", 429, "provider"), ("status:400", 400, "provider"),
                ("reset", 502, "gateway"), ("hang", 504, "gateway"), ("garbage", 502, "gateway"), ("error-event:0", None, "provider"),
                ("truncate:0", 502, "gateway"))
        for path, model, body in self.pairs():
            for spec, status, source in rows:
                for stream in (False, True):
                    if spec == "error-event:0" and not stream:
                        continue
                    with self.subTest(path=path, spec=spec, stream=stream):
                        reply = self.call(path, model, body(f"sim:fault={spec} some words"), stream=stream)
                        self.assertIn(reply.status, (status,) if status else range(400, 600), str(reply))
                        self.assertEqual(reply.headers["x-sluice-error-source"], source, str(reply))
                        self.assertTrue(self.kind_of(path, reply) and reply.message, str(reply))
                        self.assertTrue(reply.headers["content-type"].startswith("application/json"))
                        if "retry-after" in spec:
                            self.assertEqual(reply.headers["retry-after"], "3")

    def stream_to_end(self, path, model, body):
        """All bytes of a stream's body, however it ended."""
        data = json.dumps({"model": model, "stream": True, **body}).encode()
        with self.s.wire() as wire:
            wire.head("POST", f"/v1/{path}", {"authorization": f"Bearer {self.s.key}", "content-length": len(data)})
            wire.send(data)
            wire.read_until(b"\r\n\r\n")
            self.assertTrue(wire.got.startswith(b"HTTP/1.1 200"), wire.got[:200])
            got = wire.got
            while b"\r\n0\r\n\r\n" not in got:
                part = wire.read()
                if not part:
                    break
                got += part
            return got.decode()

    def test_behind_the_first_word(self):
        for path, model, body in self.pairs():
            for spec in ("error-event:2", "truncate:2", "reset-after:2", "hang-after:2"):
                with self.subTest(path=path, spec=spec):
                    got = self.stream_to_end(path, model, body(f"sim:fault={spec} some words of an answer"))
                    last = got.strip().rsplit("data: ", 2)
                    self.assertIn("error", got)
                    if path in ("messages", "responses"):
                        self.assertNotIn(LAST[path], got, "it looks complete")
                        self.assertIn("event: error" if path == "messages" else "event: response.failed", got)
                    else:
                        self.assertIn('"error"', last[-2], "the error is the last event but [DONE]")
                        self.assertNotIn('"finish_reason":"stop"', got)

    def test_a_whole_stream_ends_in_its_own_way(self):
        for path, model, body in self.pairs():
            with self.subTest(path=path):
                got = self.stream_to_end(path, model, body("hello"))
                self.assertIn(LAST[path], got)
                self.assertNotIn("error", got.replace('"error":null', ""))

    def test_what_is_counted_is_what_the_provider_counted(self):
        made = self.s.make_key()
        for path, model, body in self.pairs():
            for stream in (False, True):
                self.assertEqual(self.call(path, model, body("sim:fault=cached:3 a few words more"), made["key"], stream=stream).status, 200)
        truth = self.s.sim.wait_record(8)

        def mine():
            return next((row for row in self.s.usage("key")["data"] if row["id"] == made["id"]), {"requests": 0})
        row = harness.wait_for("the events", lambda: mine()["requests"] >= 8 and mine())
        self.assertEqual((row["input_tokens"], row["output_tokens"]),
                         (sum(r["prompt_tokens"] for r in truth), sum(r["completion_tokens"] for r in truth)))

    def test_a_count_of_tokens_costs_nothing(self):
        made = self.s.make_key()
        reply = self.s.gateway("POST", "/messages/count_tokens", {"model": f"@{self.s.provider}/gpt-4o", "messages": [
            {"role": "user", "content": "hello"}]}, key=made["key"])
        self.assertEqual((reply.status, reply.headers["x-sluice-estimated"]), (200, "input_tokens"))
        self.assertEqual(self.s.sim.records(), [])
        refused = self.s.gateway("POST", "/messages/count_tokens", {"model": "@no-such/x", "messages": []})
        self.assertEqual(refused.json["error"]["type"], "not_found_error")

    def test_a_custom_model_speaks_as_its_base(self):
        self.s.make_integration("house", workspaces=[self.s.workspace], models=[
            {"slug": "house-claude", "enabled": True, "is_custom": True, "base_model_slug": "claude-sonnet-4-5"},
            {"slug": "named-claude", "enabled": True, "is_custom": True, "base_model_slug": "anthropic/claude-opus-4-6"},
            {"slug": "house-gpt", "enabled": True, "is_custom": True, "base_model_slug": "gpt-4o"},
            {"slug": "gpt-4o", "enabled": True}])
        for model, path in (("house-claude", "/v1/messages"), ("named-claude", "/v1/messages"), ("house-gpt", "/v1/chat/completions"),
                            ("gpt-4o", "/v1/chat/completions")):
            for front, body in (("chat/completions", {}), ("messages", {"max_tokens": 99})):
                with self.subTest(model=model, front=front):
                    self.s.sim.reset()
                    self.s.gateway("POST", "/" + front, {"model": f"@house/{model}", "messages": [{"role": "user", "content": "hi"}], **body})
                    record = self.s.sim.wait_record()[0]
                    self.assertEqual((record["path"], json.loads(record["body"])["model"]), (path, model))
                    self.assertEqual(record["auth_header"], "authorization", "the integration's own way to show its key")
                    self.assertEqual(record["headers"].get("anthropic-version"), "2023-06-01" if path == "/v1/messages" else None)

    def test_a_host_that_speaks_another_dialect_than_its_row(self):
        self.s.make_integration("twin", kind="anthropic", workspaces=[self.s.workspace], api_dialect="openai")
        reply = self.s.gateway("POST", "/messages", {"model": "@twin/claude-sonnet-4-5", "max_tokens": 99, "messages": [
            {"role": "user", "content": "hi"}]})
        self.assertEqual(self.s.sim.wait_record()[0]["path"], "/v1/chat/completions", str(reply))

    def test_what_a_row_changes(self):
        self.s.make_integration("tral", kind="mistral-ai", workspaces=[self.s.workspace])
        self.s.gateway("POST", "/chat/completions", {"model": "@tral/mistral-large-latest", "max_completion_tokens": 5, "max_tokens": 6,
                                                    "stream": True, "seed": 1, "messages": [{"role": "developer", "content": "be"},
                                                                                            {"role": "user", "content": "hi"}]})
        self.assertEqual(json.loads(self.s.sim.wait_record()[0]["body"]), {
            "model": "mistral-large-latest", "max_tokens": 5, "stream": True, "random_seed": 1,
            "messages": [{"role": "system", "content": "be"}, {"role": "user", "content": "hi"}]})
        for tokens in ([1, 2], [[1], [2]]):
            self.s.sim.reset()
            reply = self.s.gateway("POST", "/embeddings", {"model": "@tral/mistral-embed", "input": tokens})
            self.refused(reply, 400, "input: provider @tral", "check_embedding_ctx_length=False")
        self.s.gateway("POST", "/embeddings", {"model": "@tral/mistral-embed", "input": ["a", "b"]})
        self.assertEqual(json.loads(self.s.sim.wait_record()[0]["body"])["input"], ["a", "b"])

    def test_a_provider_of_neither_is_refused_as_before(self):
        self.s.make_integration("vec", kind="voyage", workspaces=[self.s.workspace])
        for path, more in (("messages", {"max_tokens": 9}), ("chat/completions", {})):
            reply = self.s.gateway("POST", "/" + path, {"model": "@vec/voyage-3", "messages": [{"role": "user", "content": "hi"}], **more})
            self.assertEqual(reply.status, 422, str(reply))
            self.assertIn("does not offer", reply.message)
        self.assertEqual(self.s.sim.records(), [])

    def test_a_probe_sends_the_headers_of_its_row(self):
        self.s.admin("POST", "/integrations/claude/test", wait=False)
        record = next(r for r in self.s.sim.wait_record() if r["path"] == "/v1/models")
        self.assertEqual((record["auth_header"], record["headers"]["anthropic-version"]), ("x-api-key", "2023-06-01"))


if __name__ == "__main__":
    harness.run_cases("--gateway-arg", f"--first-byte-timeout={TIMEOUT_S}s", "--gateway-arg", f"--idle-timeout={TIMEOUT_S}s")
