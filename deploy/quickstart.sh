#!/bin/bash
# quickstart.sh: from a checkout to a first answer. What it does in which order is at the end of this file; how it talks to
# processes and to the admin API is in quickstart-lib.sh.
#
# Everything it makes lies in the data folder, and a second run with the same folder goes on with what is there: same
# organisation, same keys, same integrations. Secrets pass in files of mode 0600, never as arguments.
set -euo pipefail
umask 077

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$ROOT/deploy/packages.sh"
. "$ROOT/deploy/quickstart-lib.sh"

usage() {
    cat <<'END'
deploy/quickstart.sh [options]

Installs what is missing, builds, starts a control plane and a gateway, makes an organisation with a workspace, keys and a
provider, proves it by one call, and stays with a live status until Ctrl-C, which stops everything.

  --data-dir D         where everything is kept (./sluice-data)
  --gateway-port P     8787      --control-port P   8788
  --link-port P        8789      --status-port P    8790
                       (a second start takes the ports of the first)
  --workers N          worker processes of the gateway (0: one per core)
  --sim                use the simulated provider even if a provider's key is in the environment
  --bootstrap FILE     further entities, as admin calls (deploy/README.md)
  --release            build type (default); --build-type T: another preset of CMakePresets.json
  --no-build           use the build that is there
  --detach             return when ready, leave everything running
  --json               print one JSON object instead of text
  --stop               stop what runs in --data-dir
  --gateway-arg A      pass A to sluice-gateway; --control-arg A: to sluice-control; --sim-arg A: to the simulated
                       provider (all may be repeated)

With OPENAI_API_KEY, ANTHROPIC_API_KEY or another provider's key in the environment it makes those integrations; with none
it starts a simulated provider.
END
}

DATA=./sluice-data
GATEWAY_PORT='' CONTROL_PORT='' LINK_PORT='' STATUS_PORT=''
WORKERS=0 BUILD_TYPE=release BOOTSTRAP=
SIM=false BUILD=true DETACH=false JSON=false STOP=false
GATEWAY_ARGS=() CONTROL_ARGS=() SIM_ARGS=()

parse_options() {
    while (($# > 0)); do
        case $1 in
        --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
        --sim) SIM=true ;;
        --release) BUILD_TYPE=release ;;
        --no-build) BUILD=false ;;
        --detach) DETACH=true ;;
        --json) JSON=true ;;
        --stop) STOP=true ;;
        --help | -h) usage && exit 0 ;;
        --data-dir | --gateway-port | --control-port | --link-port | --status-port | --workers | --build-type | \
            --bootstrap | --gateway-arg | --control-arg | --sim-arg)
            (($# > 1)) || die "$1 needs a value"
            take_value "$1" "$2"
            shift
            ;;
        *) die "unknown option $1 (--help tells them)" ;;
        esac
        shift
    done
}

take_value() {
    case $1 in
    *-port | --workers) [[ $2 =~ ^[0-9]{1,5}$ ]] || die "$1 needs a number" ;;
    esac
    case $1 in
    --data-dir) DATA=$2 ;;
    --gateway-port) GATEWAY_PORT=$2 ;;
    --control-port) CONTROL_PORT=$2 ;;
    --link-port) LINK_PORT=$2 ;;
    --status-port) STATUS_PORT=$2 ;;
    --workers) WORKERS=$2 ;;
    --build-type) BUILD_TYPE=$2 ;;
    --bootstrap) BOOTSTRAP=$2 ;;
    --gateway-arg) GATEWAY_ARGS+=("$2") ;;
    --control-arg) CONTROL_ARGS+=("$2") ;;
    --sim-arg) SIM_ARGS+=("$2") ;;
    esac
}

# --- building

install_packages() {
    local wanted=("${PACKAGES_RUN[@]}")
    if $BUILD; then
        wanted+=("${PACKAGES_BUILD[@]}")
    fi
    packages_install "${wanted[@]}" || die "packages are missing"
}

build_programs() {
    if $BUILD; then
        note "building ($BUILD_TYPE)"
        (umask 022 && cd "$ROOT" && cmake --preset "$BUILD_TYPE" &&
            cmake --build "build/$BUILD_TYPE" --target sluice-control sluicectl sluice-gateway sluice-sim) \
            >"$DATA/log/build.log" 2>&1 || die_with_log "the build failed" "$DATA/log/build.log"
    fi
    BIN=$ROOT/build/$BUILD_TYPE/bin
    local program
    for program in sluice-control sluicectl sluice-gateway; do
        [[ -x $BIN/$program ]] || die "no $BIN/$program: leave --no-build away"
    done
}

# The console is worth having, but nothing else waits for it.
build_console() {
    if ! $BUILD || [[ ! -f $ROOT/admin-ui/package.json ]]; then
        return 0
    fi
    note "building the console"
    if ! packages_install "${PACKAGES_CONSOLE[@]}" ||
        ! (umask 022 && "$ROOT/admin-ui/build.sh") >"$DATA/log/console.log" 2>&1; then
        note "the console could not be built ($DATA/log/console.log); going on without it"
    fi
}

# --- what runs

# Ports as given, as last time, or the usual ones. What runs already cannot be moved.
settle_ports() {
    local name given last usual=8787
    for name in gateway control link status; do
        local -n port=${name^^}_PORT
        given=$port last=$(state_get ".ports.$name")
        port=${given:-${last:-$usual}}
        if [[ $port != "${last:-$port}" ]] && { process_alive control || process_alive gateway; }; then
            die "it runs with $name port $last: stop it first (--stop)"
        fi
        state_set "$(jq -nc --arg name "$name" --argjson port "$port" '{ports: {($name): $port}}')"
        usual=$((usual + 1))
    done
    GATEWAY_URL=http://127.0.0.1:$GATEWAY_PORT CONTROL_URL=http://127.0.0.1:$CONTROL_PORT STATUS_URL=http://127.0.0.1:$STATUS_PORT
}

start_control() {
    local args=(--config-dir= --data-dir="$DATA" --control-port="$CONTROL_PORT" --link-port="$LINK_PORT"
        --control-url="$CONTROL_URL" --public-gateway-url="$GATEWAY_URL" --private-upstreams=127.0.0.1/32)
    if [[ -f $ROOT/admin-ui/dist/index.html ]]; then
        args+=(--console-dir="$ROOT/admin-ui/dist")
    fi
    process_start control "$CONTROL_PORT" "$BIN/sluice-control" "${args[@]}" "${CONTROL_ARGS[@]}"
    process_wait control "$CONTROL_URL/readyz" 60
}

# A simulator keeps its port, because the integration names it.
start_sim() {
    [[ -x $BIN/sluice-sim ]] || die "no provider key in the environment, and no $BIN/sluice-sim"
    if ! process_alive sim; then
        local port
        port=$(state_get .sim_port)
        if [[ -z $port ]] || port_taken "$port"; then
            port=0
        fi
        : >"$DATA/run/sim.json"
        process_start sim "" "$BIN/sluice-sim" --port "$port" --truth-log "$DATA/log/sim-truth.jsonl" "${SIM_ARGS[@]}"
        wait_for 10 test -s "$DATA/run/sim.json" || die_with_log "the simulator did not start" "$DATA/log/sim.log"
    fi
    SIM_URL=$(jq -er .url "$DATA/run/sim.json") || die_with_log "the simulator did not start" "$DATA/log/sim.log"
    state_set "$(jq -c '{sim_port: .port}' "$DATA/run/sim.json")"
}

enrol_gateway() {
    local bundle=$DATA/gateway/node.bundle
    mkdir -p "$DATA/gateway"
    if [[ ! -f $bundle ]]; then
        ctl node add --name quickstart --region local --link "127.0.0.1:$LINK_PORT" --control "$CONTROL_URL" --out "$bundle" \
            >/dev/null || die "the gateway could not be enrolled"
    fi
    # Ports may have changed since it was enrolled.
    sed -i "s|^link_url .*|link_url tls+tcp://127.0.0.1:$LINK_PORT|;s|^control_url .*|control_url $CONTROL_URL|" "$bundle"
}

start_gateway() {
    local args=(--config-dir= --data-dir="$DATA/gateway" --gateway-port="$GATEWAY_PORT" --status-port="$STATUS_PORT"
        --workers="$WORKERS" --control-url="$CONTROL_URL" --public-gateway-url="$GATEWAY_URL" --cors-origins="$CONTROL_URL")
    if [[ -n ${SIM_URL:-} ]]; then
        args+=(--egress-ports="443,${SIM_URL##*:}" --allowed-private=127.0.0.1/32 --allowed-http-hosts=127.0.0.1)
    fi
    process_start gateway "$GATEWAY_PORT" "$BIN/sluice-gateway" master "${args[@]}" "${GATEWAY_ARGS[@]}"
}

# --- what is in it

# Store, organisation, workspace, keys, admin: once per data folder.
init_store() {
    if [[ ! -d $DATA/store ]]; then
        ctl init >/dev/null || die "the data folder could not be made"
    fi
    if [[ -z $(state_get .org_admin_key) ]]; then
        ctl org create "My organisation" --slug "$(free_slug)" --admin-email admin@example.com >"$DATA/run/org.json" ||
            die "the organisation could not be made"
        state_set "$(jq -c '{org_admin_key, workspace_key, workspace, admin_email, admin_password: .password}' \
            "$DATA/run/org.json")"
        rm -f "$DATA/run/org.json"
    fi
    jq -r '"x-portkey-api-key: " + .org_admin_key' "$STATE" >"$DATA/run/org.header"
    jq -r '"authorization: Bearer " + .workspace_key' "$STATE" >"$DATA/run/workspace.header"
}

# An earlier run may have been cut off between making the organisation and noting its keys.
free_slug() {
    if (($(ctl status | jq .organisations) == 0)); then
        echo quickstart
    else
        echo "quickstart-$(date +%s)"
    fi
}

# Providers whose key is in the environment, `slug TAB name TAB variable` a line: those that need one key and nothing else, by the names in
# the built-in catalog. The usual ones first.
keys_in_environment() {
    jq -rn --slurpfile rows "$ROOT/control-plane/catalog-data/providers.jsonl" '
        ["openai", "anthropic", "google", "mistral-ai", "groq"] as $first
        | [$rows[] | select(.dialect != "none" and .env != null and (.env | all(endswith("_API_KEY"))))
           | . + {variable: first(.env[] | select((env[.] // "") != "")), at: (.slug as $s | $first | index($s) // 99)}
           | select(.variable != null)]
        | sort_by(.at) | unique_by(.variable) | sort_by(.at)[] | [.slug, .name, .variable] | @tsv'
}

# Makes an integration of a provider and gives it to the workspace; what is there already stays as its admin left it.
#   make_integration PROVIDER NAME SLUG BODY_FILTER     (a jq object with the credential)
make_integration() {
    local workspace
    admin GET "/integrations/$3"
    if [[ $ADMIN_STATUS == 404 ]]; then
        jq -n --arg provider "$1" --arg name "$2" --arg slug "$3" --arg sim "${SIM_URL:-}" \
            "{name: \$name, slug: \$slug, ai_provider_id: \$provider} + $4" >"$DATA/run/body.json"
        admin POST /integrations "$DATA/run/body.json"
        [[ $ADMIN_STATUS == 200 ]] || die "the integration $3 could not be made: $(head -c 600 "$ADMIN_REPLY")"
    fi
    workspace=$(state_get .workspace.id)
    admin GET "/integrations/$3/workspaces"
    if ! jq -e --arg id "$workspace" 'any((.workspaces // .data)[]?; .workspace_id == $id)' "$ADMIN_REPLY" >/dev/null; then
        jq -n --arg id "$workspace" '{workspaces: [{id: $id, enabled: true}]}' >"$DATA/run/body.json"
        admin PUT "/integrations/$3/workspaces?wait=applied" "$DATA/run/body.json"
        [[ $ADMIN_STATUS == 200 ]] || die "the integration $3 could not be provisioned: $(head -c 600 "$ADMIN_REPLY")"
    fi
    rm -f "$DATA/run/body.json"
}

# The slug that this provider has or gets here: an integration at the simulator and one at the provider keep apart.
slug_for() {
    local slug
    slug=$(state_get ".slugs[\"$2:$1\"]")
    if [[ -z $slug ]]; then
        slug=$1
        if [[ -n $(state_get ".slugs | to_entries[]? | select(.value == \"$1\") | .value") ]]; then
            slug=$1-$2
        fi
        state_set "$(jq -nc --arg name "$2:$1" --arg slug "$slug" '{slugs: {($name): $slug}}')"
    fi
    echo "$slug"
}

make_integrations() {
    local provider name variable
    INTEGRATION='' PROVIDER_TYPE=''
    if [[ -n ${SIM_URL:-} ]]; then
        INTEGRATION=$(slug_for openai sim) PROVIDER_TYPE=openai
        make_integration openai "OpenAI (simulated)" "$INTEGRATION" \
            '{key: "sk-simulated", configurations: {custom_host: ($sim + "/v1")}}'
        move_sim
        return
    fi
    while IFS=$'\t' read -r provider name variable; do
        local slug
        slug=$(slug_for "$provider" live)
        make_integration "$provider" "$name" "$slug" "{key: env.$variable}"
        if [[ -z $INTEGRATION ]]; then
            INTEGRATION=$slug PROVIDER_TYPE=$provider
        fi
    done <<<"$KEYS"
}

# The simulator may have had to take another port.
move_sim() {
    admin GET "/integrations/$INTEGRATION"
    if ! jq -e --arg host "$SIM_URL/v1" '.configurations.custom_host == $host' "$ADMIN_REPLY" >/dev/null; then
        jq -n --arg host "$SIM_URL/v1" '{configurations: {custom_host: $host}}' >"$DATA/run/body.json"
        admin PUT "/integrations/$INTEGRATION?wait=applied" "$DATA/run/body.json"
        [[ $ADMIN_STATUS == 200 ]] || die "the simulator's integration could not be changed: $(head -c 600 "$ADMIN_REPLY")"
    fi
}

# The provider in the workspace that the integration gave, and a model to begin with.
choose_model() {
    local wanted
    admin GET "/providers?workspace_id=$(state_get .workspace.id)"
    PROVIDER=$(jq -er --arg slug "$INTEGRATION" \
        '[.data[] | select(.integration_slug == $slug or .integration.slug == $slug or .slug == $slug) | .slug][0]' "$ADMIN_REPLY") ||
        die "the workspace has no provider of $INTEGRATION"
    case $PROVIDER_TYPE in
    openai) wanted=gpt-4o-mini ;;
    anthropic) wanted=claude-haiku-4-5 ;;
    google) wanted=gemini-2.5-flash ;;
    mistral-ai) wanted=mistral-small-latest ;;
    groq) wanted=llama-3.1-8b-instant ;;
    *) wanted= ;;
    esac
    MODEL=$(jq -rs --arg wanted "$wanted" '[.[] | select(.type == "chat") | .id]
        | if index($wanted) then $wanted else (.[0] // $wanted) end' "$ROOT/control-plane/catalog-data/models/$PROVIDER_TYPE.jsonl")
    MODEL="@$PROVIDER/$MODEL"
}

# One real call, as the printed line makes it. The simulator must answer; a provider's refusal is told, and is no fault of the stack.
prove() {
    local reply=$DATA/run/first-call.json status
    jq -nc --arg model "$MODEL" '{model: $model, messages: [{role: "user", content: "Hello"}]}' >"$DATA/run/body.json"
    call() {
        status=$(curl -sS -o "$reply" -w '%{http_code}' --max-time 60 -H @"$DATA/run/workspace.header" \
            -H 'content-type: application/json' --data-binary @"$DATA/run/body.json" "$GATEWAY_URL/v1/chat/completions") &&
            [[ $status == 200 || -z ${SIM_URL:-} ]]
    }
    wait_for 15 call || die "the first call failed: ${status:-} $(head -c 600 "$reply")"
    if [[ $status != 200 ]]; then
        note "the first call was refused ($status): $(head -c 600 "$reply")"
    fi
    rm -f "$DATA/run/body.json" "$reply"
}

# --- what is printed

facts() {
    jq -c --arg gateway "$GATEWAY_URL" --arg control "$CONTROL_URL" --arg integration "$INTEGRATION" --arg provider "$PROVIDER" \
        --arg model "$MODEL" --arg pids "$(process_pids)" --arg data "$DATA" '{
            gateway_url: $gateway, control_url: $control, console_url: ($control + "/"), org_admin_key, admin_email,
            admin_password, workspace, workspace_key, integration: {slug: $integration}, provider: {slug: $provider},
            model: $model, pids: ($pids | split(" ") | map(select(. != "") | tonumber)), data_dir: $data}' "$STATE"
}

print_text() {
    jq -r '"
  console     \(.console_url)   \(.admin_email) / \(.admin_password)
  gateway     \(.gateway_url)/v1
  admin key   \(.org_admin_key)
  your key    \(.workspace_key)
  data        \(.data_dir)

    curl \(.gateway_url)/v1/chat/completions -H \"Authorization: Bearer \(.workspace_key)\" \\
      -H \"Content-Type: application/json\" \\
      -d '"'"'{\"model\":\"\(.model)\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'"'"'
"' <<<"$FACTS"
}

# --- the order of things

main() {
    parse_options "$@"
    if $STOP; then
        [[ -d $DATA ]] || die "no folder $DATA"
        DATA=$(cd "$DATA" && pwd)
        processes_stop
        exit 0
    fi
    mkdir -p "$DATA/log" "$DATA/run"
    DATA=$(cd "$DATA" && pwd)
    STATE=$DATA/quickstart.json
    install_packages
    lock_folder
    build_programs
    build_console
    [[ -f $STATE ]] || echo '{}' >"$STATE"
    settle_ports
    KEYS=''
    $SIM || KEYS=$(keys_in_environment)

    trap 'failed $?' EXIT
    trap 'exit 130' INT TERM
    note "starting"
    if ! process_alive control; then
        init_store
    fi
    start_control
    if [[ -z $KEYS ]]; then
        start_sim
    fi
    enrol_gateway
    start_gateway
    make_integrations
    process_wait gateway "$STATUS_URL/readyz" 60
    if [[ -n $BOOTSTRAP ]]; then
        bootstrap "$BOOTSTRAP"
    fi
    choose_model
    prove
    FACTS=$(facts)
    trap - EXIT

    if $JSON; then
        printf '%s\n' "$FACTS"
    else
        print_text
    fi
    if ! $DETACH; then
        watch
    fi
}

main "$@"
