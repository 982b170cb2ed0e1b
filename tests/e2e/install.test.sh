#!/bin/bash
# What `cmake --install` puts down works from there, the commented configuration is true, and the units' command lines are
# understood. $1: build folder.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$(cd "$1" && pwd)
WORK=$(mktemp -d)
CONTROL=
cleanup() {
    [[ -z $CONTROL ]] || kill "$CONTROL" 2>/dev/null || true
    rm -rf "$WORK"
}
trap cleanup EXIT
fail() {
    echo "FAILED: $*" >&2
    tail -n 20 "$WORK"/*.log >&2 || true
    exit 1
}
check() {
    local what=$1
    shift
    "$@" >"$WORK/check.log" 2>&1 || fail "$what"
    echo "ok: $what"
}

check "it installs" cmake --install "$BUILD" --prefix "$WORK/usr"
BIN=$WORK/usr/bin

# Every line of an example, also those in comments, is one the program knows.
for program in control gateway; do
    sed -E 's/^# ([a-z_]+ = )/\1/' "$ROOT/deploy/config/$program.conf" >"$WORK/$program.conf"
    check "all lines of $program.conf" "$BIN/sluice-$program" --config-dir= --config="$WORK/$program.conf" --dump-config
    grep -q "$program.conf:" "$WORK/check.log" || fail "no line of $program.conf was used"
    line=$(sed -n "s|^ExecStart=/usr/local/bin/||p" "$ROOT/deploy/systemd/sluice-$program.service")
    line=${line//%S/$WORK} line=${line//%d/$WORK}
    mkdir -p "$WORK/credentials"
    check "the unit's command line of $program" env CREDENTIALS_DIRECTORY="$WORK/credentials" bash -c "$BIN/$line --config-dir= --dump-config"
done
check "both files in one folder" "$BIN/sluice-gateway" --config-dir="$WORK/usr/share/doc/sluice" --dump-config

# A store with a master key of its own place, and a control plane that finds the installed catalog.
(umask 077 && head -c 32 /dev/urandom >"$WORK/master.key")
HOME_OPTIONS=(--data-dir "$WORK/data" --master-key "$WORK/master.key")
check "init with a given key" "$BIN/sluicectl" init "${HOME_OPTIONS[@]}"
check "the key is not copied" test ! -e "$WORK/data/master.key"
install -d "$WORK/usr/share/sluice/console" # where `--target console` and an installation put it
echo "the page" >"$WORK/usr/share/sluice/console/index.html"
"$BIN/sluice-control" --config-dir= --data-dir="$WORK/data" --master-key="$WORK/master.key" --control-port=0 --link-port=0 \
    >"$WORK/ports.json" 2>"$WORK/control.log" &
CONTROL=$!
for _ in $(seq 200); do
    [[ ! -s $WORK/ports.json ]] || break
    sleep 0.05
done
check "it starts" test -s "$WORK/ports.json"
check "with the installed console" bash -c "curl -sS http://127.0.0.1:$(jq -r .control_port "$WORK/ports.json")/ | grep -qx 'the page'"
check "with the installed catalog" jq -es 'map(select(.event == "catalog_loaded"))[0].rows > 1000' "$WORK/control.log"

# sluicectl beside it and without it: the same commands.
ctl() {
    "$BIN/sluicectl" "$@" "${HOME_OPTIONS[@]}" --json
}
check "it runs, says status" jq -e '.running and .organisations == 0' <<<"$(ctl status)"
check "an organisation" jq -e '.organisation.slug == "acme" and (.password | length) == 24' \
    <<<"$(ctl org create Acme --slug acme --admin-email a@example.com)"
if ctl org create Acme --slug acme 2>"$WORK/refused.json"; then
    fail "made twice"
fi
check "twice is a conflict" jq -e '.error.code == "conflict"' "$WORK/refused.json"
printf 'correct horse battery\n' >"$WORK/password" && chmod 600 "$WORK/password"
check "an admin with a given password" jq -e '.role == "owner" and (has("password") | not)' \
    <<<"$(ctl admin create b@example.com --role owner --password-file "$WORK/password")"
check "a node, as a file" jq -e '.link == "tls+tcp://control.example.com:9999" and (has("token") | not)' \
    <<<"$(ctl node add --region eu --link control.example.com:9999 --out "$WORK/node.bundle")"
check "of mode 0600" test "$(stat -c %a "$WORK/node.bundle")" = 600
check "a node in a group of its own" jq -e '.token | startswith("slnb1.")' <<<"$(ctl node add --region us --group us --link '[::1]')"
check "two nodes, never seen" jq -e '.nodes | map(.status) == ["never_seen", "never_seen"]' <<<"$(ctl node list)"
check "one is removed" jq -e '.status == "removed"' <<<"$(ctl node remove "$(ctl node list | jq -r '.nodes[0].name')")"
check "nothing to write off of a node that never spoke" jq -e '.status == "written_off" and .counters == 0' \
    <<<"$(ctl node write-off "$(ctl node list | jq -r '.nodes[1].name')")"
check "nor to free" jq -e '.status == "freed" and .boots == 0' <<<"$(ctl node write-off "$(ctl node list | jq -r '.nodes[1].name')" --undo)"
check "no limit was used yet" test -z "$(ctl ledger counters)"
check "a backup while it runs" jq -e '.revision > 0' <<<"$(ctl backup "$WORK/backup")"
check "which agrees with itself" "$BIN/sluicectl" inspect check "$WORK/backup"
check "what needs the store for itself is refused" bash -c "! '$BIN/sluicectl' restore '$WORK/backup' --force --data-dir '$WORK/data'"
ctl org create Later --slug later >/dev/null
kill "$CONTROL" && wait "$CONTROL" || true
CONTROL=
check "the same without it" jq -e '.running == false and .organisations == 2' <<<"$(ctl status)"
check "restore does not overwrite" bash -c "! '$BIN/sluicectl' restore '$WORK/backup' --data-dir '$WORK/data'"
check "unless told so" jq -e '.store_id != .new_store_id' <<<"$(ctl restore "$WORK/backup" --force)"
check "then it is the backup's state" jq -e '.organisations == 1 and .nodes == 2' <<<"$(ctl status)"
check "and the other one is kept" test -n "$(ls -d "$WORK"/data/store.replaced-*)"
check "another master key opens nothing" bash -c "head -c 32 /dev/urandom >'$WORK/other.key'; chmod 600 '$WORK/other.key';
    ! '$BIN/sluicectl' status --data-dir '$WORK/data' --master-key '$WORK/other.key'"
