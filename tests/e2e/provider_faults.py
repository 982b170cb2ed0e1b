"""A provider that fails, in every way the simulator knows: what the client sees, and what is counted. Timeouts are short in this stack."""
import gzip
import json

import harness

TIMEOUT_S = 2


class Faults(harness.Case):
    """One row a fault: what the client sees, streamed and not. Nothing that broke may look complete."""

    def test_whole_replies(self):
        rows = {
            "status:500": (500, "provider", None), "status:503;retry-after:7": (503, "provider", None), "status:400": (400, "provider", None),
            "status:401": (401, "provider", None), "status:429;retry-after:3": (429, "provider", None),
            "reset": (502, "gateway", "upstream_broken"), "hang": (504, "gateway", "upstream_timeout"),
        }
        for spec, (status, source, code) in rows.items():
            with self.subTest(spec):
                reply = self.s.chat(f"sim:fault={spec}")
                self.assertEqual((reply.status, reply.headers["x-sluice-error-source"]), (status, source), str(reply))
                self.assertTrue(reply.message)
                if code:
                    self.assertEqual(reply.error["code"], code)
                    self.assertIn(f"@{self.s.provider}", reply.message)
                if "retry-after" in spec:
                    self.assertEqual(reply.headers["retry-after"], spec[-1])
                for name in ("x-request-id", "x-portkey-trace-id"):
                    self.assertTrue(reply.headers[name], name)

    def test_whole_replies_that_break_off(self):
        for spec in ("reset-after:0", "truncate:0"):
            with self.subTest(spec), self.s.wire() as wire:
                body = json.dumps(self.s.chat_body(f"sim:fault={spec};bytes:100000")).encode()
                wire.head("POST", "/v1/chat/completions", {"authorization": f"Bearer {self.s.key}", "content-length": len(body),
                                                               "connection": "close"})
                wire.send(body)
                got, _ = wire.read_to_end()
                head, _, rest = got.partition(b"\r\n\r\n")
                if head.startswith(b"HTTP/1.1 200"):
                    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                    self.assertTrue(lengths or not rest.endswith(b"0\r\n\r\n"), "it looks complete")
                    if lengths:
                        self.assertLess(len(rest), int(lengths[0].split(b":")[1]))
                else:
                    self.assertTrue(head.startswith(b"HTTP/1.1 502"), head)

    def test_replies_that_are_no_json_pass_as_they_are(self):
        reply = self.s.chat("sim:fault=garbage")
        self.assertEqual(reply.status, 200)
        with self.assertRaises(ValueError):
            json.loads(reply.body)

    def test_a_reply_that_the_provider_compressed(self):
        reply = self.s.chat("sim:fault=gzip hello")
        body = gzip.decompress(reply.body) if reply.headers.get("content-encoding") == "gzip" else reply.body
        self.assertEqual(json.loads(body)["choices"][0]["message"]["content"], "You said: hello")

    def test_streams_that_break_off(self):
        for spec, code in (("reset-after:2", "upstream_broken"), ("truncate:2", "upstream_broken"), ("hang-after:2", "upstream_timeout")):
            with self.subTest(spec), self.s.stream(f"sim:fault=chunks:6;{spec}") as events:
                data = [data for _, data in events]
                self.assertEqual(events.status, 200)
                self.assertEqual(len(harness.chat_text(data[:-1])), 8, "what had arrived was passed on")
                self.assertEqual(json.loads(data[-1])["error"]["code"], code)
                self.assertNotIn("[DONE]", data)
                self.assertEqual(events.ended, "broken", "it looks complete")

    def test_an_error_event_of_the_provider(self):
        with self.s.stream("sim:fault=error-event:2") as events:
            data = [data for _, data in events]
        self.assertEqual(json.loads(data[-1])["error"]["type"], "server_error")
        self.assertNotIn("[DONE]", data)

    def test_streams_that_never_begin(self):
        for spec, status in (("status:500", 500), ("status:429", 429), ("reset", 502), ("hang", 504)):
            with self.subTest(spec):
                reply = self.s.chat(f"sim:fault={spec}", stream=True)
                self.assertEqual(reply.status, status, str(reply))
                self.assertTrue(reply.headers["content-type"].startswith("application/json"))
                self.assertTrue(reply.message)

    def test_each_attempt_is_accounted_for_once(self):
        made = self.s.make_key()
        specs = ("status:500", "reset", "garbage", "status:429", "bytes:20", "hang")
        for spec in specs:
            self.s.chat(f"sim:fault={spec}", key=made["key"])
        with self.s.stream("sim:fault=truncate:1", key=made["key"]) as events:
            list(events)

        def mine():
            return next((row for row in self.s.usage("key")["data"] if row["id"] == made["id"]), {"requests": 0})
        row = harness.wait_for("the events", lambda: mine()["requests"] >= len(specs) + 1 and mine())
        # "bytes:20" answers whole and says 5; a refusal costs nothing; what broke off or timed out is estimated
        self.assertEqual(row["requests"], len(specs) + 1)
        self.assertTrue(5 + 4 <= row["output_tokens"] <= 5 + 4 * 512, row)
        self.s.sim.reset()
        self.refused(self.s.chat(model="@no-such/x", key=made["key"]), 404)
        self.assertEqual(mine()["requests"], len(specs) + 1, "a refused call is an attempt")


if __name__ == "__main__":
    harness.run_cases("--gateway-arg", f"--first-byte-timeout={TIMEOUT_S}s", "--gateway-arg", f"--idle-timeout={TIMEOUT_S}s")
