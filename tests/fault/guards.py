#!/usr/bin/env python3
"""The tests of the money fail when the check behind them is missing: guard by guard, in binaries that have a switch for each (guards/README.md).

With all guards on the same tests pass with the same binaries, so a failure is the guard's.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMITS, DOORS, ENDINGS = ("e2e/limits.py", "Limits."), ("e2e/doors.py", "Doors."), ("fault/endings.py", None)
# guard -> what is missing without it, the test
GUARDS = {
    "check": ("limits are not looked at", LIMITS, "test_requests_per_minute"),
    "shared": ("what other workers and hosts hold is not counted", LIMITS, "test_each_level_stops_at_its_own_figure"),
    "release": ("what was reserved and not used stays taken", LIMITS, "test_each_level_stops_at_its_own_figure"),
    "unknown": ("an attempt whose usage never came costs nothing", LIMITS, "test_the_caller_is_told_what_it_cost"),
    "unpriced": ("an unknown price is zero", LIMITS, "test_a_strict_budget_needs_a_price_and_a_bound"),
    "reset": ("a budget never begins anew", LIMITS, "test_requests_are_exact_and_a_raise_or_reset_reopens"),
    "closed": ("operations without a rule for their price pass", DOORS, "test_budget_empty"),
    "journal": ("an ended attempt is forgotten before it is on disk", ENDINGS, None),
    "once": ("an event that is sent again counts again", "ledger", "ledger/each_event_once"),
}


def command(build, suite, case):
    if suite == "ledger":
        return [str(build / "unit.ledger"), "--filter", case]
    script, prefix = suite
    path = str(ROOT / "tests" / script)
    return [sys.executable, path, str(build), prefix + case] if prefix else [sys.executable, path, "--build", str(build)]


def run(build, suite, case, off=""):
    """(passed, what it wrote)"""
    done = subprocess.run(command(build, suite, case), env={**os.environ, "SLUICE_GUARDS_OFF": off}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=300, cwd=ROOT)
    return done.returncode == 0, "\n".join(line for line in done.stdout.splitlines() if not line.startswith("{"))


def failed_by_test(text):
    """A test that says no, not a stack that did not start."""
    return any(word in text for word in ("AssertionError", "Expected", "[FAIL]", "disagreements")) and "quickstart:" not in text


def main(release):
    release = pathlib.Path(release).resolve()
    for program in ("sluice-gateway", "sluice-control"):
        assert b"SLUICE_GUARDS_OFF" not in (release / "bin" / program).read_bytes(), f"{program} has a switch"
    with tempfile.TemporaryDirectory(prefix="guards-", dir=release.parent) as folder:
        build = pathlib.Path(folder)
        shutil.copytree(release / "guards", build, dirs_exist_ok=True)
        for program in ("sluicectl", "sluice-sim"):
            os.symlink(release / "bin" / program, build / "bin" / program)
        passed = {}
        for guard, (missing, suite, case) in GUARDS.items():
            if (suite, case) not in passed:
                passed[suite, case] = run(build, suite, case)
            good, text = passed[suite, case]
            assert good, f"{suite} {case} fails with all guards on:\n{text[-3000:]}"
            good, text = run(build, suite, case, guard)
            assert not good and failed_by_test(text), f"without the guard {guard} ({missing}) {suite} {case} {'passes' if good else 'breaks'}:\n{text[-3000:]}"
            print(f"ok: without {guard} ({missing}) {case or suite[0]} fails", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
