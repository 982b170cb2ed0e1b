#!/bin/bash
# House rule "sizes", see house.py. The check proves itself on planted offences first.
set -euo pipefail
exec python3 "$(dirname "$0")/house.py" sizes "$(dirname "$0")/../.."
