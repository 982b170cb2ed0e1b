#!/bin/bash
# With OPENAI_API_KEY in the environment the quickstart's own line reaches api.openai.com: right host, path and header, over TLS that is
# verified. In a network of its own the name belongs to the simulator, at a public address, with certificates of a test authority; so
# neither a proxy nor an opened egress rule helps it along. $1: build folder.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$(cd "$1" && pwd)
ADDRESS=104.18.7.192
KEY=sk-live-canary-7f3a

if [[ -z ${SLUICE_TLS_NAMESPACE:-} ]]; then
    who=()
    ((EUID == 0)) || who=(--user --map-root-user)
    if ! unshare "${who[@]}" --net --mount true 2>/dev/null; then
        echo "skipped: this machine gives us no network namespace"
        exit 0
    fi
    SLUICE_TLS_NAMESPACE=1 exec unshare "${who[@]}" --net --mount --propagation private bash "$0" "$BUILD"
fi

WORK=$(mktemp -d)
DATA=$WORK/data
SIM=
cleanup() {
    "$ROOT/deploy/quickstart.sh" --stop --data-dir "$DATA" >/dev/null 2>&1 || true
    [[ -z $SIM ]] || kill "$SIM" 2>/dev/null || true
    umount /etc/hosts 2>/dev/null || true
    rm -rf "$WORK"
}
trap cleanup EXIT
fail() {
    echo "FAILED: $*" >&2
    tail -n 20 "$DATA"/log/*.log "$WORK"/*.log >&2 || true
    exit 1
}
check() {
    local what=$1
    shift
    "$@" >/dev/null || fail "$what"
    echo "ok: $what"
}

# The namespace: loopback up, with the public address on it; the name in its own /etc/hosts.
python3 - "$ADDRESS" <<'END'
import fcntl, socket, struct, sys
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for name, address in (("lo", "127.0.0.1"), ("lo:1", sys.argv[1])):
    row = struct.pack("16sH2s4s8x", name.encode(), socket.AF_INET, b"", socket.inet_aton(address))
    fcntl.ioctl(link, 0x8916, row)                                          # SIOCSIFADDR
    fcntl.ioctl(link, 0x8914, struct.pack("16sh14x", name.encode(), 0x41))  # SIOCSIFFLAGS: up, running
END
printf '127.0.0.1 localhost\n%s api.openai.com\n' "$ADDRESS" >"$WORK/hosts"
mount --bind "$WORK/hosts" /etc/hosts

# authority NAME; certificate HOST
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$WORK/$1.key" \
        -out "$WORK/$1.pem" 2>/dev/null
}
certificate() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$WORK/$1.key" -out "$WORK/$1.csr" 2>/dev/null
    openssl x509 -req -in "$WORK/$1.csr" -CA "$WORK/ca.pem" -CAkey "$WORK/ca.key" -days 2 -out "$WORK/$1.pem" \
        -extfile <(printf 'subjectAltName=DNS:%s\n' "$1") 2>/dev/null
}
authority ca
certificate api.openai.com
certificate api.openai.com.example

# provider HOST_OF_CERTIFICATE: the simulator as api.openai.com
provider() {
    [[ -z $SIM ]] || { kill "$SIM" && wait "$SIM" || true; }
    : >"$WORK/sim.json"
    "$BUILD/bin/sluice-sim" --bind "$ADDRESS" --port 443 --tls-cert "$WORK/$1.pem" --tls-key "$WORK/$1.key" --accept-key "$KEY" \
        --truth-log "$WORK/truth.jsonl" >"$WORK/sim.json" 2>>"$WORK/sim.log" &
    SIM=$!
    for _ in $(seq 100); do
        [[ ! -s $WORK/sim.json ]] || return 0
        sleep 0.05
    done
    fail "the simulator did not start"
}
quickstart() {
    env -i PATH="$PATH" HOME="$WORK" OPENAI_API_KEY="$KEY" timeout 120 "$ROOT/deploy/quickstart.sh" --no-build \
        --build-type "$(basename "$BUILD")" --data-dir "$DATA" --workers 1 --detach "$@" 2>"$WORK/err.log"
}
received() {
    [[ ! -f $WORK/truth.jsonl ]] || wc -l <"$WORK/truth.jsonl"
}

provider api.openai.com
quickstart --gateway-arg "--extra-ca-file=$WORK/ca.pem" >"$WORK/text" || fail "quickstart"
check "no simulator of its own was started" test ! -e "$DATA/run/sim.pid"
before=$(received)
line=$(sed -n '/^ *curl /,$p' "$WORK/text")
check "the printed line is answered by the provider" jq -e '.choices[0].message.content == "You said: Hello"' <<<"$(eval "$line -sS")"
check "one request more has reached it" test "$(received)" = "$((before + 1))"
tail -n 1 "$WORK/truth.jsonl" >"$WORK/record.json"
check "host, path, method and header are right" jq -e --arg key "$KEY" '.host == "api.openai.com" and .path == "/v1/chat/completions"
    and .method == "POST" and .headers.authorization == "Bearer " + $key and .model == "gpt-4o-mini"' "$WORK/record.json"
check "our own key went nowhere" jq -e '.headers | tostring | (contains("slk_") or contains("x-portkey")) | not' "$WORK/record.json"
check "the provider's key is in no log and no file but sealed" test -z "$(grep -rlF "$KEY" "$DATA" || true)"

# Another certificate than the name's, and an authority that nobody trusts: nothing is sent.
status() {
    curl -s -o "$WORK/reply.json" -w '%{http_code}' --max-time 30 "http://127.0.0.1:8787/v1/chat/completions" \
        -H "Authorization: Bearer $(jq -r .workspace_key "$DATA/quickstart.json")" -H 'Content-Type: application/json' \
        -d '{"model":"@openai/gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}'
}
provider api.openai.com.example
check "a certificate of another name is refused" test "$(status)" = 502
provider api.openai.com
check "the right one works again" test "$(status)" = 200
"$ROOT/deploy/quickstart.sh" --stop --data-dir "$DATA" 2>>"$WORK/err.log"
before=$(received)
quickstart >"$WORK/text" || fail "quickstart without the authority"
check "an authority that is not trusted is refused" test "$(status)" = 502
check "and nothing was received" test "$(received)" = "$before"
check "which quickstart has told" grep -q "first call was refused (502)" "$WORK/err.log"
