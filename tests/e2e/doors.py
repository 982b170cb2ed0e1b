"""Every door is metered or closed: each operation of ops.def x {model off the list, budget empty, no rule, key revoked while running}.

The doors are read from the source, so an operation without a row here fails. What is sent is compared attempt by attempt with the ledger.
"""
import json
import pathlib
import re
import subprocess

import harness
from denied_models import ENDPOINTS, IMAGE
from harness import in_threads, wait_for

SOURCE = harness.ROOT
OPS = dict(re.findall(r"^OP\((\w+), .*?, +(\w+), +\"", (SOURCE / "common/ops.def").read_text(), re.M))
RULES = {op: (when, models) for op, when, models in re.findall(r"^BOUND\((\w+), +(\w+), +(\w+),", (SOURCE / "data-plane/bound.def").read_text(), re.M)}
# provider type of an operation -> (allowed model, model off the list); all others are OpenAI's, with a model of their own
OTHERS = {"anthropic": ("claude-sonnet-4-5", "claude-opus-4-1"), "cohere": ("rerank-v3.5", "rerank-english-v3.0")}
TYPE_OF = {"MESSAGES": "anthropic", "COUNT_TOKENS": "anthropic", "RERANK": "cohere"}
OFF_LIST = "gpt-4o"
WITHOUT_PRICE = ("MODERATIONS",)  # costs nothing at the provider: metered, at 0


def row(model, number=1):
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 16}
    return json.dumps({"custom_id": f"row {number}", "method": "POST", "url": "/v1/chat/completions", "body": body})


def upload(*models, purpose="batch", purpose_first=True, padding=0):
    """The form of a batch file; padding: bytes of a row that comes first."""
    rows = [json.dumps({"custom_id": "pad", "x": "x" * padding})] if padding else []
    data = "\n".join(rows + [row(model, i) for i, model in enumerate(models, 1)]).encode()
    form, kind = harness.multipart([("purpose", purpose)], [("file", "batch.jsonl", data)])
    if not purpose_first:
        edge = kind.split("=", 1)[1].encode()
        first, second = form.removeprefix(b"--" + edge).removesuffix(b"--" + edge + b"--\r\n").split(b"--" + edge)
        form = b"--" + edge + second + b"--" + edge + first + b"--" + edge + b"--\r\n"
    return form, kind


def doors(objects):
    """operation -> (method, path, allowed model or None, body for a model)"""
    small = lambda make: lambda m: {**make(m), "max_tokens": 16}  # noqa: E731
    posts = {"CHAT": "/chat/completions", "COMPLETIONS": "/completions", "EMBEDDINGS": "/embeddings", "IMAGES_GENERATIONS": "/images/generations",
             "AUDIO_SPEECH": "/audio/speech", "MODERATIONS": "/moderations", "RESPONSES_CREATE": "/responses",
             "IMAGES_EDITS": "/images/edits", "AUDIO_TRANSCRIPTIONS": "/audio/transcriptions", "AUDIO_TRANSLATIONS": "/audio/translations"}
    message = {"max_tokens": 16, "messages": [{"role": "user", "content": "hello"}]}
    table = {op: ("POST", path, ENDPOINTS[path][0], small(ENDPOINTS[path][1]) if op in ("CHAT", "COMPLETIONS") else ENDPOINTS[path][1])
             for op, path in posts.items()}
    table.update({
        "FILES_UPLOAD": ("POST", "/files", "gpt-4o-mini", lambda m: upload("gpt-4o-mini", m)),
        "BATCHES_CREATE": ("POST", "/batches", None, lambda _: {"input_file_id": objects["file"], "endpoint": "/v1/chat/completions",
                                                                "completion_window": "24h"}),
        "FINE_TUNING_CREATE": ("POST", "/fine_tuning/jobs", "gpt-4o-mini", lambda m: {"model": m, "training_file": objects["training"]}),
        "RERANK": ("POST", "/rerank", "rerank-v3.5", lambda m: {"model": m, "query": "x", "documents": ["a", "b"]}),
        "MESSAGES": ("POST", "/messages", "claude-sonnet-4-5", lambda m: {**message, "model": m}),
        "COUNT_TOKENS": ("POST", "/messages/count_tokens", "claude-sonnet-4-5", lambda m: {"model": m, "messages": message["messages"]}),
        "PASSTHROUGH": ("POST", "/images/variations", None, lambda _: ([("model", "dall-e-2")], [IMAGE]))})
    plain = {"RESPONSES_GET": "GET /responses/{response}", "RESPONSES_DELETE": "DELETE /responses/{response}",
             "RESPONSES_CANCEL": "POST /responses/{response}/cancel", "RESPONSES_INPUT": "GET /responses/{response}/input_items",
             "FILES_LIST": "GET /files", "FILES_GET": "GET /files/{file}", "FILES_DELETE": "DELETE /files/{file}",
             "FILES_CONTENT": "GET /files/{file}/content", "BATCHES_LIST": "GET /batches", "BATCHES_GET": "GET /batches/{batch}",
             "BATCHES_CANCEL": "POST /batches/{batch}/cancel", "FINE_TUNING_LIST": "GET /fine_tuning/jobs",
             "FINE_TUNING_GET": "GET /fine_tuning/jobs/{job}", "FINE_TUNING_CANCEL": "POST /fine_tuning/jobs/{job}/cancel",
             "FINE_TUNING_EVENTS": "GET /fine_tuning/jobs/{job}/events"}
    table.update({op: (*line.format(**objects).split(" "), None, None) for op, line in plain.items()})
    return table


class Doors(harness.Case):
    scopes = ("completions.write", "models.list", "passthrough.invoke")

    def setUp(self):
        super().setUp()
        s = self.s
        if not hasattr(Doors, "ready"):
            Doors.ready = True
            s.make_integration("doors", [{"slug": OFF_LIST, "enabled": False},
                                         {"slug": "best", "enabled": True, "is_custom": True, "upstream_model": "gpt-4o-mini"}],
                               [s.workspace], allow_all=True)
            s.admin("PUT", "/integrations/doors", {"passthrough": True})
            for kind, (_, off) in OTHERS.items():
                s.make_integration("doors-" + kind, [{"slug": off, "enabled": False}], [s.workspace], allow_all=True, ai_provider_id=kind)
        self.objects = self.make_objects()

    def ask(self, op, model=None, key=True, fault=None):
        method, path, allowed, make = doors(self.objects)[op]
        kind = TYPE_OF.get(op)
        headers = {"x-portkey-provider": f"@doors-{kind}" if kind else "@doors"}
        if model == OFF_LIST and kind:
            model = OTHERS[kind][1]
        body = make(model or allowed) if make else None
        if isinstance(body, tuple):
            body, headers["content-type"] = harness.multipart(*body) if isinstance(body[0], list) else body
        if fault:
            headers |= {"x-portkey-forward-headers": "x-sim-fault", "x-sim-fault": fault}
        return self.s.gateway(method, path, body, headers, key)

    def make_objects(self):
        self.objects = dict.fromkeys(("file", "training", "batch", "job", "response"), "none")

        def made(name, reply):
            self.assertEqual(reply.status, 200, f"{name}: {reply}")
            self.objects[name] = reply.json["id"]
        made("file", self.ask("FILES_UPLOAD"))
        form, kind = harness.multipart([("purpose", "fine-tune")], [("file", "t.jsonl", b'{"messages":[]}\n' * 10)])
        made("training", self.s.gateway("POST", "/files", form, {"x-portkey-provider": "@doors", "content-type": kind}))
        made("batch", self.ask("BATCHES_CREATE"))
        made("job", self.ask("FINE_TUNING_CREATE"))
        made("response", self.s.gateway("POST", "/responses", {"model": "@doors/gpt-4o-mini", "input": "x", "background": True}))
        return self.objects

    def reached(self, count):
        """How many requests the provider has seen since."""
        return self.s.sim.stats()["requests"] - count

    def files(self):
        """Ids of the files that the provider holds."""
        listed = harness.request(self.s.sim.url + "/v1/files?limit=10000", headers={"authorization": "Bearer x"}).json["data"]
        return {row["id"] for row in listed}

    def test_rows_of_a_batch_file(self):
        """The row is named; whatever the order and size of the form, the provider gets no whole file."""
        for name, form in (("small", upload("gpt-4o-mini", OFF_LIST)), ("purpose last", upload("gpt-4o-mini", OFF_LIST, purpose_first=False)),
                           ("large", upload(*["gpt-4o-mini"] * 20000, OFF_LIST)), ("long row", upload(OFF_LIST, padding=3 << 20)),
                           ("another purpose", upload(OFF_LIST, purpose="user_data")), ("alias", upload("best"))):
            with self.subTest(name):
                files = self.files()
                reply = self.s.gateway("POST", "/files", form[0], {"x-portkey-provider": "@doors", "content-type": form[1]})
                self.assertEqual((reply.status, reply.error.get("code")), (403, "model_not_allowed"), str(reply))
                self.assertRegex(reply.message, r"^file: row \d+: .*\"(gpt-4o|best)\"")
                self.assertEqual(self.files(), files)
        form = upload(*["gpt-4o-mini"] * 20000, purpose_first=False, padding=3 << 20)
        reply = self.s.gateway("POST", "/files", form[0], {"x-portkey-provider": "@doors", "content-type": form[1]})
        self.assertEqual(reply.status, 200, str(reply))
        self.assertIn(reply.json["id"], self.files())
        form = harness.multipart([("purpose", "batch")], [("file", "b.jsonl", b'{"body":{"model":"gpt-4o-mini","model":"gpt-4o"}}')])
        reply = self.s.gateway("POST", "/files", form[0], {"x-portkey-provider": "@doors", "content-type": form[1]})
        self.assertEqual(reply.status, 400, str(reply))
        self.assertIn("row 1 cannot be read (duplicate member name)", reply.message)

    def test_key_revoked_while_running(self):
        """What runs ends and is entered in the ledger; the next call is refused."""
        s = self.s
        entered = []
        for op, (when, _) in RULES.items():
            if op in ("RERANK",):
                continue
            with self.subTest(op):
                made = s.make_key(scopes=self.scopes)
                s.sim.reset()
                self.make_objects() if when != "ANSWER" else None
                before = s.sim.stats()["requests"]

                def revoke(_):
                    wait_for("it runs", lambda: self.reached(before) >= 1)
                    s.admin("DELETE", f"/api-keys/{made['id']}")
                running, _ = in_threads(2, lambda i: (revoke if i else lambda _: self.ask(op, key=made["key"], fault="latency:700"))(i))
                self.assertNotIn(running.status, (401, 500, 502, 503), str(running))
                self.assertEqual(self.ask(op, key=made["key"]).status, 401)
                self.assertEqual(self.reached(before), 1)
                entered.append((op, s.sim.wait_record()[-1]["attempt_id"]))
        wait_for("all usage is reported", lambda: all(n["open_requests"] == 0 and n["journal_pending"] == 0 for n in s.nodes()))
        run = subprocess.run([str(s.build / "bin/sluicectl"), "ledger", "dump", "--json", "--data-dir",
                              str(next(path.parent for path in s.data_dir.rglob("operator.sock")))], capture_output=True, text=True)
        ledger = [json.loads(line)["attempt_id"] for line in run.stdout.splitlines()]
        for op, attempt in entered:
            self.assertEqual(ledger.count(attempt), 1, op)

    def test_every_operation_has_a_row(self):
        self.assertEqual(set(doors(self.objects)), set(OPS))
        self.assertEqual(set(RULES), set(OPS))

    def test_model_off_the_list(self):
        for op, (_, models) in RULES.items():
            if models == "NONE":
                continue
            with self.subTest(op):
                files, before = self.files(), self.s.sim.stats()["requests"]
                reply = self.ask(op, OFF_LIST)
                self.assertEqual((reply.status, reply.error.get("code")), (403, "model_not_allowed"), str(reply))
                if models != "ROWS":  # a file may have begun to flow; it is cut
                    self.assertEqual(self.reached(before), 0)
                self.assertEqual(self.files(), files)

    def test_budget_empty(self):
        """Whatever may cost something is refused under a budget of requests or money; what has no rule for its price, under any."""
        s = self.s
        empty = s.make_key(scopes=self.scopes, usage_limits={"type": "requests", "credit_limit": 1, "mode": "strict"})["key"]
        self.assertEqual(self.ask("CHAT", key=empty).status, 200)
        for mode in ("strict", "standard"):
            poor = s.make_key(scopes=self.scopes, usage_limits={"type": "cost", "credit_limit": 0.0000001, "mode": mode})["key"]
            if mode == "standard":  # it ends when the workers know what was spent
                wait_for("the budget is empty", lambda: self.ask("CHAT", key=poor).status == 412)
            for op, (when, _) in RULES.items():
                with self.subTest(op=op, mode=mode):
                    before = s.sim.stats()["requests"]
                    replies = [self.ask(op, key=key) for key in (empty, poor)]
                    if when == "FREE":
                        self.assertNotIn(412, [r.status for r in replies], "it is counted, at nothing")
                        continue
                    passes = op in WITHOUT_PRICE and mode == "strict"  # nothing is reserved for it
                    refused = [r.status in (412, 422) for r in replies]  # 422: no provider offers it
                    self.assertEqual((refused, self.reached(before)), ([True, not passes], int(passes)), "; ".join(map(str, replies)))


if __name__ == "__main__":
    harness.run_cases()
