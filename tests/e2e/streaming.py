"""What flows: streams in both directions, their pace and their bounds; heads and bodies in every form (breakage: provider_faults.py).

Order is proved by cause, never by the clock: an event is there although the provider is held before the next one.
"""
import contextlib
import gzip
import json
import threading
import time
import zlib

import harness

MIB = 1 << 20


class Watch(threading.Thread):
    """The largest resident size of some processes while a block runs, in bytes above their size before."""

    def __init__(self, pids):
        super().__init__(daemon=True)
        self.pids, self.stop = pids, threading.Event()
        self.before = self.size()
        self.most = 0

    def size(self):
        return max(harness.resident_bytes(pid) for pid in self.pids)

    def run(self):
        while not self.stop.wait(0.01):
            self.most = max(self.most, self.size() - self.before)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.join()
        self.most = max(self.most, self.size() - self.before)


class Streams(harness.Case):
    def test_an_event_comes_before_the_next_is_made(self):
        with self.s.stream("sim:fault=chunks:9;hang-after:3 abc") as events:
            self.assertEqual(events.status, 200)
            self.assertTrue(events.headers["content-type"].startswith("text/event-stream"))
            got = []
            for _, data in events:
                got.append(data)
                if sum('"content":"' in d for d in got) == 4:  # the role's and three of content; the provider stands still now
                    break
            self.assertEqual(self.s.sim.records(), [], "the provider's reply has ended")
            self.assertEqual(len(harness.chat_text(got)), 12)

    def test_a_client_that_leaves_before_the_first_byte(self):
        for text in ("sim:fault=hang", "sim:fault=latency:60000"):
            for stream in (False, True):
                with self.subTest(text, stream=stream):
                    self.s.sim.reset()
                    # Large, so that the provider's count of bytes says that it has the request: without it there is no record of one.
                    body = json.dumps(self.s.chat_body(f"{text} {'x' * 300000}", stream=stream)).encode()
                    with self.s.wire() as wire:
                        wire.head("POST", "/v1/chat/completions", {"authorization": f"Bearer {self.s.key}", "content-length": len(body)})
                        wire.send(body)
                        harness.wait_for("the attempt at the provider", lambda: self.s.sim.stats()["bytes_in"] > 300000)
                    record, = self.s.sim.wait_record()
                    self.assertEqual((record["aborted"], record["completed"]), (True, False))
                    harness.wait_for("the end of the exchange", lambda: self.s.metrics()["sluice_upstream_open"] == 0)

    def test_a_client_that_leaves_in_the_middle(self):
        with self.s.stream("sim:fault=chunks:1000;interval:20") as events:
            for _, data in events:
                if '"content":"' in data and json.loads(data)["choices"][0]["delta"].get("content"):
                    break
        record, = self.s.sim.wait_record()
        self.assertEqual((record["aborted"], record["completed"], record["status"]), (True, False, 200))
        self.assertLess(record["completion_tokens"], 900)

    def test_a_slow_reader_holds_the_provider_back(self):
        size = 24 * MIB
        for stream in (True, False):
            with self.subTest(stream=stream):
                self.s.sim.reset()
                text = f"sim:fault=bytes:{size}" + (";chunks:20000" if stream else "")
                body = json.dumps(self.s.chat_body(text, stream=stream)).encode()
                with Watch(self.s.pids()["workers"]) as watch, self.s.wire(receive_buffer=65536, timeout=60) as wire:
                    wire.head("POST", "/v1/chat/completions", {"authorization": f"Bearer {self.s.key}", "content-length": len(body),
                                                               "connection": "close"})
                    wire.send(body)
                    wire.read_until(b"\r\n\r\n")
                    last = [-1, 0]
                    harness.wait_for("the provider stands still", lambda: self.still(last), pause=0.2)
                    self.assertEqual(self.s.sim.records(), [])
                    got, ended = wire.read_to_end()
                self.assertEqual(ended, "fin")
                self.assertGreater(len(got), size)
                self.assertIn(b"[DONE]" if stream else b'"usage"', got[-2000:])
                self.assertLess(watch.most, 12 * MIB, "the worker kept what the client did not take")

    def still(self, last):
        """Three looks in a row at which the provider's socket took nothing."""
        now = self.s.metrics()['sluice_client_bytes_total{direction="out"}']
        last[1] = last[1] + 1 if now == last[0] else 0
        last[0] = now
        return last[1] >= 3

    def test_a_slow_provider(self):
        reply = self.s.chat("sim:fault=slow:800 a slow answer")
        self.assertEqual((reply.status, reply.json["choices"][0]["message"]["content"]), (200, "You said: a slow answer"))
        with self.s.stream("sim:fault=chunks:4;interval:700") as events:
            self.assertEqual([data for _, data in events][-1], "[DONE]")

    def test_many_streams_at_once(self):
        def one(i):
            with self.s.stream(f"sim:fault=chunks:20;interval:20 number {i}") as events:
                data = [data for _, data in events]
            return data[-1], f"number {i}" in harness.chat_text(data)
        self.assertEqual(set(harness.in_threads(60, one)), {("[DONE]", True)})

    def test_other_streams(self):
        for path, body, last in (("/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "x"}, "[DONE]"),
                                 ("/responses", {"model": "gpt-4o", "input": "x"}, "response.completed")):
            with harness.Events(f"{self.s.gateway_url}/v1{path}", {**body, "model": f"@{self.s.provider}/{body['model']}", "stream": True},
                                {"x-portkey-api-key": self.s.key}) as events:
                data = [data for _, data in events]
            self.assertIn(last, data[-1])
            self.assertEqual(events.ended, "fin")


class Bodies(harness.Case):
    def head(self, **more):
        return {"authorization": f"Bearer {self.s.key}", "content-type": "application/json", **more}

    def chat_bytes(self, text="hello", **more):
        return json.dumps(self.s.chat_body(text, **more)).encode()

    def test_chunked(self):
        body = self.chat_bytes("in pieces")
        for size in (1, 7, len(body)):
            with self.subTest(size=size), self.s.wire() as wire:
                wire.head("POST", "/v1/chat/completions", self.head(**{"transfer-encoding": "chunked"}))
                pieces = [body[i:i + size] for i in range(0, len(body), size)]
                wire.send(b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n")
                reply = wire.read_reply()
                self.assertEqual(reply.json["choices"][0]["message"]["content"], "You said: in pieces")

    def test_gzip(self):
        body = gzip.compress(self.chat_bytes("compressed"))
        reply = self.s.gateway("POST", "/chat/completions", body, {"content-encoding": "gzip", "content-type": "application/json"})
        self.assertEqual(reply.json["choices"][0]["message"]["content"], "You said: compressed")
        self.assertNotIn("content-encoding", self.s.sim.last()["headers"])

    def test_gzip_is_bounded_after_inflation(self):
        squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = squeeze.compress(b'{"model":"@openai/gpt-4o","messages":[],"x":"')
        bomb += b"".join(squeeze.compress(bytes(MIB).replace(b"\0", b"a")) for _ in range(600)) + squeeze.compress(b'"}') + squeeze.flush()
        with Watch(self.s.pids()["workers"]) as watch:
            reply = self.s.gateway("POST", "/chat/completions", bomb, {"content-encoding": "gzip", "content-type": "application/json"})
        self.refused(reply, 413)
        self.assertLess(watch.most, 80 * MIB)
        for body, encoding in ((b"no gzip at all", "gzip"), (gzip.compress(self.chat_bytes())[:-9], "gzip"), (self.chat_bytes(), "br")):
            reply = self.s.gateway("POST", "/chat/completions", body, {"content-encoding": encoding, "content-type": "application/json"})
            self.assertIn(reply.status, (400, 415), str(reply))
        self.assertEqual(self.s.sim.records(), [])

    def test_expect_continue(self):
        body = self.chat_bytes("after a word")
        with self.s.wire() as wire:
            wire.head("POST", "/v1/chat/completions", self.head(**{"content-length": len(body), "expect": "100-continue"}))
            self.assertEqual(wire.read_reply().status, 100)
            wire.send(body)
            self.assertEqual(wire.read_reply().json["choices"][0]["message"]["content"], "You said: after a word")
        with self.s.wire() as wire:  # refused before the body is asked for
            wire.head("POST", "/v1/chat/completions", {**self.head(**{"content-length": 10 * MIB, "expect": "100-continue"}), "authorization": "Bearer no"})
            self.assertEqual(wire.read_reply().status, 401)

    def test_large_json(self):
        body = self.chat_bytes("a" * (20 * MIB))
        reply = self.s.gateway("POST", "/chat/completions", body, {"content-type": "application/json"})
        self.assertEqual(reply.status, 200, str(reply))
        record = self.s.sim.last()
        self.assertEqual(record["bytes_in"], len(body) - len(f"@{self.s.provider}/"))
        with self.s.wire() as wire:  # refused by its announcement; the answer is there whenever the client looks
            wire.head("POST", "/v1/chat/completions", self.head(**{"content-length": 33 * MIB}))
            with contextlib.suppress(OSError):
                wire.send(b"a" * 33 * MIB)
            self.assertIn(b" 413 ", wire.read_until(b"\r\n"))

    def test_large_json_in_chunks_is_bounded(self):
        with self.s.wire() as wire:
            wire.head("POST", "/v1/chat/completions", self.head(**{"transfer-encoding": "chunked"}))
            with contextlib.suppress(OSError):  # the gateway hangs up behind its answer
                wire.send(b'19\r\n{"model":"x","messages":"\r\n')
                for _ in range(40):
                    wire.send(b"100000\r\n" + b"a" * MIB + b"\r\n")
            self.assertIn(b" 413 ", wire.read_until(b"\r\n"))

    def test_bytes_come_out_as_they_went_in(self):
        body = ('{ "messages" : [ {"role":"user","content":"\\u00e9\\ud83d\\ude00 \\/ \\u0000"} ],\n\t"seed":9007199254740993 , "temperature":1.0E+0,'
                '"x":[1.10,-0,1e-7],"model":"@%s/gpt-4o" ,"z":{}}' % self.s.provider).encode()
        self.assertEqual(self.s.gateway("POST", "/chat/completions", body, {"content-type": "application/json"}).status, 200)
        self.assertEqual(self.s.sim.last()["body"].encode(), body.replace(f"@{self.s.provider}/".encode(), b""))

    def test_an_upload_streams_through_in_bounded_memory(self):
        size = 96 * MIB
        block = bytes(range(256)) * 4096
        front, kind = harness.multipart([("purpose", "user_data")], [("file", "big.bin", b"")])
        front, back = front.split(b"\r\n\r\n\r\n--")
        front, back = front + b"\r\n\r\n", b"\r\n--" + back
        for framing in ("length", "chunks"):
            with self.subTest(framing), Watch(self.s.pids()["workers"]) as watch, self.s.wire(timeout=120) as wire:
                headers = {"authorization": f"Bearer {self.s.key}", "content-type": kind, "x-portkey-provider": self.s.provider}
                headers |= {"content-length": len(front) + size + len(back)} if framing == "length" else {"transfer-encoding": "chunked"}
                wire.head("POST", "/v1/files", headers)
                for piece in [front, *([block] * (size // len(block))), back]:
                    wire.send(piece if framing == "length" else b"%x\r\n%s\r\n" % (len(piece), piece))
                if framing == "chunks":
                    wire.send(b"0\r\n\r\n")
                reply = wire.read_reply()
                self.assertEqual(reply.status, 200, str(reply))
                self.assertEqual(reply.json["bytes"], size)
            self.assertLess(watch.most, 24 * MIB)
        with Watch(self.s.pids()["workers"]) as watch:
            data = self.s.gateway("GET", f"/files/{reply.json['id']}/content", headers={"x-portkey-provider": self.s.provider}, timeout=120).body
        self.assertEqual((len(data), data[:len(block)] == block, data[-len(block):] == block), (size, True, True))
        self.assertLess(watch.most, 24 * MIB)

    def test_an_upload_that_the_provider_takes_slowly_waits(self):
        front, kind = harness.multipart([("model", f"@{self.s.provider}/whisper-1")], [("file", "a.wav", bytes(2 * MIB))])
        reply = self.s.gateway("POST", "/audio/transcriptions", front, {"content-type": kind})
        self.assertEqual((reply.status, self.s.sim.last()["model"]), (200, "whisper-1"))

    def test_a_client_that_leaves_its_upload(self):
        front, kind = harness.multipart([("purpose", "user_data")], [("file", "a.bin", bytes(100000))])
        with self.s.wire() as wire:
            wire.head("POST", "/v1/files", {"authorization": f"Bearer {self.s.key}", "content-type": kind, "x-portkey-provider": self.s.provider,
                                            "content-length": 10 * MIB})
            wire.send(front[:50000])
            harness.wait_for("the attempt", lambda: self.s.metrics()["sluice_upstream_open"] > 0)
        harness.wait_for("the end of the exchange", lambda: self.s.metrics()["sluice_upstream_open"] == 0)
        listed = self.s.gateway("GET", "/files", headers={"x-portkey-provider": self.s.provider}).json["data"]
        self.assertEqual([f for f in listed if f["filename"] == "a.bin"], [])


class Shapes(harness.Case):
    def test_methods_and_paths(self):
        rows = [("GET", "/chat/completions", 405), ("PUT", "/chat/completions", 405), ("DELETE", "/files", 405), ("POST", "/models", 405),
                ("PATCH", "/models", 405), ("GET", "/files//content", 404), ("GET", "/nonsense", 404), ("POST", "/chat/completions/", 404),
                ("GET", "/%63hat/completions", 404)]
        for method, path, status in rows:
            with self.subTest(method=method, path=path):
                reply = self.s.gateway(method, path, {} if method == "POST" else None)
                self.assertEqual(reply.status, status, str(reply))
                self.assertEqual(set(reply.error), {"message", "type", "param", "code"})
                self.assertTrue(reply.headers["x-request-id"] and reply.headers["x-portkey-trace-id"])
        for path in ("/", "/v1", "/v2/chat/completions", "/favicon.ico", "/chat/completions"):
            reply = harness.request(self.s.gateway_url + path, headers={"x-portkey-api-key": self.s.key})
            self.assertEqual((reply.status, reply.error["code"]), (404, "unknown_route"), path)
        self.assertEqual(self.s.sim.records(), [])

    def test_head_has_no_body(self):
        for path in ("/v1/models", "/v1/chat/completions", "/nonsense"):
            with self.subTest(path), self.s.wire() as wire:
                wire.head("HEAD", path, {"authorization": f"Bearer {self.s.key}"})
                wire.head("GET", "/v1/models/x", {"authorization": f"Bearer {self.s.key}", "connection": "close"})
                got, _ = wire.read_to_end()
                heads = got.split(b"HTTP/1.1 ")[1:]
                self.assertEqual(len(heads), 2, got[:300])
                self.assertEqual(heads[0].partition(b"\r\n\r\n")[2], b"")
                self.assertIn(int(heads[0][:3]), (200, 404, 405))

    def test_bodies_that_cannot_be(self):
        rows = [(b"", 400), (b"{", 400), (b"[]", 400), (b'"x"', 400), (b'{"model":"a","model":"b"}', 400), (b'{"model":1}', 400), (b'{"a":01}', 400),
                (b'{"a":"\xff"}', 400), (b'{"a":"\\ud800"}', 400), (b'{"stream":"yes","model":"@openai/gpt-4o"}', 400), (b"{}x", 400),
                (b"[" * 100000, 400), (b'{"a":' * 200 + b"1" + b"}" * 200, 413), (b"\xef\xbb\xbf{}", 400)]
        for body, status in rows:
            with self.subTest(body[:40]):
                reply = self.s.gateway("POST", "/chat/completions", body, {"content-type": "application/json"})
                self.assertIn(reply.status, {status, 400}, str(reply))
                self.assertTrue(reply.message)
        for kind, path in (("text/csv", "/chat/completions"), ("application/json", "/audio/transcriptions"), ("multipart/form-data", "/files")):
            self.assertEqual(self.s.gateway("POST", path, b"x", {"content-type": kind, "x-portkey-provider": self.s.provider}).status, 415)
        self.assertEqual(self.s.sim.records(), [])

    def test_errors_of_messages_have_the_shape_of_anthropic(self):
        reply = self.s.gateway("POST", "/messages", {"model": "@no-such/claude", "max_tokens": 1, "messages": []}, key=None)
        self.assertEqual((reply.status, reply.json["type"], reply.error["type"]), (401, "error", "authentication_error"))
        reply = self.s.gateway("POST", "/messages", {"model": "@no-such/claude", "max_tokens": 1, "messages": []})
        self.assertEqual((reply.status, reply.json["type"], reply.error["type"]), (404, "error", "not_found_error"))

    def test_pipelining(self):
        key = {"authorization": f"Bearer {self.s.key}"}
        body = json.dumps(self.s.chat_body("sim:fault=latency:300 first")).encode()
        stream = json.dumps(self.s.chat_body("second", stream=True)).encode()
        with self.s.wire() as wire:
            wire.head("POST", "/v1/chat/completions", {**key, "content-length": len(body)})
            wire.send(body)
            wire.head("POST", "/v1/chat/completions", {**key, "content-length": len(stream)})
            wire.send(stream)
            wire.head("GET", "/v1/models", key)
            wire.head("GET", "/v1/nonsense", key)
            wire.head("GET", "/v1/providers", key)  # relayed
            wire.head("GET", "/v1/models", {**key, "connection": "close"})
            replies = [wire.read_reply() for _ in range(6)]
            self.assertEqual(wire.read(), b"")
        self.assertEqual([reply.status for reply in replies[:4]], [200, 200, 200, 404])
        self.assertIn(b"first", replies[0].body)
        self.assertIn(b"[DONE]", replies[1].body)
        self.assertEqual(replies[2].body, replies[5].body)

    def test_a_connection_outlives_refusals(self):
        with self.s.wire() as wire:
            for text, status in (("fine", 200), ("sim:fault=status:500", 500), ("sim:fault=reset", 502), ("fine", 200)):
                body = json.dumps(self.s.chat_body(text)).encode()
                wire.head("POST", "/v1/chat/completions", {"authorization": f"Bearer {self.s.key}", "content-length": len(body)})
                wire.send(body)
                self.assertEqual(wire.read_reply().status, status)
            wire.head("GET", "/v1/models", {"authorization": "Bearer wrong"})
            self.assertEqual(wire.read_reply().status, 401)
            wire.head("GET", "/v1/models", {"authorization": f"Bearer {self.s.key}"})
            self.assertEqual(wire.read_reply().status, 200)


if __name__ == "__main__":
    harness.run_cases()
