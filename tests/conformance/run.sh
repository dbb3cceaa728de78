#!/usr/bin/env bash
# Plays OASIS's published KMIP conversations against a fresh dare-kms and judges every answer.
#
#   tests/conformance/run.sh                      every case of ../shared/kmip/testcases, in TTLV
#   tests/conformance/run.sh DIR                  every case below DIR (or one file)
#   tests/conformance/run.sh --encoding json DIR  the same over HTTPS, as JSON (or xml, or ttlv-https)
#   tests/conformance/run.sh --draft DIR          the cases of the KMIP 3.0 draft, too
#   tests/conformance/run.sh --fresh DIR          a fresh server for each case (or chain of cases)
#   tests/conformance/run.sh DIR -- ARGUMENT…     the rest goes to dare-kmip-conformance: --match, --report, …
#
# The server lives in a temporary folder, on free ports, with the algorithms old cases need, and is ended at the end.
# Programs are taken from $DARE_BIN, else from the newest build; they are built when there is none.
# DARE_TEST_KEEP=1 keeps the folder. The last line is `N passed, N failed, N skipped`; exit code 1 when a case failed.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)

usage() { sed -n '2,/^set -e/{s/^# \{0,1\}//;/^set -e/d;p}' "$0"; }

encoding=ttlv versions=1.0,1.1,1.2,1.3,1.4,2.0,2.1 draft=false fresh=no cases='' more=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --encoding) encoding=${2:?--encoding needs a word}; shift ;;
    --draft) draft=true versions+=,3.0 ;;
    --fresh) fresh=yes ;;
    --) shift; more=("$@"); break ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) cases=$1 ;;
  esac
  shift
done
cases=${cases:-$root/../shared/kmip/testcases}
if [[ ! -e $cases ]]; then
  echo "SKIPPED: $cases is absent; no case was played"
  echo "0 passed, 0 failed, 0 skipped"
  exit 77
fi
for tool in curl openssl softhsm2-util; do
  command -v "$tool" >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 77; }
done

# --- programs -------------------------------------------------------------------------------------
bin=${DARE_BIN:-}
if [[ -z $bin ]]; then
  newest=$(ls -t "$root"/build/*/bin/dare-kmip-conformance 2>/dev/null | head -1 || true)
  if [[ -z $newest ]]; then
    (cd "$root" && tools/install_packages.sh build run && cmake --preset dev >/dev/null &&
      cmake --build --preset dev --parallel --target dare-kms dare-kmip-conformance) >&2
    newest=$root/build/dev/bin/dare-kmip-conformance
  fi
  bin=$(dirname "$newest")
fi

# --- a server that was set up once ------------------------------------------------------------------
home=$(mktemp -d)
server=
finish() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  if [[ -n ${DARE_TEST_KEEP:-} ]]; then echo "kept: $home"; else rm -rf "$home"; fi
}
trap finish EXIT
fail() { echo "error: $*" >&2; cat "$home/log" >&2 2>/dev/null || true; exit 1; }

"$bin/dare-kms" init --dir "$home/kms" --address 127.0.0.1 --kmip-port 0 --https-port 0 >"$home/init" || fail "init"
config=$home/kms/kms.toml
"$bin/dare-kms" make-certify-authority --config "$config" --rsa --name "CN=KMIP,OU=OASIS,O=TEST,C=US" >>"$home/init" ||
  fail "make-certify-authority"
# What conformance needs and a server in use should not have; the vendor's texts of the cases' C_GetInfo.
sed -i -e '1i allow_legacy_algorithms = true' \
  -e "s/^\[kmip\]/&\nkmip_3_0 = $draft/" \
  -e '/^kmip_3_0 = false/d' "$config"
cat >>"$config" <<'END'

[pkcs11]
manufacturer = "TEST      Pty Ltd"
description = "TEST"

# The mandatory cases name it as the generator of new keys.
[crypto]
random_generator = "ansi-x9.31"

# TC-134 has a certificate made, by the authority that its answers name.
[certify]
certificate = "certify.pem"
clients = ["*"]

# The fourth client is told of its objects on its connection, for the cases in which the server asks.
[push]
clients = ["client-push"]
put = ["client-push"]

# The cases say where they begin, and name users that nobody added.
[conformance]
insecure = true
interop = true
accept_any_user = true

# TC-151 finds fresh keys in this group, which it did not put there.
[groups.default]
END

kmip='' https=''
start() { # sets server, kmip and https
  exec 3< <(exec "$bin/dare-kms" serve --config "$config" 2>>"$home/log")
  server=$!
  local word rest
  kmip='' https=''
  while [[ -z $kmip || -z $https ]] && read -r word rest <&3; do
    [[ $word == listening ]] || continue
    [[ ${rest%% *} == kmip ]] && kmip=${rest##* } || https=${rest##* }
  done
  [[ -n $kmip && -n $https ]] || fail "the server did not start"
}

# --- the clients A, B and C, by EST as in RFC 7030 ----------------------------------------------------
# Three machines with a certificate each, and one name: they act for the same owner, as the cases expect (B revokes and
# re-keys what A made, which the default policy gives to owners only). The fourth has a name of its own.
enrol() { # file name
  local token
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$home/$1.key" \
    -subj "/CN=$2" -outform DER -out "$home/$1.csr" 2>>"$home/log"
  token=$("$bin/dare-kms" enroll-token --config "$config" --name "$2" | tail -1)
  openssl base64 -in "$home/$1.csr" |
    curl --silent --show-error --fail --cacert "$home/kms/ca.pem" --user "$2:$token" --data-binary @- \
      -H 'Content-Type: application/pkcs10' -H 'Content-Transfer-Encoding: base64' \
      "https://$https/.well-known/est/simpleenroll" 2>>"$home/log" |
    openssl base64 -d | openssl pkcs7 -inform DER -print_certs -out "$home/$1.crt" || fail "cannot enrol $1"
}

start
identities=()
for name in client-a client-b client-c client-push; do
  if [[ $name == client-push ]]; then enrol "$name" "$name"; else enrol "$name" tester; fi
  identities+=(--cert "$home/$name.crt" --key "$home/$name.key")
done

# --- the cases ----------------------------------------------------------------------------------------
judge=("$bin/dare-kmip-conformance" --cases "$cases" --encoding "$encoding" --versions "$versions"
  --ca "$home/kms/ca.pem" "${identities[@]}" "${more[@]}")
status=0
if [[ $fresh == no ]]; then
  "${judge[@]}" --server "$kmip" --https "$https" || status=$?
else
  kill "$server"; wait "$server" 2>/dev/null || true
  server=
  # Each server is a copy of the folder that was set up; copying is quicker than making keys.
  cat >"$home/fresh.sh" <<END
copy=\$(mktemp -d "$home/copy-XXXXXX")
cp -r "$home/kms" "\$copy/kms"
sed -i "s|$home/kms|\$copy/kms|g" "\$copy"/kms/*.toml "\$copy"/kms/*.conf
exec "$bin/dare-kms" serve --config "\$copy/kms/kms.toml" 2>>"$home/log"
END
  "${judge[@]}" --server-cmd "exec sh $home/fresh.sh" --jobs "$(nproc)" || status=$?
fi
exit "$status"
