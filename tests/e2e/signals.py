#!/usr/bin/env python3
"""Signals of running programs: HUP takes a new certificate (and, at the gateway, the whole configuration) without a lost connection, USR1 goes on in a
new log file behind a rotation, and a log file that cannot be opened stops the start. $1: build folder.
"""
import http.client
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fault"))
import drill  # noqa: E402
import harness  # noqa: E402
from harness import wait_for  # noqa: E402


def make_certificate(folder, name):
    """A self-signed certificate at the fixed paths, replaced as a renewal does."""
    fresh = [str(folder / f"{part}.new") for part in ("cert", "key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", fresh[0], "-keyout", fresh[1]], check=True, capture_output=True)
    for path, target in zip(fresh, ("cert.pem", "key.pem")):
        pathlib.Path(path).chmod(0o600)
        pathlib.Path(path).rename(folder / target)


def served(port):
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=30)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def check_certificates(port, process, folder):
    first = served(port)
    make_certificate(folder, "second")
    process.send_signal(signal.SIGHUP)
    wait_for("the new certificate is served", lambda: served(port) != first, pause=0.05)
    assert served(port).strip() == (folder / "cert.pem").read_text().strip()


def check_rotation(process, log, cause):
    wait_for("the log file is written", lambda: lines(log))
    old = log.with_suffix(".old")
    log.rename(old)
    process.send_signal(signal.SIGUSR1)
    wait_for("the new log file", log.exists)
    cause()
    wait_for("lines go to the new file", lambda: lines(log))
    before = len(lines(old))
    cause()
    assert len(lines(old)) == before, "lines still go to the rotated file"


def check_program(host_process, port, folder, name, call):
    log = folder / f"{name}.log"
    make_certificate(folder, "first")
    host_process.kill()
    host_process.command += [f"--log-file={log}", f"--tls-cert={folder}/cert.pem", f"--tls-key=file:{folder}/key.pem"]
    host_process.start()
    wait_for(f"{name} serves TLS", lambda: served_or_none(port), pause=0.05)
    check_certificates(port, host_process.child, folder)
    check_rotation(host_process.child, log, call)
    assert host_process.child.poll() is None
    print(f"ok: {name}: certificate by HUP, log file by USR1", flush=True)
    # a folder is no file
    refused = subprocess.run([host_process.program, *host_process.command[1:], f"--log-file={folder}"], capture_output=True, timeout=60,
                             cwd=host_process.directory, env=host_process.environment)
    assert refused.returncode != 0, "started without its log file"


def served_or_none(port):
    try:
        return served(port)
    except (OSError, ssl.SSLError):
        return None


def main(build):
    with harness.stack(build, workers=1) as stack, tempfile.TemporaryDirectory(prefix="sluice-signals-") as name:
        host, folder = drill.Host(stack), pathlib.Path(name)
        try:
            (folder / "gateway").mkdir()
            (folder / "control").mkdir()
            check_program(host.master, stack.gateway_port, folder / "gateway", "gateway", lambda: tls_get(stack.gateway_port))
            check_program(host.control, stack.ports["control"], folder / "control", "control",
                          lambda: host.control.child.send_signal(signal.SIGHUP))
        finally:
            host.close()


def tls_get(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    connection.request("GET", "/v1/models")
    assert connection.getresponse().status == 401
    connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
