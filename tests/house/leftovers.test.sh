#!/bin/bash
# House rule "leftovers", see house.py. The check proves itself on planted offences first.
set -euo pipefail
exec python3 "$(dirname "$0")/house.py" leftovers "$(dirname "$0")/../.."
