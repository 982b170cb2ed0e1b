"""What the suites of the admin API share: a client that holds every reply to the rules of reference/admin-api.md section 0, a count of
checks, and a sluice-control in a folder of its own. Standard library only."""
import http.client
import json
import re
import subprocess
import sys
import time

RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
counted = {"checked": 0, "failed": 0}


def check(good, what, *shown):
    counted["checked"] += 1
    if not good:
        counted["failed"] += 1
        print("FAILED:", what, *shown)


def finish():
    """Says how it went and ends the program."""
    print(f"{counted['checked']} checks, {counted['failed']} failed")
    sys.exit(1 if counted["failed"] else 0)


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
        self.headers, self.used = {"content-type": "application/json"}, time.monotonic()
        if key:
            self.headers[header] = key if header != "authorization" else "Bearer " + key

    def call(self, method, path, body=None, want=200, headers=None, rehearsal=False):
        if time.monotonic() - self.used > 0.5:
            self.connection.close()  # the server closes what is idle for a second; the library opens it anew
        self.used = time.monotonic()
        text = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        self.connection.request(method, path if path.startswith("/v2/") else "/v1" + path, text, {**self.headers, **(headers or {})})
        reply = Reply(self.connection.getresponse())
        check(reply.status == want, f"{method} {path}: {reply.status}, not {want}", reply.body)
        check(reply.headers.get("content-type", "").startswith("application/json"), f"{method} {path}: content type")
        check(isinstance(reply.body, dict), f"{method} {path}: the body is an object")
        check("x-portkey-trace-id" in reply.headers and "x-request-id" in reply.headers, f"{method} {path}: trace and request id")
        if reply.status >= 400:
            check(reply.body.get("success") is False and reply["data"]["message"] == reply["message"], f"{method} {path}: envelope", reply.body)
        elif method != "GET" and not rehearsal:
            check(reply.headers.get("x-sluice-revision", "").isdigit(), f"{method} {path}: revision")
        return reply

    def raw(self, path):
        """JSON from outside /v1, which has no key and no envelope."""
        self.connection.request("GET", path)
        response = self.connection.getresponse()
        check(response.status == 200, f"GET {path}: {response.status}")
        return json.loads(response.read())

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


def stop(program):
    program.terminate()
    check(program.wait(60) == 0, "a clean end", program.returncode)


def start(build, folder, *more):
    program = subprocess.Popen([build / "bin/sluice-control", f"--data-dir={folder}", "--config-dir=", "--control-port=0", "--link-port=0", *more],
                               stdout=subprocess.PIPE, stderr=open(folder / "control.log", "ab"))
    line = program.stdout.readline()
    if not line:
        print((folder / "control.log").read_text()[-4000:])
        sys.exit("sluice-control did not start")
    return program, json.loads(line)["control_port"]


def make(build, folder):
    """A data folder with one organisation, and its keys."""
    ctl, where = str(build / "bin/sluicectl"), ["--data-dir", str(folder)]
    subprocess.run([ctl, "init", *where], check=True, stdout=subprocess.DEVNULL)
    made = subprocess.run([ctl, "org", "create", "Acme", "--admin-email", "ada@example.com", "--json", *where], check=True, stdout=subprocess.PIPE)
    return json.loads(made.stdout)
