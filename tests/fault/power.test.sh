#!/usr/bin/env bash
# The power goes at any moment: nothing acknowledged is lost, nothing is half applied. $1: build folder. STATES: how many moments.
set -euo pipefail
build=$1 states=${STATES:-500} seed=${SEED:-$RANDOM}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/store" "$work/found" "$work/control"
tool=$build/tests/sluice-power
SLUICE_POWER_LOG=$work/log LD_PRELOAD=$build/tests/power_record.so "$tool" work "$work/store" "${CHANGES:-240}"
echo "seed $seed"
"$tool" replay "$work/log" "$work/found" "$states" "$seed"
# The same check must see what a store without syncs would lose.
if "$tool" replay "$work/log" "$work/control" "$((states / 10 + 20))" "$seed" --without-syncs; then
    echo "no broken state was found although no sync was believed: this test sees nothing" >&2
    exit 1
fi
