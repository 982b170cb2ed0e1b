#!/usr/bin/env python3
"""Black box: what GET /openapi.json says against what sluice-control does. schemathesis makes requests from the description, valid and
invalid; admin_schema_hooks.py points most of them at things that exist. No 5xx, no status, content type or member that is not described,
every 400 names a field and a rule, and every operation succeeds at least once, or the rest would prove nothing.
Usage: admin_schema.py BUILD_DIR [EXAMPLES]."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from admin_client import Client, check, finish, make, start, stop

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method,names_the_field"
# what cannot succeed here, and why
NEVER = {
    "openapi_get": "read by `described`",
    "integrations_test": "needs a data plane", "integration_models_refresh": "the same",
    "api_keys_successor": "a rotation that came due", "usage_policies_reset": "something that was counted",
    "sessions_create": "a password that nobody guesses", "passwords_change": "the same",
    "passwords_reset": "a token that nobody guesses", "invites_accept": "the same",
}


def described(client):
    """{operationId: path} of the document, which must be whole."""
    document = client.raw("/openapi.json")
    check(document["openapi"].startswith("3.1"), "OpenAPI 3.1")
    operations = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            check(operation["operationId"] not in operations, "operation ids are unique", operation["operationId"])
            check(operation["security"] or not operation["x-sluice-people"], "security", method, path)
            operations[operation["operationId"]] = f"{method.upper()} {path}"
    return operations


def run(port, boot, examples, folder):
    report = folder / "report.json"
    env = {**os.environ, "SCHEMATHESIS_HOOKS": "admin_schema_hooks", "PYTHONPATH": str(Path(__file__).parent), "PYTHONDONTWRITEBYTECODE": "1",
           "ADMIN_SCHEMA": json.dumps({"port": port, "key": boot["org_admin_key"], "email": "ada@example.com", "password": boot["password"],
                                       "report": str(report)})}
    command = [Path(sys.executable).parent / "st", "run", f"http://127.0.0.1:{port}/openapi.json", "--checks", CHECKS, "--phases", "coverage,fuzzing",
               "--max-examples", str(examples), "--seed", "1", "--continue-on-failure", "--no-shrink", "--warnings", "off"]
    done = subprocess.run(command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=550)
    print(done.stdout if done.returncode else done.stdout[-600:])
    check(done.returncode == 0, "schemathesis found nothing")
    return json.loads(report.read_text())


def main():
    build, examples = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 8
    with tempfile.TemporaryDirectory(prefix="sluice-schema-") as name:
        folder = Path(name) / "data"
        boot = make(build, folder)
        program, port = start(build, folder)
        try:
            operations = described(Client(port))
            seen = run(port, boot, examples, Path(name))
            for operation in operations:
                statuses = seen.get(operation, {})
                check(operation in NEVER or statuses.get("200", 0) > 0, f"{operation} succeeds at least once", statuses)
            print(f"{len(operations)} operations, {sum(sum(s.values()) for s in seen.values())} requests, "
                  f"{sum(s.get('200', 0) for s in seen.values())} of them answered 200")
        finally:
            stop(program)
    finish()


main()
