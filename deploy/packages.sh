# packages.sh: the Debian packages Sluice needs, and their installation. Sourced by quickstart.sh and tests/run.sh.
#
#   . deploy/packages.sh
#   packages_install "${PACKAGES_BUILD[@]}" "${PACKAGES_TEST[@]}"
#
# An entry is PACKAGE, or PACKAGE=COMMAND: then nothing is installed when the command exists, whoever provided it. Only what is missing
# is installed; with nothing missing no network and no root are needed. Debian 12 (bookworm) is what is tested.

PACKAGES_BUILD=(
    cmake=cmake ninja-build=ninja gcc=gcc pkg-config=pkg-config protobuf-c-compiler=protoc-c
    libc6-dev libprotobuf-c-dev libsodium-dev libssl-dev libcurl4-openssl-dev liblmdb-dev zlib1g-dev
    libnng-dev libcivetweb-dev node-llhttp ca-certificates
)
PACKAGES_RUN=(curl=curl jq=jq openssl=openssl)
PACKAGES_CONSOLE=(nodejs=node npm=npm)
PACKAGES_TEST=(
    libcriterion-dev libjansson-dev git=git curl=curl jq=jq openssl=openssl
    python3=python3 python3-venv nodejs=node npm=npm iproute2=ip chromium=chromium fonts-dejavu-core
    clang=clang libclang-rt-14-dev llvm-14 # fuzzing, sanitizers and readable traces of what they find
)

# Prints the packages of its arguments that are missing, one a line.
packages_missing() {
    local entry
    for entry in "$@"; do
        if [[ $entry == *=* ]] && command -v "${entry#*=}" >/dev/null 2>&1; then
            continue
        fi
        if [[ $(dpkg-query -W -f '${db:Status-Status}' "${entry%%=*}" 2>/dev/null) != installed ]]; then
            printf '%s\n' "${entry%%=*}"
        fi
    done
}

# Installs what is missing. Fails with the command line to run when we may not.
packages_install() {
    local missing as_root=()
    mapfile -t missing < <(packages_missing "$@" | sort -u)
    if ((${#missing[@]} == 0)); then
        return 0
    fi
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "missing packages; as root: apt-get install -y --no-install-recommends ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "installing: ${missing[*]}" >&2
    "${as_root[@]}" apt-get update -q >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
}
