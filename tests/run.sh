#!/bin/bash
# Installs what is missing, builds the release preset and runs every test, one more at a time than there are processors (they wait a
# lot; TEST_JOBS=1: one by one); ends with ctest's summary and its exit code.
# Arguments go to ctest: tests/run.sh -R house
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/packages.sh
packages_install "${PACKAGES_BUILD[@]}" "${PACKAGES_RUN[@]}" "${PACKAGES_TEST[@]}"
cmake --preset release
cmake --build --preset release
exec ctest --test-dir build/release --output-on-failure -j "${TEST_JOBS:-$(($(nproc) + 1))}" "$@"
