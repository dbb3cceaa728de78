#!/bin/sh
# install.sh BUILD_FOLDER: puts the scripts of this folder and the pinned npm packages into the build folder; the packages
# once. Exit code 77 (skipped) where node or npm is missing or the registry cannot be reached.
set -eu
build=$1
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)

skip() {
  echo "SKIPPED: $1" >&2
  exit 77
}
command -v node >/dev/null || skip "node is not installed (Debian: nodejs)"
command -v npm >/dev/null || skip "npm is not installed (Debian: npm)"

mkdir -p "$build"
cp "$here/package.json" "$here/package-lock.json" "$here"/*.mjs "$build/"
if ! cmp -s "$here/package-lock.json" "$build/installed-lock.json"; then
  (cd "$build" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error) ||
    skip "npm could not install the packages of $here/package-lock.json"
  cp "$here/package-lock.json" "$build/installed-lock.json"
fi
