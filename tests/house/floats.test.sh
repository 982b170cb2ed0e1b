#!/bin/bash
# House rule "floats", see house.py. The check proves itself on planted offences first.
set -euo pipefail
exec python3 "$(dirname "$0")/house.py" floats "$(dirname "$0")/../.."
