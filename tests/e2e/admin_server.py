"""The listener itself: health, TLS, errors, and what stays in no memory."""
import http.client
import json
import os
import socket
import ssl
import subprocess
import time
import uuid
import warnings

from admin_client import Client, check, start, stop


def errors(api, port):
    check(api.get("/nothing", 404)["data"]["errorCode"] == "AB08", "unknown route: AB08")
    reply = api.call("PATCH", "/providers", b"{}", 405)
    check("GET" in reply.headers.get("allow", ""), "405 names the methods")
    check(Client(port).get("/providers", 401)["data"]["errorCode"] == "AB05", "no key: AB05")
    check(Client(port, "slk_wrong").get("/providers", 401)["data"]["errorCode"] == "AB05", "wrong key: AB05")
    check(api.post("/admin/workspaces", b"{\"name\":", 400)["data"]["errorCode"] == "AB01", "broken JSON: AB01")
    api.post("/admin/workspaces", b"[]", 400)
    check("name" in api.post("/admin/workspaces", {}, 400)["message"], "400 names the field")
    check("name" in api.post("/admin/workspaces", {"name": 5}, 400)["message"], "400 names the field")
    reply = api.call("GET", "/admin/workspaces", headers={"x-portkey-trace-id": "my-trace"})
    check(reply.headers["x-portkey-trace-id"] == "my-trace", "a clean trace id is kept")
    check(api.call("GET", "/v2/admin/workspaces")["object"] == "list", "/v2 is /v1")


def bearer(port, key):
    check(Client(port, key, "authorization").get("/providers")["object"] == "list", "Authorization: Bearer alone authenticates")


def health(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for path, want in (("/healthz", b'"ok"'), ("/readyz", b'"ready"'), ("/metrics", b"sluice_control_revision")):
        connection.request("GET", path)
        response = connection.getresponse()
        check(response.status == 200 and want in response.read(), path)


def tls(build, folder, key):
    """TLS on every address: the right certificate, the real client in the log, and no way in without TLS."""
    cert, private = folder / "tls.pem", folder / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", private, "-out", cert], check=True, stderr=subprocess.DEVNULL)
    private.chmod(0o600)
    program, port = start(build, folder, "--control-bind=0.0.0.0", f"--tls-cert={cert}", f"--tls-key=file:{private}")
    try:
        context = ssl.create_default_context(cafile=str(cert))
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
        body = json.dumps({"name": "TLS " + "x" * 200, "description": "y" * 1000}).encode()
        for _ in range(3):
            connection.request("POST", "/v1/admin/workspaces", body, {"x-portkey-api-key": key})
            response = connection.getresponse()
            check(response.status == 200 and len(response.read()) > 1000, "a call over TLS on a kept connection")
        connection.request("GET", "/v1/integrations", headers={"x-portkey-api-key": key})
        check(connection.getresponse().status == 200, "TLS")
        plain = socket.create_connection(("127.0.0.1", port), timeout=60)
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            check(b"200" not in plain.recv(100), "no plain HTTP on the TLS port")
        except ConnectionResetError:
            check(True, "no plain HTTP on the TLS port")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            old.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=60))
            check(False, "TLS 1.1 is refused")
        except (ssl.SSLError, OSError):
            check(True, "TLS 1.1 is refused")
    finally:
        stop(program)
    refused = subprocess.run([build / "bin/sluice-control", f"--data-dir={folder}", "--config-dir=", "--control-port=0", "--link-port=0",
                              "--control-bind=0.0.0.0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)
    check(refused.returncode != 0 and b"insecure-bind" in refused.stderr, "a public address without TLS is refused")


def memory_holds(pid, canary):
    """True if a process's writable memory holds these bytes."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            begin, end = (int(part, 16) for part in span.split("-"))
            if "rw" not in mode or end - begin > 1 << 30:
                continue
            try:
                memory.seek(begin)
                if canary in memory.read(end - begin):
                    return True
            except OSError:
                pass
    return False


def forgets(pid, canary):
    """True once a process's memory does not hold these bytes; 100 ms do on a machine that is idle, and no traffic follows that would help."""
    for _ in range(200):
        time.sleep(0.1)
        if not memory_holds(pid, canary):
            return True
    return False


def canaries(api, pid, workspace_id, folder):
    """A credential is soon in no memory after the call that carried it."""
    if os.geteuid() != 0:
        print("not root: memory is not looked at")
        return
    canary = "sk-memory-" + uuid.uuid4().hex
    check(memory_holds(pid, str(folder).encode()), "this look sees")
    made = api.fresh().post("/integrations", {"name": "memory", "ai_provider_id": "openai", "key": canary, "workspace_id": workspace_id,
                                      "configurations": {"custom_headers": {"x-a": canary + "-h"}}})
    api.fresh().put(f"/integrations/{made['slug']}", {"configurations": {"openai_project": "p"}})
    check(forgets(pid, canary.encode()), "a stored credential is in no memory")
    api.fresh().post("/integrations", {"name": "padded" * 5000, "ai_provider_id": "openai", "key": canary}, 400)
    check(forgets(pid, canary.encode()), "a refused credential is in no memory")
    key = "pk-brought-" + uuid.uuid4().hex
    brought = api.fresh().post("/api-keys/workspace/service", {"name": "c", "workspace_id": workspace_id, "key": key, "scopes": []})
    check(forgets(pid, key.encode()), "an API key's text is in no memory")
    api.fresh().delete(f"/integrations/{made['slug']}")
    api.fresh().delete(f"/api-keys/{brought['id']}")
