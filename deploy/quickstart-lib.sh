# quickstart-lib.sh: processes, state and admin calls for quickstart.sh, which sources it. Uses its DATA, STATE, BIN, *_URL.
#
# A process is known by run/NAME.pid: its pid and the moment it started, so a pid that was given to somebody else since then is
# never signalled.

note() {
    printf 'quickstart: %s\n' "$*" >&2
}

die() {
    note "$*"
    exit 1
}

die_with_log() {
    tail -n 20 "$2" >&2 || true
    die "$1 ($2)"
}

# Runs a command until it succeeds, for at most so many seconds.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

lock_folder() {
    exec {LOCK}>"$DATA/run/lock"
    flock -n "$LOCK" || die "another quickstart works in $DATA"
}

sluicectl_json() {
    "$BIN/sluicectl" "$@" --data-dir "$DATA" --json
}
ctl() {
    sluicectl_json "$@"
}

# --- state: what was made, in quickstart.json

state_get() {
    jq -r "($1) // empty" "$STATE" 2>/dev/null
}

# Merges a JSON object into the state.
state_set() {
    jq -c --argjson more "$1" '. * $more' "$STATE" >"$STATE.new"
    mv "$STATE.new" "$STATE"
}

# --- processes

NAMES=(gateway sim control) # in the order they are stopped
STARTED=()

# When a process started, in clock ticks since boot; nothing if there is none.
started_at() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    stat=${stat##*) }
    set -- $stat
    [[ $1 != Z ]] || return 1
    printf '%s\n' "${20}"
}

process_alive() {
    local pid moment
    [[ -f $DATA/run/$1.pid ]] && read -r pid moment <"$DATA/run/$1.pid" && [[ $(started_at "$pid") == "$moment" ]]
}

process_pids() {
    local name pid moment out=()
    for name in control gateway sim; do
        if process_alive "$name"; then
            read -r pid moment <"$DATA/run/$name.pid"
            out+=("$pid")
        fi
    done
    echo "${out[*]}"
}

port_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# process_start NAME PORT PROGRAM ARGS...: in a session of its own, so that Ctrl-C reaches only us. A process that runs already is left
# alone.
process_start() {
    local name=$1 port=$2 pid
    shift 2
    if process_alive "$name"; then
        return 0
    fi
    if [[ -n $port ]] && port_taken "$port"; then
        die "port $port is in use"
    fi
    if [[ $name == sim ]]; then
        setsid "$@" </dev/null >"$DATA/run/sim.json" 2>>"$DATA/log/$name.log" {LOCK}>&- &
    else
        setsid "$@" </dev/null >>"$DATA/log/$name.log" 2>&1 {LOCK}>&- &
    fi
    pid=$!
    printf '%s %s\n' "$pid" "$(started_at "$pid")" >"$DATA/run/$name.pid"
    STARTED+=("$name")
}

# Waits until a page answers 200.
process_wait() {
    answers() {
        process_alive "$1" || return 2
        [[ $(curl -s -o /dev/null -w '%{http_code}' --max-time 2 "$2") == 200 ]]
    }
    local end=$((SECONDS + $3)) code
    while true; do
        code=0
        answers "$1" "$2" || code=$?
        ((code != 0)) || return 0
        ((code != 2)) || die_with_log "$1 ended" "$DATA/log/$1.log"
        ((SECONDS < end)) || die_with_log "$1 is not ready after $3 s: $(curl -s --max-time 2 "$2")" "$DATA/log/$1.log"
        sleep 0.05
    done
}

process_gone() {
    ! process_alive "$1"
}

# TERM lets requests in progress end; who takes longer than we wait is interrupted, then killed.
process_stop() {
    local pid moment signal
    for signal in TERM INT KILL; do
        process_alive "$1" || break
        read -r pid moment <"$DATA/run/$1.pid"
        kill "-$signal" "$pid" 2>/dev/null || true
        wait_for 10 process_gone "$1" || true
    done
    rm -f "$DATA/run/$1.pid"
}

processes_stop() {
    local name
    for name in "${NAMES[@]}"; do
        process_stop "$name"
    done
    rm -f "$DATA/run/org.header" "$DATA/run/workspace.header"
}

# Leaves nothing behind that this run has started.
failed() {
    local name
    trap - EXIT INT TERM
    for name in "${NAMES[@]}"; do
        if [[ " ${STARTED[*]} " == *" $name "* ]]; then
            process_stop "$name"
        fi
    done
    exit "$1"
}

# --- admin API

# admin METHOD PATH [BODY_FILE]: ADMIN_STATUS and the file ADMIN_REPLY.
admin() {
    local body=()
    if (($# > 2)); then
        body=(-H 'content-type: application/json' --data-binary @"$3")
    fi
    ADMIN_REPLY=$DATA/run/reply.json
    ADMIN_STATUS=$(curl -sS -o "$ADMIN_REPLY" -w '%{http_code}' --max-time 60 -X "$1" -H @"$DATA/run/org.header" "${body[@]}" \
        "$CONTROL_URL/v1$2") || die "the control plane does not answer"
}

# Carries out {"calls": [{"method", "path", "body", "as"}]} in order. "${name.field}" in a path or body stands for a field of the reply of
# the call that was named so by "as". What exists already (409) is passed over. Replies are kept in bootstrap.json.
bootstrap() {
    local count i replies=$DATA/bootstrap.json call=$DATA/run/call.json fill
    fill='def fill($r): if type == "string" then
              reduce ([match("\\$\\{([^}.]+)\\.([^}]+)\\}"; "g")] | reverse[]) as $m
                  (.; .[:$m.offset] + ($r[$m.captures[0].string] | getpath($m.captures[1].string / ".") | tostring)
                      + .[$m.offset + $m.length:])
          elif type == "array" then map(fill($r)) elif type == "object" then map_values(fill($r)) else . end;'
    count=$(jq -er '.calls | length' "$1") || die "$1: not {\"calls\": [...]}"
    echo '{}' >"$replies"
    for ((i = 0; i < count; i++)); do
        jq -c --argjson i "$i" --slurpfile replies "$replies" "$fill .calls[\$i] | fill(\$replies[0])" "$1" >"$call" ||
            die "$1: call $i names a reply that is not there"
        jq -c '.body // {}' "$call" >"$DATA/run/body.json"
        admin "$(jq -r .method "$call")" "$(jq -r .path "$call")" "$DATA/run/body.json"
        [[ $ADMIN_STATUS == 200 || $ADMIN_STATUS == 409 ]] || die "$1: call $i: $ADMIN_STATUS $(head -c 600 "$ADMIN_REPLY")"
        jq -c --slurpfile call "$call" --slurpfile reply "$ADMIN_REPLY" --arg i "$i" \
            '. + {($call[0].as // $i): ($reply[0] // {})}' "$replies" >"$replies.new"
        mv "$replies.new" "$replies"
    done
    rm -f "$call" "$DATA/run/body.json"
}

# --- staying

status_line() {
    local metrics
    metrics=$(curl -s --max-time 2 "$STATUS_URL/metrics") || metrics=
    awk -v up="$SECONDS" '
        /^sluice_requests_total/ { total += $2; if ($1 ~ /"ok"/) ok = $2 }
        /^sluice_[a-z_]+ / { value[$1] = $2 }
        END {
            if (!("sluice_workers_ready" in value)) { printf "up %d s   the gateway does not answer", up; exit }
            printf "up %d s   requests %d (%d not answered)   open %d   workers %d   revision %d   link %s   usage to report %d", up, total,
                total - ok, value["sluice_requests_open"], value["sluice_workers_ready"], value["sluice_catalog_revision"],
                value["sluice_link_up"] ? "up" : "down", value["sluice_usage_pending"]
        }' <<<"$metrics"
}

# Shows what goes on until Ctrl-C, or until a process ends.
watch() {
    local name line last=
    trap 'printf "\n" >&2; note stopping; processes_stop; exit 0' INT TERM
    note "running; Ctrl-C stops it"
    while true; do
        for name in "${STARTED[@]}"; do
            if ! process_alive "$name"; then
                tail -n 20 "$DATA/log/$name.log" >&2
                note "$name ended"
                processes_stop
                exit 1
            fi
        done
        line=$(status_line)
        if [[ -t 2 ]]; then
            printf '\r\033[K%s' "$line" >&2
        elif [[ ${line#* s } != "${last#* s }" ]]; then
            printf '%s\n' "$line" >&2
        fi
        last=$line
        sleep 1 &
        wait $! || true
    done
}
