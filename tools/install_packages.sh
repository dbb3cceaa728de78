#!/usr/bin/env bash
# Installs the Debian packages of packaging/debian-packages.txt that are missing, and only those.
#
#   tools/install_packages.sh [--print] PART…      PART: build, run, test, lint, fuzz, bench
#
# Needs root or sudo only when something is missing. --print names what is missing and installs nothing.
set -euo pipefail
list=$(dirname "$0")/../packaging/debian-packages.txt

print_only=no
if [[ ${1:-} == --print ]]; then
  print_only=yes
  shift
fi
[[ $# -gt 0 ]] || { echo "usage: ${0##*/} [--print] PART..." >&2; exit 2; }

# The lines "PACKAGE [COMMAND]" of one part.
part() {
  awk -v wanted="[$1]" '/^#/ || NF == 0 { next } /^\[/ { here = ($1 == wanted); known = known || here; next }
       here { print } END { exit !known }' "$list" || { echo "no part '$1' in $list" >&2; exit 2; }
}

is_installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

missing=()
for name in "$@"; do
  lines=$(part "$name")
  while read -r package command; do
    is_installed "$package" || { [[ -n $command ]] && command -v "$command" >/dev/null; } || missing+=("$package")
  done <<<"$lines"
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

if [[ $print_only == yes ]]; then
  printf '%s\n' "${missing[@]}"
  exit 0
fi
as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || { echo "missing, and neither root nor sudo to install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "installing: ${missing[*]}"

# Packages bring servers along (PostgreSQL, etcd, …). The tests start their own: nothing is started here, and no
# PostgreSQL cluster made, unless this machine has rules of its own for that.
undo=()
if [[ ! -e /usr/sbin/policy-rc.d ]]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
  "${as_root[@]}" chmod 755 /usr/sbin/policy-rc.d
  undo+=(/usr/sbin/policy-rc.d)
fi
if [[ ${missing[*]} == *postgresql* && ! -e /etc/postgresql-common/createcluster.conf ]]; then
  "${as_root[@]}" mkdir -p /etc/postgresql-common
  echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
remove_policy() { [[ ${#undo[@]} -eq 0 ]] || "${as_root[@]}" rm -f "${undo[@]}"; }
trap remove_policy EXIT

"${as_root[@]}" apt-get update -q >/dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
  -o Dpkg::Options::=--force-confold "${missing[@]}" >/dev/null
