"""One key on one kept connection, and the rules of section 0 of reference/admin-api.md that every reply is held to."""
import http.client
import json
import re
import types


RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
count = types.SimpleNamespace(checked=0, failed=0)


def check(good, what, *shown):
    count.checked += 1
    if not good:
        count.failed += 1
        print("FAILED:", what, *shown)


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.raw = response.read()
        self.body = json.loads(self.raw)

    def __getitem__(self, name):
        return self.body[name]


class Client:
    """One key on one kept connection; every reply is held to the rules of section 0."""

    def __init__(self, port, key=None, header="x-portkey-api-key"):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"content-type": "application/json"}
        if key:
            self.headers[header] = key if header != "authorization" else "Bearer " + key

    def call(self, method, path, body=None, want=200, headers=None):
        text = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        self.connection.request(method, path if path.startswith("/v2/") else "/v1" + path, text, {**self.headers, **(headers or {})})
        reply = Reply(self.connection.getresponse())
        check(reply.status == want, f"{method} {path}: {reply.status}, not {want}", reply.body)
        check(reply.headers.get("content-type", "").startswith("application/json"), f"{method} {path}: content type")
        check(isinstance(reply.body, dict), f"{method} {path}: the body is an object")
        check("x-portkey-trace-id" in reply.headers and "x-request-id" in reply.headers, f"{method} {path}: trace and request id")
        if reply.status >= 400:
            check(reply.body.get("success") is False and reply["data"]["message"] == reply["message"], f"{method} {path}: envelope", reply.body)
        elif method != "GET":
            check(reply.headers.get("x-sluice-revision", "").isdigit(), f"{method} {path}: revision")
        return reply

    def fresh(self):
        """The next call opens a new connection."""
        self.connection.close()
        return self

    def get(self, path, want=200):
        return self.call("GET", path, None, want)

    def post(self, path, body=None, want=200):
        return self.call("POST", path, body, want)

    def put(self, path, body=None, want=200):
        return self.call("PUT", path, body, want)

    def delete(self, path, body=None, want=200):
        return self.call("DELETE", path, body, want)


def times(body, *names):
    for name in names:
        check(body[name] is None or RFC3339.match(body[name]), f"{name} is RFC 3339", body[name])
