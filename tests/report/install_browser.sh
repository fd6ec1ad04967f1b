#!/usr/bin/env bash
# Installs Debian's chromium for the tests of the report; they skip where it is not there.
set -euo pipefail
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
  echo "chromium is not installed, and installing it needs root; the browser tests will be skipped" >&2
  exit 0
fi
run() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
run apt-get update -qq
run apt-get install -y -qq --no-install-recommends chromium
