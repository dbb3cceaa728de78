#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test.
#
#   ./test.sh                  everything
#   ./test.sh --fast           what a person runs while working: without the tests labelled slow
#   ./test.sh --lint           formatting and clang-tidy instead of tests (tools/lint.sh)
#   ./test.sh --preset NAME    another build of CMakePresets.json: asan, tsan, release, coverage (default: dev)
#   ./test.sh -- ARGUMENT…     the rest goes to ctest, for example: ./test.sh -- -R envelope
#
# The build stays in build/NAME, so that a second run is quick. With CI=true warnings are errors.
set -euo pipefail
cd "$(dirname "$0")"

usage() { sed -n '2,/^set -e/{s/^# \{0,1\}//;/^set -e/d;p}' "$0"; }

preset=dev
fast=no
ctest_arguments=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --fast) fast=yes ;;
    --lint)
      tools/install_packages.sh build test lint
      exec tools/lint.sh
      ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --) shift; ctest_arguments=("$@"); break ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

tools/install_packages.sh build run test

warnings_as_errors=OFF
[[ ${CI:-} != true ]] || warnings_as_errors=ON
jobs=$(nproc)
started=$SECONDS
configured=$(cmake --preset "$preset" -DDARE_WERROR="$warnings_as_errors" 2>&1) || { echo "$configured"; exit 1; }
cmake --build --preset "$preset" --parallel "$jobs"
echo "built in $((SECONDS - started)) s"

[[ $fast == no ]] || ctest_arguments+=(--label-exclude slow)
report=build/$preset/tests.xml
rm -f "$report"
status=0
ctest --test-dir "build/$preset" --parallel "$jobs" --output-on-failure --no-tests=error \
  --output-junit "$PWD/$report" "${ctest_arguments[@]}" || status=$?

# ctest's own summary stands above; the plain one comes from its report.
tools/summarise_tests.py "$report" || status=1
exit "$status"
