#!/usr/bin/env bash
# Shows the main job on this machine: a key management server is started, this machine enrols with it, and a real file is
# sealed, opened, given a new key, opened again, and locked for good.
#
#   ./quickstart.sh                 with a file of 256 MiB that it makes
#   ./quickstart.sh FILE            with a copy of FILE sealed; FILE itself is only read
#   ./quickstart.sh --keep          leaves the server running and says how to talk to it
#   ./quickstart.sh --dir DIR       keeps everything in DIR (default: .quickstart beside this script)
#   ./quickstart.sh --bin DIR       takes dare and dare-kms from DIR: installs and builds nothing
#
# Installs the Debian packages that are missing and builds, both only once. Everything else happens in that one directory;
# remove it to forget all of it. It can be run again, and uses the server that an earlier --keep left running.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() { sed -n '2,/^set -e/{s/^# \{0,1\}//;/^set -e/d;p}' "$here/quickstart.sh"; }

keep=no
dir=$here/.quickstart
bin=
file=
while [[ $# -gt 0 ]]; do
  case $1 in
    --keep) keep=yes ;;
    --dir) dir=${2:?--dir needs a directory}; shift ;;
    --bin) bin=$(cd "${2:?--bin needs a directory}" && pwd); shift ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) [[ -z $file ]] || { usage >&2; exit 2; }; file=$1 ;;
  esac
  shift
done
[[ -z $file || -f $file && -r $file ]] || { echo "quickstart: cannot read the file $file" >&2; exit 2; }
mkdir -p -m 700 "$dir"
dir=$(cd "$dir" && pwd)
[[ -z $file ]] || file=$(realpath "$file")

# --- how it talks

if [[ -t 1 ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
say() { printf '  %s\n' "$*"; }
fail() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }
indent() { sed 's/^/  /'; }
# Prints a command as a person would type it, then runs it.
run() {
  local words=${*//$bin\//}
  words=${words//--config $dir\/kms\/kms.toml/--config kms.toml}
  printf '  %s$ %s%s\n' "$dim" "${words//$work\//}" "$plain"
  "$@" 2>&1 | indent
}

# --- build

if [[ -z $bin ]]; then
  cd "$here"
  tools/install_packages.sh build run
  step "Building (build/release; the first time takes some minutes)"
  configured=$(cmake --preset release -DBUILD_TESTING=OFF -DDARE_BENCH=OFF 2>&1) || fail "$configured"
  cmake --build --preset release --target dare dare-kms
  bin=$here/build/release/bin
fi
umask 077
kms=$dir/kms          # the server's: database, token of the HSM, certificates, audit log
client=$dir/client    # this machine's: its key, certificate and configuration
work=$dir/files       # sealed and opened files
export DARE_CONFIG=$client/client.toml

# --- the server

server_pid=
stop_server() {
  [[ -n $server_pid ]] || return 0
  kill "$server_pid" 2>/dev/null || true
  wait "$server_pid" 2>/dev/null || true
  rm -f "$dir/server.pid"
  server_pid=
}
leave() {
  rm -f "$dir/token" "$work"/*.opened
  stop_server
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The server that --keep left running, if it is still ours.
kept_server() {
  local pid
  [[ -s $dir/server.pid ]] && pid=$(<"$dir/server.pid") && [[ $(readlink "/proc/$pid/exe") == "$bin/dare-kms"* ]]
} 2>/dev/null

start_server() {
  rm -f "$dir/ready"
  mkfifo "$dir/ready"
  setsid "$bin/dare-kms" serve --config "$kms/kms.toml" --ready-fd 3 >"$dir/listening" 2>>"$dir/server.log" 3>"$dir/ready" &
  server_pid=$!
  local answer=
  read -r -t 60 answer <"$dir/ready" || true
  rm -f "$dir/ready"
  [[ $answer == ready ]] || { tail -n 5 "$dir/server.log" >&2; fail "the server did not start"; }
  echo "$server_pid" >"$dir/server.pid"
}
port_of() { sed -n "s/^listening $1 .*://p" "$dir/listening"; }

step "1. A key management server, in $kms"
if [[ ! -e $kms/kms.toml ]]; then
  rm -rf "$kms"
  run "$bin/dare-kms" init --dir "$kms" --address 127.0.0.1 --kmip-port 0 --https-port 0
fi
if kept_server; then
  say "running already, process $(<"$dir/server.pid")"
else
  start_server
fi
say "KMIP on 127.0.0.1:$(port_of kmip), enrolment on 127.0.0.1:$(port_of https), log in $dir/server.log"

# --- this machine

step "2. This machine enrols: a one-time token for a certificate"
name=$(hostname | tr -cd 'A-Za-z0-9.-' | cut -c1-60)
"$bin/dare-kms" enroll-token --config "$kms/kms.toml" --name "${name:-this-machine}" >"$dir/token"
run "$bin/dare" enroll "https://127.0.0.1:$(port_of https)" --ca-file "$kms/ca.pem" --token-file "$dir/token" \
  --server "127.0.0.1:$(port_of kmip)" --dir "$client" --force
rm -f "$dir/token"
run "$bin/dare" ping

# --- the file

mkdir -p "$work"
rm -f "$work"/*.dare "$work"/*.opened
if [[ -z $file ]]; then
  file=$work/demo
  [[ $(stat -c %s "$file" 2>/dev/null) == $((256 << 20)) ]] || head -c 256M /dev/urandom >"$file"
fi
sealed=$work/$(basename "$file").dare
opened=$work/$(basename "$file").opened
key=quickstart-$(date +%Y%m%d-%H%M%S)-$$

# The file behind the key blocks: the data, as it lies on the disk.
data_sum() { tail -c +8193 "$sealed" | sha256sum | cut -c1-16; }
key_block_sum() { head -c 8192 "$sealed" | sha256sum | cut -c1-16; }
timed() {
  local start=${EPOCHREALTIME//[.,]/}
  run "$@"
  printf '  %s%d ms%s\n' "$dim" $(((${EPOCHREALTIME//[.,]/} - start) / 1000)) "$plain"
}
open_and_compare() {
  timed "$bin/dare" open --force -o "$opened" "$sealed"
  cmp "$file" "$opened" || fail "what was opened is not what was sealed"
  say "identical to the original"
  rm -f "$opened"
}

step "3. A key in the server, and a file sealed with it ($(numfmt --to=iec "$(stat -c %s "$file")"))"
run "$bin/dare" key create "$key"
timed "$bin/dare" seal --key "$key" -o "$sealed" "$file"

step "4. The three keys, and where each lives"
say "MEK, the master key: in the HSM (here SoftHSM2), sensitive, never extractable"
PIN=$(<"$kms/hsm-pin") SOFTHSM2_CONF=$kms/softhsm2.conf pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so \
  --token-label dare --login --pin env:PIN --list-objects --type secrkey 2>/dev/null | indent
say "KEK, the key encryption key: in the server's database, sealed by the MEK"
run "$bin/dare" key show "$key"
say "DEK, the data encryption key: in front of the data, wrapped; in clear only in memory, while in use"
run "$bin/dare" inspect "$sealed"

step "5. Opened again and compared"
open_and_compare

step "6. A new KEK, without touching the data"
before=$(data_sum) blocks=$(key_block_sum)
run "$bin/dare" key rotate "$key"
timed "$bin/dare" rewrap --key "$key" "$sealed"
[[ $(data_sum) == "$before" ]] || fail "the data changed"
[[ $(key_block_sum) != "$blocks" ]] || fail "the key blocks did not change"
say "data on disk: $before before and after; key blocks: $blocks, now $(key_block_sum)"
open_and_compare

step "7. The KEK is revoked: from now on nobody opens the file, wherever copies of it are"
run "$bin/dare" key revoke "$key"
code=0
run "$bin/dare" open --force -o "$opened" "$sealed" || code=$?
[[ $code -eq 3 && ! -e $opened ]] || fail "the file should have been refused with exit code 3, not $code"
say "refused (exit code 3), and no output was left"
rm -f "$sealed"

step "Done."
say "Every decision is on record: $kms/audit"
if [[ $keep == yes ]] || { [[ -z $server_pid ]] && kept_server; }; then
  server_pid=
  cat <<TEXT
  The server is still running, process $(<"$dir/server.pid"). To talk to it:

    export PATH=$bin:\$PATH DARE_CONFIG=$DARE_CONFIG
    dare key create mine
    dare seal --key mine FILE            # writes FILE.dare
    dare open -o COPY FILE.dare
    dare --help; dare-kms --help

  Another machine or client: dare-kms enroll-token --config $kms/kms.toml --name NAME
  To end it: kill $(<"$dir/server.pid")
TEXT
else
  say "Nothing is left running. ./quickstart.sh --keep leaves the server up; rm -r $dir forgets it all."
  say "A server of your own, for other machines: docs/operations.md"
fi
