"""5 key headers x {our key, foreign key, empty, dummy} x {@slug in the model, @slug, plain slug, catalog name, none}: the status, and what
the simulator received. Invariant behind all rows: the provider sees the stored credential and nothing of ours.
"""
import hashlib
import itertools
import json

import harness

HEADERS = ("x-portkey-api-key", "authorization", "x-api-key", "api-key", "x-goog-api-key")
FOREIGN = "sk-proj-FOREIGN0123456789abcdefghijklmnop"
STORED = "sk-upstream-auth"
# how the provider is named -> (model, value of x-portkey-provider, status with our key, words of a refusal)
NAMINGS = {
    "@slug/model": ("@auth/gpt-4o", None, 200, ()),
    "@slug": ("gpt-4o", "@auth", 200, ()),
    "plain slug": ("gpt-4o", "auth", 200, ()),
    "catalog name": ("gpt-4o", "groq", 404, ("groq",)),
    "none, known model": ("gpt-4o", None, 400, ("@auth/gpt-4o",)),
    "none, no model": (None, None, 400, ("model",)),
}


class Table(harness.Case):
    @classmethod
    def setUpClass(cls):
        s = harness.Case.stack
        s.make_integration("auth", workspaces=[s.workspace])

    def values(self):
        """kind of value -> texts of a header that are of this kind"""
        return {"our key": [self.s.key], "foreign key": [FOREIGN, "slk_" + "A" * 49], "empty": ["", " "],
                "dummy": ["dummy", "not-needed", "x"]}

    def ask(self, headers, naming):
        model, provider, _, _ = NAMINGS[naming]
        body = {"messages": [{"role": "user", "content": "hello"}]}
        if model:
            body["model"] = model
        if provider:
            headers = {**headers, "x-portkey-provider": provider}
        return self.s.gateway("POST", "/chat/completions", body, headers, key=None)

    def check_received(self, expected):
        records = self.s.sim.records()
        self.assertEqual(len(records), expected)
        for record in records:
            text = json.dumps(record)
            self.assertNotIn("slk_", text)
            self.assertNotIn(FOREIGN, text)
            self.assertEqual(record["auth_header"], "authorization")
            self.assertEqual(record["auth_sha256_prefix"], hashlib.sha256(STORED.encode()).hexdigest()[:16])
            extra = [name for name in record["headers"] if name in HEADERS[2:] or name.startswith("x-portkey")]
            self.assertEqual(extra, [])

    def test_each_header_alone(self):
        rows = 0
        for header, naming in itertools.product(HEADERS, NAMINGS):
            for kind, texts in self.values().items():
                for text in texts:
                    forms = [text, f"Bearer {text}"] if header == "authorization" else [text]
                    for form in forms:
                        with self.subTest(header=header, naming=naming, kind=kind, value=form):
                            self.s.sim.reset()
                            reply = self.ask({header: form}, naming)
                            want = NAMINGS[naming][2] if kind == "our key" else 401
                            self.assertEqual(reply.status, want, str(reply))
                            for word in NAMINGS[naming][3] if kind == "our key" else ("API key",):
                                self.assertIn(word, reply.message)
                            self.check_received(1 if want == 200 else 0)
                            rows += 1
        print(f"{rows} rows: {len(HEADERS)} headers, {len(NAMINGS)} namings")

    def test_no_header_at_all(self):
        for naming in NAMINGS:
            self.refused(self.ask({}, naming), 401, "No API key was sent", code="invalid_api_key")

    def test_our_key_beside_another(self):
        for ours, other in itertools.permutations(HEADERS, 2):
            for text in (FOREIGN, "", "dummy"):
                with self.subTest(ours=ours, other=other, value=text):
                    self.s.sim.reset()
                    self.assertEqual(self.ask({ours: self.s.key, other: text}, "@slug/model").status, 200)
                    self.check_received(1)

    def test_the_first_known_key_counts(self):
        weak = self.s.make_key(scopes=["models.list"])["key"]
        for first, second in itertools.combinations(HEADERS, 2):
            with self.subTest(first=first, second=second):
                self.assertEqual(self.ask({first: weak, second: self.s.key}, "@slug/model").status, 403)
                self.assertEqual(self.ask({first: self.s.key, second: weak}, "@slug/model").status, 200)

    def test_no_way_around_for_our_key(self):
        """Wherever a client puts a key of ours, it stays here."""
        key = self.s.key
        for headers, query in (({"x-portkey-forward-headers": "x-thing, authorization, x-portkey-api-key, x-api-key", "x-thing": key,
                                 "x-api-key": key}, ""),
                               ({"user-agent": f"client {key}"}, ""), ({"idempotency-key": key}, ""), ({"openai-beta": key}, ""),
                               ({"traceparent": key}, ""), ({"cookie": f"k={key}"}, ""), ({}, f"?key={key}"),
                               ({}, f"?api-key=Bearer%20{key}"), ({}, f"?a={key.replace('_', '%5f')}"),
                               ({"x-portkey-metadata": json.dumps({"k": key}), "x-portkey-trace-id": key}, "")):
            with self.subTest(headers=headers, query=query):
                self.s.sim.reset()
                reply = self.s.gateway("POST", f"/chat/completions{query}", self.s.chat_body("hello", "@auth/gpt-4o"), headers)
                self.assertIn(reply.status, (200, 400), str(reply))
                self.check_received(1 if reply.status == 200 else 0)

    def test_two_values_of_one_header(self):
        """Ambiguous, so refused or the same on every hop: never one key here and another there."""
        for header in HEADERS:
            with self.subTest(header), self.s.wire() as wire:
                body = json.dumps(self.s.chat_body("hello", "@auth/gpt-4o"))
                wire.send((f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n{header}: {FOREIGN}\r\n{header}: {self.s.key}\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
                self.assertIn(wire.read_reply().status, (400, 401))
        self.assertEqual(self.s.sim.records(), [])


if __name__ == "__main__":
    harness.run_cases()
