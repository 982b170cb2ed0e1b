#!/usr/bin/env bash
# The drills at full size. What CI runs scaled down, this runs as the issues state it; figures go to build/long/<name>.json.
#   tests/long.sh [--build DIR] [NAME...]       NAME: kill admin_kill limits hosts control_away restore propagation canary power oracle fuzz bench
# LONG_SCALE=N divides the sizes by N.
set -uo pipefail
cd "$(dirname "$0")/.."
build=build/release
if [ "${1:-}" = --build ]; then
    build=$2
    shift 2
else
    cmake --preset release >&2 && cmake --build --preset release >&2 || exit 1
fi
out=build/long
mkdir -p "$out"
scale=${LONG_SCALE:-1}
at() { echo $((($1 + scale - 1) / scale)); }
run() {
    local name=$1
    shift
    echo "== $name: $*"
    if "$@" >"$out/$name.log" 2>&1; then
        tail -n 1 "$out/$name.log"
    else
        tail -n 60 "$out/$name.log"
        failed="$failed $name"
    fi
}
drill() {
    local name=$1 script=$2
    shift 2
    run "$name" python3 "tests/fault/$script" --build "$build" --out "$out/$name.json" "$@"
}
failed=
[ $# -gt 0 ] || set -- kill admin_kill limits hosts control_away restore propagation canary power oracle fuzz bench
for name in "$@"; do
    case $name in
    kill) drill kill kill_drill.py --rounds "$(at 200)" --master-rounds "$(at 20)" ;;
    admin_kill) drill admin_kill admin_kill_drill.py --kills "$(at 200)" ;;
    limits) drill limits limits_drill.py --rounds "$(at 200)" --master-rounds "$(at 20)" ;;
    hosts) run hosts unshare --user --map-root-user --net python3 tests/fault/hosts_drill.py --build "$build" --out "$out/hosts.json" \
        --rounds "$(at 200)" --clients "$(at 256)" --cut-seconds "$(at 60)" --budget 2.0 ;;
    control_away) drill control_away control_away.py --seconds "$(at 600)" --restarts 10 ;;
    restore) drill restore restore_drill.py --requests "$(at 10000)" --changes 50 ;;
    propagation) drill propagation propagation.py --changes "$(at 1000)" ;;
    canary) drill canary canary.py --attempts "$(at 200)" --repeats 5 ;;
    power) run power env STATES="$(at 10000)" CHANGES=1000 bash tests/fault/power.test.sh "$build" ;;
    fuzz) run fuzz env FUZZ_SECONDS="$(at 600)" bash tests/fuzz/fuzz.test.sh "$build" ;;
    oracle) run oracle env SLUICE_PROPERTY_STEPS="$(at 1000000)" "$build/unit/unit.control-plane.ledger.grants_property" ;;
    bench) run bench tests/bench/run.sh --build-dir "$build" --rounds 5 --milliseconds 3000 --out "$out/bench.jsonl" ;;
    *) echo "unknown: $name" && exit 2 ;;
    esac
done
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
