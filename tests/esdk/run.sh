#!/bin/sh
# run.sh PROGRAM BUILD_FOLDER [SCRIPT]: runs SCRIPT (interop.mjs) with PROGRAM in the build folder, after install.sh.
set -eu
tool=$1
build=$2
script=${3:-interop.mjs}
"$(dirname -- "$0")/install.sh" "$build"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
node "$build/$script" "$tool" "$work"
