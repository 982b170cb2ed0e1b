"""sluice-sim against its README: everything other tests rely on, checked from outside with nothing but the standard library.

The simulator judges the gateway, so it is judged first: answers and token counts to the number, every fault as the bytes
a client sees, and exactly one truth record per request. Usage: sim.test.py PATH_OF_SLUICE_SIM
"""
import base64
import gzip
import hashlib
import http.client
import json
import os
import resource
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest

SIM = sys.argv.pop(1)
KEY = {"authorization": "Bearer sk-one"}


class Sim:
    """One running simulator on a free port."""

    def __init__(self, *options, tls=False):
        self.process = subprocess.Popen([SIM, "--port", "0", *options], stdout=subprocess.PIPE)
        self.ready = json.loads(self.process.stdout.readline())
        self.port, self.tls = self.ready["port"], tls

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code

    def connect(self, timeout=60):
        if self.tls:
            context = ssl._create_unverified_context()
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def call(self, method, path, body=None, headers=KEY, timeout=60):
        connection = self.connect(timeout)
        try:
            data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
            connection.request(method, path, data, headers)
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def json(self, method, path, body=None, headers=KEY):
        status, _, data = self.call(method, path, body, headers)
        return status, json.loads(data)

    def chat(self, text, headers=KEY, **more):
        return self.call("POST", "/v1/chat/completions", chat_body(text, **more), headers)

    def events(self, text, **more):
        """The data of each event of a streamed chat."""
        _, _, data = self.chat(text, stream=True, **more)
        return [e.removeprefix("data: ") for e in data.decode().split("\n\n") if e]

    def raw(self, payload, timeout=60):
        """All bytes until the end, and how the connection ended: "fin" or "reset"."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            s.sendall(payload)
            got = b""
            try:
                while part := s.recv(65536):
                    got += part
                return got, "fin"
            except ConnectionResetError:
                return got, "reset"

    def records(self, attempt):
        return self.json("GET", f"/__sim/requests?attempt_id={attempt}")[1]


def chat_body(text, **more):
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}


def chat_bytes(text, extra="", **more):
    body = json.dumps(chat_body(text, **more)).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: sim\r\nauthorization: Bearer k\r\n{extra}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def multipart(fields, files):
    out = b""
    for name, value in fields:
        out += f'--BB\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, filename, data in files:
        out += f'--BB\r\ncontent-disposition: form-data; name="{name}"; filename="{filename}"\r\n'.encode()
        out += b"content-type: application/octet-stream\r\n\r\n" + data + b"\r\n"
    return out + b"--BB--\r\n", {**KEY, "content-type": "multipart/form-data; boundary=BB"}


class Content(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Sim("--model", "my-model", "--job-ms", "150")

    @classmethod
    def tearDownClass(cls):
        assert cls.sim.stop() == 0

    def test_answer_and_usage_follow_the_rule(self):
        _, reply = self.sim.json("POST", "/v1/chat/completions", chat_body("hello"))
        self.assertEqual(reply["choices"][0]["message"]["content"], "You said: hello")
        self.assertEqual(reply["usage"]["prompt_tokens"], 3 + 4 + 2)
        self.assertEqual(reply["usage"]["completion_tokens"], 4)
        self.assertEqual(reply["usage"]["total_tokens"], 13)

    def test_stream_carries_the_same_text_and_usage(self):
        plain = json.loads(self.sim.chat("grüße ✓ an alle")[2])
        events = self.sim.events("grüße ✓ an alle", stream_options={"include_usage": True})
        self.assertEqual(events[-1], "[DONE]")
        chunks = [json.loads(e) for e in events[:-1]]
        text = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])
        self.assertEqual(text, plain["choices"][0]["message"]["content"])
        self.assertEqual(chunks[-1]["usage"], plain["usage"])
        self.assertEqual({c["id"] for c in chunks}, {chunks[0]["id"]})

    def test_usage_is_hidden_unless_asked_for(self):
        self.assertNotIn('"usage"', "".join(self.sim.events("hello")))

    def test_max_tokens_is_never_exceeded(self):
        for limit in (0, 1, 3, 1000):
            reply = json.loads(self.sim.chat("a long enough sentence", max_tokens=limit)[2])
            self.assertLessEqual(reply["usage"]["completion_tokens"], limit)
            self.assertEqual(reply["choices"][0]["finish_reason"], "stop" if limit == 1000 else "length")

    def test_tool_call(self):
        tool = {"type": "function", "function": {"name": "get_weather", "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}, "unit": {"enum": ["c", "f"]}}}}}
        reply = json.loads(self.sim.chat("Weather?", tools=[tool])[2])["choices"][0]
        call = reply["message"]["tool_calls"][0]["function"]
        self.assertEqual((reply["finish_reason"], call["name"]), ("tool_calls", "get_weather"))
        self.assertEqual(json.loads(call["arguments"]), {"city": "Weather?", "unit": "c"})
        for choice, expected in (("none", None), ("auto", None), ("required", "get_weather")):
            message = json.loads(self.sim.chat("hi", tools=[tool], tool_choice=choice)[2])["choices"][0]["message"]
            self.assertEqual("tool_calls" in message, expected is not None)

    def test_embeddings_are_the_same_in_both_encodings(self):
        ask = {"model": "text-embedding-3-small", "input": ["x", "y"], "dimensions": 8}
        _, floats = self.sim.json("POST", "/v1/embeddings", ask)
        _, packed = self.sim.json("POST", "/v1/embeddings", {**ask, "encoding_format": "base64"})
        for a, b in zip(floats["data"], packed["data"]):
            self.assertEqual(a["embedding"], list(struct.unpack("<8f", base64.b64decode(b["embedding"]))))
        self.assertNotEqual(floats["data"][0]["embedding"], floats["data"][1]["embedding"])

    def test_models_known_and_unknown(self):
        for model in ("gpt-4o", "my-model", "ft:gpt-4o:org::abc"):
            self.assertEqual(self.sim.chat("x", model=model)[0], 200, model)
        status, error = self.sim.json("POST", "/v1/chat/completions", chat_body("x", model="gpt-4O"))
        self.assertEqual((status, error["error"]["code"]), (404, "model_not_found"))

    def test_any_base_path(self):
        for base in ("", "/v1", "/openai/v1", "/api/paas/v4", "/openai/deployments/gpt-4o", "/models"):
            self.assertEqual(self.sim.call("POST", base + "/chat/completions", chat_body("x"))[0], 200, base)
        self.assertEqual(self.sim.call("POST", "/v1/chat/completion", chat_body("x"))[0], 404)
        self.assertEqual(self.sim.call("DELETE", "/v1/chat/completions")[0], 405)

    def test_credentials(self):
        for headers in (KEY, {"authorization": "k"}, {"api-key": "k"}, {"x-api-key": "k"}):
            self.assertEqual(self.sim.chat("x", headers)[0], 200)
        for headers in ({}, {"authorization": "Bearer "}, {"x-goog-api-key": "k"}):
            self.assertEqual(self.sim.chat("x", headers)[0], 401)
        strict = Sim("--accept-key", "a", "--accept-key", "b")
        try:
            self.assertEqual([strict.chat("x", {"authorization": "Bearer " + k})[0] for k in "abc"], [200, 200, 401])
        finally:
            strict.stop()

    def test_parallel_tool_calls_whole_and_streamed(self):
        def tool(name):
            return {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}}
        tools = [tool("get_weather"), tool("get_time"), tool("get_news")]
        whole = json.loads(self.sim.chat("weather, time sim:fault=preface;calls:2", tools=tools)[2])["choices"][0]["message"]
        names = [c["function"]["name"] for c in whole["tool_calls"]]
        self.assertEqual((names, whole["content"]), (["get_weather"] * 2 + ["get_time"] * 2, "One moment, please."))
        calls, content = {}, ""
        for event in self.sim.events("weather, time sim:fault=preface;calls:2", tools=tools)[:-1]:
            delta = json.loads(event)["choices"][0]["delta"]
            content += delta.get("content") or ""
            for part in delta.get("tool_calls", []):
                call = calls.setdefault(part["index"], ["", ""])
                call[0] += part["function"].get("name", "")
                call[1] += part["function"]["arguments"]
        self.assertEqual(content, whole["content"])
        self.assertEqual([calls[i] for i in range(4)], [[c["function"]["name"], c["function"]["arguments"]] for c in whole["tool_calls"]])
        one = json.loads(self.sim.chat("weather, time", tools=tools, parallel_tool_calls=False)[2])["choices"][0]["message"]
        self.assertEqual(len(one["tool_calls"]), 1)
        body = {"model": "gpt-4o", "input": "weather, time", "tools": [{"type": "function", "name": "get_weather"}, {"type": "function", "name": "get_time"}]}
        made = self.sim.json("POST", "/v1/responses", body)[1]
        self.assertEqual([(i["type"], i["name"]) for i in made["output"]], [("function_call", "get_weather"), ("function_call", "get_time")])
        data = self.sim.call("POST", "/v1/responses", {**body, "stream": True})[2].decode()
        events = [json.loads(block.split("data: ", 1)[1]) for block in data.split("\n\n") if block]
        self.assertEqual([e["output_index"] for e in events if e["type"] == "response.output_item.done"], [0, 1])
        self.assertEqual([i["name"] for i in events[-1]["response"]["output"]], ["get_weather", "get_time"])

    def test_stop_and_refusal(self):
        for stop in ("said", ["zz", "lo", "said"]):
            choice = json.loads(self.sim.chat("hello", stop=stop)[2])["choices"][0]
            self.assertEqual((choice["message"]["content"], choice["finish_reason"]), ("You ", "stop"))
        refused = json.loads(self.sim.chat("x sim:fault=refuse")[2])["choices"][0]
        self.assertEqual(refused["finish_reason"], "content_filter")

    def test_files_come_back_byte_for_byte(self):
        data = os.urandom(300_000) + b"\r\n--B\r\n--BX\r\n" + os.urandom(99)
        body, headers = multipart([("purpose", "user_data")], [("file", "a.bin", data)])
        status, _, reply = self.sim.call("POST", "/v1/files", body, headers)
        made = json.loads(reply)
        self.assertEqual((status, made["bytes"], made["filename"]), (200, len(data), "a.bin"))
        self.assertEqual(self.sim.call("GET", f"/v1/files/{made['id']}/content")[2], data)
        self.assertEqual(self.sim.json("DELETE", f"/v1/files/{made['id']}")[1]["deleted"], True)
        self.assertEqual(self.sim.call("GET", f"/v1/files/{made['id']}")[0], 404)

    def test_batch_rows_are_answered_as_requests_are(self):
        rows = [{"custom_id": c, "method": "POST", "url": "/v1/chat/completions", "body": chat_body(c, model=m)}
                for c, m in (("one", "gpt-4o"), ("two", "no-such-model"))]
        body, headers = multipart([("purpose", "batch")], [("file", "b.jsonl", "\n".join(map(json.dumps, rows)).encode())])
        source = json.loads(self.sim.call("POST", "/v1/files", body, headers)[2])["id"]
        ask = {"input_file_id": source, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        batch = self.sim.json("POST", "/v1/batches", ask)[1]
        self.assertEqual((batch["status"], batch["output_file_id"]), ("in_progress", None))
        deadline = time.monotonic() + 60
        while batch["status"] != "completed" and time.monotonic() < deadline:
            time.sleep(0.05)
            batch = self.sim.json("GET", f"/v1/batches/{batch['id']}")[1]
        self.assertEqual(batch["request_counts"], {"total": 2, "completed": 1, "failed": 1})
        row = json.loads(self.sim.call("GET", f"/v1/files/{batch['output_file_id']}/content")[2])
        self.assertEqual(row["custom_id"], "one")
        self.assertEqual(row["response"]["body"]["choices"][0]["message"]["content"], "You said: one")
        row = json.loads(self.sim.call("GET", f"/v1/files/{batch['error_file_id']}/content")[2])
        self.assertEqual((row["custom_id"], row["response"]["status_code"]), ("two", 404))

    def test_responses_are_stored_and_streamed(self):
        _, made = self.sim.json("POST", "/v1/responses", {"model": "gpt-4o", "input": "hello"})
        self.assertEqual(made["output"][0]["content"][0]["text"], "You said: hello")
        self.assertEqual(self.sim.json("GET", f"/v1/responses/{made['id']}")[1], made)
        items = self.sim.json("GET", f"/v1/responses/{made['id']}/input_items")[1]["data"]
        self.assertEqual(items[0]["content"], [{"type": "input_text", "text": "hello"}])
        data = self.sim.call("POST", "/v1/responses", {"model": "gpt-4o", "input": "hello", "stream": True})[2].decode()
        events = [json.loads(block.split("data: ", 1)[1]) for block in data.split("\n\n") if block]
        self.assertEqual([e["sequence_number"] for e in events], list(range(len(events))))
        self.assertEqual(events[0]["type"], "response.created")
        self.assertEqual("".join(e["delta"] for e in events if e["type"] == "response.output_text.delta"), "You said: hello")
        self.assertEqual(events[-1]["response"]["usage"], made["usage"])
        self.sim.call("DELETE", f"/v1/responses/{made['id']}")
        self.assertEqual(self.sim.call("GET", f"/v1/responses/{made['id']}")[0], 404)

    def test_forms(self):
        body, headers = multipart([("model", "whisper-1")], [("file", "a.wav", b"0" * 16001)])
        reply = json.loads(self.sim.call("POST", "/v1/audio/transcriptions", body, headers)[2])
        self.assertEqual((reply["text"], reply["usage"]["seconds"]), ("Transcript of a.wav, 16001 bytes.", 2))
        body, headers = multipart([("prompt", "a cat"), ("size", "1024x1536")], [("image", "a.png", b"png")])
        reply = json.loads(self.sim.call("POST", "/v1/images/edits", body, headers)[2])
        self.assertEqual(reply["usage"]["output_tokens"], 1584)
        for broken in (body[:-20], b"", b"--BB\r\n\r\n\r\nx\r\n--BB--"):
            self.assertEqual(self.sim.call("POST", "/v1/images/edits", broken, headers)[0], 400)


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Sim()

    @classmethod
    def tearDownClass(cls):
        assert cls.sim.stop() == 0

    def test_status(self):
        status, headers, body = self.sim.chat("sim:fault=status:429;retry-after:7;retry-after-ms:6500")
        self.assertEqual((status, headers["retry-after"], headers["retry-after-ms"]), (429, "7", "6500"))
        self.assertEqual(json.loads(body)["error"]["code"], "rate_limit_exceeded")
        self.assertEqual(self.sim.chat("x", {**KEY, "x-sim-fault": "status:503"})[0], 503)

    def test_wrong_spec_is_refused(self):
        for spec in ("nonsense", "status", "status:99", "status:x", "reset:1", "slow:0"):
            status, _, body = self.sim.chat("x", {**KEY, "x-sim-fault": spec})
            self.assertEqual((status, json.loads(body)["error"]["code"]), (400, "sim_bad_fault"), spec)

    def test_credential_comes_before_the_fault(self):
        self.assertEqual(self.sim.chat("sim:fault=reset", {})[0], 401)

    def test_reset_before_any_byte(self):
        self.assertEqual(self.sim.raw(chat_bytes("sim:fault=reset")), (b"", "reset"))

    def test_broken_streams(self):
        for spec, end in (("reset-after:2", "reset"), ("truncate:2", "fin")):
            got, ended = self.sim.raw(chat_bytes(f"sim:fault={spec}", stream=True))
            self.assertEqual((got.count(b'"content":"'), ended), (3, end), spec)  # the first chunk's is empty
            self.assertNotIn(b"[DONE]", got)
            self.assertFalse(got.endswith(b"0\r\n\r\n"))

    def test_broken_bodies(self):
        for spec, end in (("reset-after:0", "reset"), ("truncate:0", "fin")):
            got, ended = self.sim.raw(chat_bytes(f"sim:fault={spec}"))
            head, body = got.split(b"\r\n\r\n", 1)
            promised = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            self.assertEqual((len(body), ended), (promised // 2, end), spec)

    def test_error_event(self):
        events = self.sim.events("sim:fault=error-event:2")
        self.assertEqual(json.loads(events[-1])["error"]["type"], "server_error")
        self.assertEqual(len(events), 4)

    def test_garbage(self):
        status, headers, body = self.sim.chat("sim:fault=garbage")
        self.assertEqual((status, headers["content-type"]), (200, "application/json"))
        with self.assertRaises(ValueError):
            json.loads(body)

    def test_hang_ends_when_the_client_goes(self):
        with self.assertRaises(TimeoutError):
            self.sim.call("POST", "/v1/chat/completions", chat_body("sim:fault=hang"),
                          {**KEY, "x-client-request-id": "hung"}, timeout=2)
        self.assertEqual(wait_record(self.sim, "hung")["aborted"], True)

    def test_size_pace_and_number(self):
        reply = json.loads(self.sim.chat("sim:fault=bytes:5000")[2])
        self.assertEqual(len(reply["choices"][0]["message"]["content"]), 5000)
        events = self.sim.events("sim:fault=chunks:7")
        self.assertEqual(len(events), 1 + 7 + 1 + 1)
        for spec, at_least in (("latency:200", 0.2), ("chunks:3;interval:80", 0.24), ("slow:2000", 0.3)):
            start = time.monotonic()
            self.sim.events(f"sim:fault={spec}")
            self.assertGreaterEqual(time.monotonic() - start, at_least, spec)

    def test_gzip_and_reported_classes(self):
        _, headers, body = self.sim.chat("sim:fault=gzip;cached:2;reasoning:5")
        self.assertEqual(headers["content-encoding"], "gzip")
        usage = json.loads(gzip.decompress(body))["usage"]
        self.assertEqual(usage["prompt_tokens_details"]["cached_tokens"], 2)
        self.assertEqual(usage["completion_tokens_details"]["reasoning_tokens"], 5)
        self.assertEqual(usage["completion_tokens"], 5 + len("You said: ") // 4 + 1)

    def test_first(self):
        seen = [self.sim.chat("sim:fault=status:500;first:2")[0] for _ in range(4)]
        self.assertEqual(seen, [500, 500, 200, 200])


def wait_record(sim, attempt):
    """The truth record of an attempt that may still be ending."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if records := sim.records(attempt):
            return records[0]
        time.sleep(0.02)
    raise AssertionError("no record of " + attempt)


class Truth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.log = os.path.join(cls.folder.name, "truth.jsonl")
        cls.sim = Sim("--truth-log", cls.log)

    @classmethod
    def tearDownClass(cls):
        assert cls.sim.stop() == 0
        cls.folder.cleanup()

    def test_record_says_what_arrived(self):
        headers = {"authorization": "Bearer sk-secret", "x-client-request-id": "one", "X-Other": "Value"}
        body = json.dumps(chat_body("hello")).encode()
        reply = json.loads(self.sim.call("POST", "/base/v1/chat/completions?a=b", body, headers)[2])
        record, = self.sim.records("one")
        for name, value in {"method": "POST", "path": "/base/v1/chat/completions", "query": "a=b", "model": "gpt-4o",
                            "status": 200, "stream": False, "completed": True, "aborted": False,
                            "auth_header": "authorization", "bytes_in": len(body), "body": body.decode(),
                            "host": f"127.0.0.1:{self.sim.port}"}.items():
            self.assertEqual(record[name], value, name)
        self.assertEqual(record["body_sha256"], hashlib.sha256(body).hexdigest())
        self.assertEqual(record["auth_sha256_prefix"], hashlib.sha256(b"sk-secret").hexdigest()[:16])
        self.assertEqual(record["headers"]["x-other"], "Value")
        self.assertEqual(record["headers"]["authorization"], "Bearer sk-secret")
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            self.assertEqual(record[name], reply["usage"][name])
        with open(self.log, encoding="utf-8") as lines:
            self.assertIn(record, [json.loads(line) for line in lines])

    def test_aborted_stream_counts_what_was_sent(self):
        with socket.create_connection(("127.0.0.1", self.sim.port), timeout=60) as s:
            s.sendall(chat_bytes("sim:fault=chunks:1000;interval:20", "x-client-request-id: gone\r\n", stream=True))
            got = b""
            while got.count(b'"content":"') < 4:
                got += s.recv(65536)
        record = wait_record(self.sim, "gone")
        self.assertEqual((record["completed"], record["aborted"], record["stream"]), (False, True, True))
        self.assertGreaterEqual(record["completion_tokens"], 3)
        self.assertLess(record["completion_tokens"], 900)

    def test_broken_by_a_fault_is_neither(self):
        self.sim.raw(chat_bytes("sim:fault=truncate:2", "x-client-request-id: cut\r\n", stream=True))
        record = wait_record(self.sim, "cut")
        self.assertEqual((record["completed"], record["aborted"]), (False, False))

    def test_one_record_each(self):
        self.sim.call("POST", "/__sim/reset")
        for i in range(30):
            self.sim.chat("sim:static" if i % 3 else "x", {**KEY, "x-client-request-id": f"n{i}"})
        ids = [r["attempt_id"] for r in self.sim.json("GET", "/__sim/last?n=100")[1]]
        self.assertEqual(ids, [f"n{i}" for i in range(30)])
        self.assertEqual(self.sim.json("GET", "/__sim/stats")[1]["requests"], 30)

    def test_static_replies_are_valid(self):
        for stream in (False, True):
            status, _, body = self.sim.chat("sim:static", {}, stream=stream)
            self.assertEqual(status, 200)
            if not stream:
                usage = json.loads(body)["usage"]
                text = json.loads(body)["choices"][0]["message"]["content"]
                self.assertEqual(usage["completion_tokens"], -(-len(text) // 4))
            else:
                events = body.decode().split("\n\n")
                self.assertEqual(events[-2:], ["data: [DONE]", ""])
                for event in events[:-2]:
                    json.loads(event.removeprefix("data: "))


class Transport(unittest.TestCase):
    def test_pipelined_requests_are_answered_in_order(self):
        sim = Sim()
        try:
            last = chat_bytes("three", "connection: close\r\n")
            got, ended = sim.raw(chat_bytes("sim:fault=latency:100 one") + chat_bytes("two", stream=True) + last)
            places = [got.find(word) for word in (b"You said: one", b"[DONE]", b"You said: three")]
            self.assertEqual((sorted(places), min(places) >= 0, ended), (places, True, "fin"))
        finally:
            sim.stop()

    def test_chunked_body_in_small_pieces_and_continue(self):
        sim = Sim()
        try:
            body = json.dumps(chat_body("hello")).encode()
            with socket.create_connection(("127.0.0.1", sim.port), timeout=60) as s:
                s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n"
                          b"expect: 100-continue\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
                self.assertIn(b"100 Continue", s.recv(100))
                for i in range(0, len(body), 7):
                    s.sendall(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7]))
                s.sendall(b"0\r\n\r\n")
                got = b""
                while part := s.recv(65536):
                    got += part
            self.assertIn(b"You said: hello", got)
            self.assertTrue(sim.raw(b"NONSENSE\r\n\r\n")[0].startswith(b"HTTP/1.1 400"))
        finally:
            sim.stop()

    def test_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            cert, key = os.path.join(folder, "c.pem"), os.path.join(folder, "k.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=api.openai.com"],
                           check=True, capture_output=True)
            sim = Sim("--tls-cert", cert, "--tls-key", key, tls=True)
            try:
                self.assertTrue(sim.ready["url"].startswith("https://"))
                self.assertEqual(len(json.loads(sim.chat("sim:fault=bytes:3000000")[2])["choices"]), 1)
                self.assertEqual(sim.events("hello")[-1], "[DONE]")
                data = os.urandom(400_000)
                body, headers = multipart([("purpose", "user_data")], [("file", "a", data)])
                made = json.loads(sim.call("POST", "/v1/files", body, headers)[2])
                self.assertEqual(sim.call("GET", f"/v1/files/{made['id']}/content")[2], data)
            finally:
                sim.stop()

    def test_many_open_streams(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        count = min(2000, hard - 200)
        sim = Sim()
        sockets = []
        try:
            for i in range(count):
                s = socket.create_connection(("127.0.0.1", sim.port), timeout=60)
                s.sendall(chat_bytes("sim:fault=chunks:3;interval:5000", "connection: close\r\n", stream=True))
                sockets.append(s)
            deadline = time.monotonic() + 60
            while sim.json("GET", "/__sim/stats")[1]["open_streams"] < count and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual(sim.json("GET", "/__sim/stats")[1]["open_streams"], count)
            for s in sockets:
                got = b""
                while part := s.recv(65536):
                    got += part
                self.assertIn(b"[DONE]", got)
            self.assertEqual(sim.json("GET", "/__sim/stats")[1]["open_streams"], 0)
        finally:
            for s in sockets:
                s.close()
            sim.stop()

    def test_bad_options_are_refused(self):
        for options in (["--bogus", "1"], ["--port", "70000"], ["--port"], ["--tls-cert", "x"], ["--bind", "localhost"]):
            result = subprocess.run([SIM, *options], capture_output=True, timeout=60)
            self.assertNotEqual(result.returncode, 0, options)
            self.assertNotEqual(result.stderr, b"", options)


if __name__ == "__main__":
    unittest.main(verbosity=1)
