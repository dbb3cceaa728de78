#!/usr/bin/env bash
# Builds what the benchmarks need and runs them; see bench/README.md.   bench/run.sh [NAME…] [--json FILE] | --list
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
build=${DARE_BENCH_BUILD:-$root/build/release}
python=$(command -v /usr/bin/python3 || command -v python3)
case " $* " in
  *" --list "* | *" --help "*) exec "$python" "$here/run.py" "$@" ;;
esac
# The quickstart configures the same folder without tests, which some benchmarks borrow from.
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON -DDARE_BENCH=ON >/dev/null
cmake --build "$build" --target dare dare-kms kms_load kms_inproc tls_echo store_insert gcm_speed hsm_seal \
  postgres_insert locate_speed scale_fill >&2
exec "$python" "$here/run.py" --build "$build" "$@"
