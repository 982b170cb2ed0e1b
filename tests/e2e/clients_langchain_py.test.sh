#!/bin/bash
# LangChain for Python from PyPI, unpatched, through the gateway (clients_langchain.py).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" clients_langchain.py
