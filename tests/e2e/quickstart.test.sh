#!/bin/bash
# The newcomer's way: quickstart on an empty folder, what it prints, its own curl line, a stream, stop, and a second start with the
# same folder. $1: build folder.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$(cd "$1" && pwd)
WORK=$(mktemp -d)
DATA=$WORK/data
exec 3>&1 # what was checked
unset OPENAI_API_KEY ANTHROPIC_API_KEY
cleanup() {
    "$ROOT/deploy/quickstart.sh" --stop --data-dir "$DATA" >/dev/null 2>&1 || true
    rm -rf "$WORK"
}
trap cleanup EXIT

fail() {
    echo "FAILED: $*" >&2
    tail -n 20 "$DATA"/log/*.log "$WORK/err" >&2 || true
    exit 1
}
check() {
    local what=$1
    shift
    "$@" || fail "$what"
    echo "ok: $what" >&3
}
fact() {
    jq -er "$1" "$WORK/facts.json"
}

# Four ports that nobody listens on.
ports() {
    local port found=()
    while ((${#found[@]} < 4)); do
        port=$((10240 + RANDOM % 20000))
        if [[ " ${found[*]} " != *" $port "* ]] && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            found+=("$port")
        fi
    done
    echo "${found[@]}"
}
start() {
    local attempt gateway control link status
    for attempt in 1 2 3; do
        read -r gateway control link status < <(ports)
        if timeout 120 "$ROOT/deploy/quickstart.sh" --no-build --build-type "$(basename "$BUILD")" --data-dir "$DATA" --workers 1 \
            --gateway-port "$gateway" --control-port "$control" --link-port "$link" --status-port "$status" \
            "$@" >"$WORK/out" 2>"$WORK/err"; then
            return 0
        fi
        grep -q "in use" "$WORK/err" || break
    done
    fail "quickstart $*"
}
one_object() {
    [[ $(wc -l <"$WORK/out") == 1 ]] && jq -e 'type == "object"' "$WORK/out" >/dev/null
}
chat() {
    curl -sS -N --max-time 20 "$(fact .gateway_url)/v1/chat/completions" -H "Authorization: Bearer $(fact .workspace_key)" \
        -H 'Content-Type: application/json' \
        -d "$(jq -nc --arg model "$(fact .model)" --argjson more "$1" '{model: $model, messages: [{role: "user", content: "Hi"}]} + $more')"
}
processes_end() {
    local pid
    for pid in $(jq -r '.pids[]' "$WORK/facts.json"); do
        [[ ! -d /proc/$pid || $(cut -d' ' -f3 "/proc/$pid/stat" 2>/dev/null) == Z ]] || return 1
    done
}

start --sim --detach --json
check "stdout is one JSON object" one_object
cp "$WORK/out" "$WORK/facts.json"
KEYS='["admin_email","admin_password","console_url","control_url","data_dir","gateway_url","integration","model","org_admin_key",
       "pids","provider","workspace","workspace_key"]'
check "its keys" jq -e --argjson keys "$KEYS" 'keys == $keys' "$WORK/facts.json" >/dev/null
check "their shapes" jq -e '(.workspace.id | length) == 36 and .workspace.slug != "" and .integration.slug == "openai"
    and .provider.slug == "openai" and (.pids | length) == 3 and (.org_admin_key | startswith("slk_"))
    and (.workspace_key | startswith("slk_")) and (.admin_password | length) >= 12
    and (.gateway_url | endswith("/v1") | not)' "$WORK/facts.json" >/dev/null
check "nothing in the data folder is open to others" test -z "$(find "$DATA" -perm /077 ! -type l ! -name '*.pem' -print -quit)"
check "the control plane is ready" curl -sf -o /dev/null "$(fact .control_url)/readyz"
check "an answer" jq -e '.choices[0].message.content == "You said: Hi" and .usage.total_tokens > 0' <<<"$(chat '{}')" >/dev/null
check "a stream that ends" grep -q '^data: \[DONE\]' <<<"$(chat '{"stream": true}')"
check "a wrong key is refused" test "$(curl -s -o /dev/null -w '%{http_code}' "$(fact .gateway_url)/v1/models" -H 'authorization: Bearer x')" = 401
mkdir "$WORK/with" && cat >"$WORK/with/more.json" <<'END'
{"calls": [
  {"as": "team", "method": "POST", "path": "/admin/workspaces", "body": {"name": "Team", "slug": "team"}},
  {"method": "PUT", "path": "/integrations/openai/workspaces", "body": {"workspaces": [{"id": "${team.id}", "enabled": true}]}}
]}
END

# The same folder while it runs: nothing is made twice. The printed line is what a newcomer pastes.
timeout 120 "$ROOT/deploy/quickstart.sh" --no-build --build-type "$(basename "$BUILD")" --data-dir "$DATA" --workers 1 --sim --detach \
    --bootstrap "$WORK/with/more.json" >"$WORK/text" 2>"$WORK/err" || fail "quickstart beside a running one"
line=$(sed -n '/^ *curl /,$p' "$WORK/text")
check "the printed line answers" jq -e '.choices[0].message.content == "You said: Hello"' <<<"$(eval "$line -sS")" >/dev/null
check "the bootstrap file's workspace has the provider" jq -e '.data | map(.slug) == ["openai"]' <<<"$(curl -sS \
    "$(fact .control_url)/v1/providers?workspace_id=team" -H "x-portkey-api-key: $(fact .org_admin_key)")" >/dev/null

"$ROOT/deploy/quickstart.sh" --stop --data-dir "$DATA" 2>"$WORK/err" || fail "--stop"
check "--stop ends all processes" processes_end

start --sim --detach --json
check "a second start keeps keys, workspace and password" jq -e --slurpfile first "$WORK/facts.json" \
    '[., $first[0]] | map(del(.pids, .gateway_url, .control_url, .console_url)) | .[0] == .[1]' "$WORK/out" >/dev/null
cp "$WORK/out" "$WORK/facts.json"
check "and answers on its new ports" jq -e '.choices[0].message.content == "You said: Hi"' <<<"$(chat '{}')" >/dev/null
check "and kept its usage" test "$("$BUILD/bin/sluicectl" ledger dump --data-dir "$DATA" | wc -l)" -ge 3

# In the foreground: Ctrl-C stops everything.
"$ROOT/deploy/quickstart.sh" --stop --data-dir "$DATA" 2>"$WORK/err"
read -r gateway control link status < <(ports)
"$ROOT/deploy/quickstart.sh" --no-build --build-type "$(basename "$BUILD")" --data-dir "$DATA" --workers 1 --sim --json \
    --gateway-port "$gateway" --control-port "$control" --link-port "$link" --status-port "$status" >"$WORK/out" 2>"$WORK/err" &
front=$!
for _ in $(seq 300); do
    grep -q "Ctrl-C" "$WORK/err" && break
    sleep 0.1
done
check "in the foreground it is ready" one_object
for _ in $(seq 100); do
    grep -q "^up " "$WORK/err" && break
    sleep 0.1
done
check "and shows what goes on" grep -qE "^up [0-9]+ s   requests 1 \\(0 not answered\\)   open 0   workers 1   revision [1-9]" "$WORK/err"
cp "$WORK/out" "$WORK/facts.json"
kill -TERM "$front"
wait "$front" || true
check "and its end stops everything" processes_end
