#!/bin/bash
# House rule "includes", see house.py. The check proves itself on planted offences first.
set -euo pipefail
exec python3 "$(dirname "$0")/house.py" includes "$(dirname "$0")/../.."
