#!/usr/bin/env bash
# Formatting of all C++ files, the structure check, and clang-tidy on those that changed (tests aside).
#
#   tools/lint.sh [--all] [BASE]     changed since BASE (default: origin/main, else the commit before); --all: every file
#
# clang-tidy reads compile_commands.json of the dev preset, which is configured here when it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

all=no
if [[ ${1:-} == --all ]]; then
  all=yes
  shift
fi
base=${1:-$(git rev-parse --verify -q origin/main || git rev-parse HEAD~1)}

mapfile -t sources < <(git ls-files -co --exclude-standard '*.h' '*.cc' ':!gen')
clang-format-14 --dry-run -Werror "${sources[@]}"
echo "format: ${#sources[@]} files"

tools/check_structure.py

mapfile -t changed < <(if [[ $all == yes ]]; then git ls-files '*.cc' ':!gen' ':!*_test.cc'
                       else git diff --name-only --diff-filter=d "$base" -- '*.cc' ':!gen' ':!*_test.cc'; fi)
[[ ${#changed[@]} -gt 0 ]] || exit 0
[[ -e build/dev/compile_commands.json ]] || cmake --preset dev >/dev/null
# clang cannot read gcc's precompiled headers, and does not need them.
database=$(mktemp -d)
trap 'rm -rf "$database"' EXIT
sed -E 's/ -Winvalid-pch//; s/ -fpch-preprocess//; s/ -include [^ ]*cmake_pch.hxx//' build/dev/compile_commands.json >"$database/compile_commands.json"
printf '%s\0' "${changed[@]}" | xargs -0 -n 4 -P "$(nproc)" clang-tidy-14 -p "$database" --quiet
echo "clang-tidy: ${#changed[@]} files"
