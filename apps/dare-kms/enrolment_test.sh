#!/usr/bin/env bash
# Enrolment as a user without our client does it: curl and openssl alone, RFC 7030.
#   enrolment_test.sh PATH-OF-DARE-KMS
# Exit code 77: something that it needs is not installed.
set -euo pipefail
kms=$1
for tool in curl openssl softhsm2-util; do
  command -v "$tool" >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 77; }
done
dir=$(mktemp -d)
pid=
finish() {
  if [[ -n $pid ]]; then  # no child of this shell; until its end it writes into the folder
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  fi
  rm -rf "$dir"
}
trap finish EXIT
fail() { echo "FAILED: $*"; cat "$dir/err" 2>/dev/null || true; exit 1; }
expect() { [[ $1 == "$2" ]] || fail "$3: got '$1', expected '$2'"; }

# --- init -------------------------------------------------------------------------------------
"$kms" init --dir "$dir/kms" --address 127.0.0.1 --kmip-port 0 --https-port 0 >"$dir/init"
conf=$dir/kms/kms.toml
for private in kms.toml server.key hsm-pin hsm-so-pin softhsm2.conf enrolment.db; do
  expect "$(stat -c %a "$dir/kms/$private")" 600 "mode of $private"
done
expect "$(stat -c %a "$dir/kms")" 700 "mode of the folder"
before=$(cd "$dir/kms" && find . -type f -exec sha256sum {} + | sort)
if "$kms" init --dir "$dir/kms" >"$dir/again" 2>&1; then fail "a second init was not refused"; fi
grep -q "exists; nothing was changed" "$dir/again" || fail "a second init does not say why"
expect "$(cd "$dir/kms" && find . -type f -exec sha256sum {} + | sort)" "$before" "a refused init"
"$kms" check-config --config "$conf" >/dev/null || fail "check-config"

# --- serve ------------------------------------------------------------------------------------
start() {
  exec 3< <("$kms" serve --config "$conf" 2>>"$dir/err" & echo "pid $!"; wait)
  local word rest
  while read -r word rest <&3; do
    case $word in
      pid) pid=$rest ;;
      listening) [[ ${rest%% *} == kmip ]] && kmip=${rest##*:} || { https=${rest##*:}; break; } ;;
    esac
  done
  [[ -n ${https:-} ]] || fail "no port was told"
}
start
est=https://localhost:$https/.well-known/est
ca=(--silent --cacert "$dir/kms/ca.pem")
type=(-H 'Content-Type: application/pkcs10' -H 'Content-Transfer-Encoding: base64')
for path in healthz readyz; do
  curl "${ca[@]}" --fail "https://127.0.0.1:$https/$path" | grep -q '^{"status":"ok"' || fail "$path"
done

# --- cacerts: RFC 7030, 4.1 ---------------------------------------------------------------------
curl "${ca[@]}" -D "$dir/head" "$est/cacerts" | openssl base64 -d |
  openssl pkcs7 -inform DER -print_certs -out "$dir/ca.pem"
grep -qi '^content-type: application/pkcs7-mime' "$dir/head" || fail "type of cacerts"
grep -qi '^content-transfer-encoding: base64' "$dir/head" || fail "encoding of cacerts"
expect "$(openssl x509 -in "$dir/ca.pem" -noout -fingerprint)" \
  "$(openssl x509 -in "$dir/kms/ca.pem" -noout -fingerprint)" "the CA certificate"

# --- csrattrs: 4.5 ------------------------------------------------------------------------------
curl "${ca[@]}" -D "$dir/head" "$est/csrattrs" | openssl base64 -d -out "$dir/attributes"
grep -qi '^content-type: application/csrattrs' "$dir/head" || fail "type of csrattrs"
expect "$(openssl asn1parse -inform DER -in "$dir/attributes" | sed -n 's/.*OBJECT *://p' | tr '\n' ' ')" \
  "id-ecPublicKey prime256v1 ecdsa-with-SHA256 " "csrattrs"

# --- simpleenroll: 4.2 --------------------------------------------------------------------------
request() { # name of the files, openssl's words for the key
  openssl req -new -newkey "${@:2}" -nodes -keyout "$dir/$1.key" -subj "/CN=root/OU=dare-administrator" \
    -outform DER 2>/dev/null | openssl base64 >"$dir/$1.csr"
}
enrol() { # user:password, file; prints the status, leaves the answer in $dir/answer
  curl "${ca[@]}" -u "$1" "${type[@]}" --data-binary @"$dir/$2.csr" -o "$dir/answer" -D "$dir/head" \
    -w '%{http_code}' "$est/simpleenroll"
}
certificate() { openssl base64 -d -in "$dir/answer" | openssl pkcs7 -inform DER -print_certs -out "$1"; }
token() { "$kms" enroll-token --config "$conf" "$@"; }

request alice ec -pkeyopt ec_paramgen_curve:P-256
expect "$(curl "${ca[@]}" "${type[@]}" --data-binary @"$dir/alice.csr" -o /dev/null -D "$dir/head" \
  -w '%{http_code}' "$est/simpleenroll")" 401 "enrolment without a token"
grep -qi '^www-authenticate: basic' "$dir/head" || fail "no challenge"
t=$(token --name alice)
expect "$(enrol ":${t/[0-9]/x}" alice)" 401 "a wrong token"
expect "$(enrol "bob:$t" alice)" 401 "a token of somebody else"
expect "$(curl "${ca[@]}" -u ":$t" --data-binary @"$dir/alice.csr" -o /dev/null -w '%{http_code}' \
  "$est/simpleenroll")" 415 "a wrong content type"
echo AAAA >"$dir/garbage.csr"
expect "$(enrol ":$t" garbage)" 400 "a request that is none"
request weak rsa:1024
expect "$(enrol ":$t" weak)" 400 "a weak key"
expect "$(enrol "alice:$t" alice)" 200 "enrolment, after refusals that do not use the token up"
grep -qi '^content-type: application/pkcs7-mime; smime-type=certs-only' "$dir/head" || fail "type"
certificate "$dir/alice.pem"
openssl verify -CAfile "$dir/kms/ca.pem" -purpose sslclient "$dir/alice.pem" >/dev/null || fail verify
expect "$(openssl x509 -in "$dir/alice.pem" -noout -subject -nameopt RFC2253)" \
  "subject=CN=alice,OU=dare-client" "the subject comes from the token, not from the request"
expect "$(enrol ":$t" alice)" 401 "a token that is used up"
request rsa rsa:2048
expect "$(enrol ":$(token --name carol --role administrator --group blue)" rsa)" 200 "an RSA key"
certificate "$dir/carol.pem"
expect "$(openssl x509 -in "$dir/carol.pem" -noout -subject -nameopt RFC2253)" \
  "subject=CN=carol,OU=blue,OU=dare-administrator" "role and group"
t=$(token --name dora --ttl 1s)
until [[ $(enrol ":$t" garbage) == 401 ]]; do :; done # expired: not even looked at

# --- simplereenroll: 4.2.2 ----------------------------------------------------------------------
request alice2 ec -pkeyopt ec_paramgen_curve:P-384
renew() { # certificate and key
  curl "${ca[@]}" --cert "$1" --key "$2" "${type[@]}" --data-binary @"$dir/alice2.csr" \
    -o "$dir/answer" -w '%{http_code}' "$est/simplereenroll" || true
}
expect "$(curl "${ca[@]}" "${type[@]}" --data-binary @"$dir/alice2.csr" -o /dev/null \
  -w '%{http_code}' "$est/simplereenroll")" 401 "renewal without a certificate"
expect "$(renew "$dir/alice.pem" "$dir/alice.key")" 200 renewal
certificate "$dir/alice2.pem"
expect "$(openssl x509 -in "$dir/alice2.pem" -noout -subject -nameopt RFC2253)" \
  "subject=CN=alice,OU=dare-client" "the renewed subject"

# --- HTTP ---------------------------------------------------------------------------------------
status() { curl "${ca[@]}" -o /dev/null -w '%{http_code}' "$@" || true; }
expect "$(status "https://localhost:$https/nothing")" 404 "an unknown path"
expect "$(status -X DELETE "$est/cacerts")" 405 "a wrong method"
expect "$(status -H "X: $(head -c 20000 /dev/zero | tr '\0' a)" "$est/cacerts")" 431 "a long header"
head -c 100000 /dev/zero >"$dir/long"
expect "$(status -H 'Expect:' --data-binary @"$dir/long" "$est/simpleenroll")" 413 "a long body"
garbage=$(printf '\x01\x02garbage\r\n\r\n' |
  timeout 10 openssl s_client -quiet -connect "localhost:$https" -CAfile "$dir/kms/ca.pem" 2>/dev/null || true)
[[ $garbage == "HTTP/1.1 400"* ]] || fail "garbage: $garbage"

# --- KMIP port: alerts and revocation --------------------------------------------------------------
tls() { # what s_client says of a connection with these options, one word
  local out
  # A read is needed to see what TLS 1.3 says after the handshake; the server closes on what is no KMIP.
  out=$(printf 'no-kmip!' | timeout 10 openssl s_client -quiet -connect "127.0.0.1:$kmip" \
    -CAfile "$dir/kms/ca.pem" "$@" 2>&1 || true)
  sed -n 's/.*alert \(.*\):\.\.\/ssl.*/\1/p' <<<"$out" | head -n 1
}
expect "$(tls)" "certificate required" "no certificate"
expect "$(tls -cert "$dir/alice.pem" -key "$dir/alice.key")" "" "a good certificate"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/own.key" \
  -out "$dir/own.pem" -subj /CN=alice -days 1 2>/dev/null
expect "$(tls -cert "$dir/own.pem" -key "$dir/own.key")" "unknown ca" "another CA's certificate"
serial=$(openssl x509 -in "$dir/alice.pem" -noout -serial)
"$kms" revoke-certificate --config "$conf" --serial "${serial#serial=}" >/dev/null
expect "$(tls -cert "$dir/alice.pem" -key "$dir/alice.key")" "certificate revoked" "a revoked certificate"
expect "$(tls -tls1_2 -cert "$dir/alice.pem" -key "$dir/alice.key")" "certificate revoked" "the same by 1.2"
expect "$(renew "$dir/alice.pem" "$dir/alice.key")" 000 "renewal of a revoked certificate"
expect "$(tls -cert "$dir/alice2.pem" -key "$dir/alice2.key")" "" "the renewed one is good"
"$kms" revoke-certificate --config "$conf" --name alice >/dev/null
expect "$(tls -cert "$dir/alice2.pem" -key "$dir/alice2.key")" "certificate revoked" "a revoked name"
"$kms" certificates --config "$conf" >"$dir/list"
expect "$(grep -c ' revoked .* alice ' "$dir/list")" 2 "certificates"

# --- audit, stop and start --------------------------------------------------------------------------
for word in '"operation":"enrol"' '"operation":"connect"' 'certificate revoked' 'no client certificate' \
  'unknown authority'; do
  grep -qr -- "$word" "$dir/kms/audit" || fail "not in the audit log: $word"
done
! grep -qr "$t" "$dir/kms" || fail "a token is on disk"
kill -TERM "$pid"
while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
pid=
"$kms" renew-server-certificate --config "$conf" --server-name kms.example.org >/dev/null || fail renewal
openssl verify -CAfile "$dir/kms/ca.pem" -verify_hostname kms.example.org "$dir/kms/server.pem" >/dev/null ||
  fail "a new name in the server's certificate"
openssl verify -CAfile "$dir/kms/ca.pem" -verify_ip ::1 "$dir/kms/server.pem" >/dev/null ||
  fail "the old names in the server's certificate"
expect "$(stat -c %a "$dir/kms/server.key")" 600 "mode of the new key"
sed -i 's/^port = 0/prot = 0/' "$conf"
if "$kms" serve --config "$conf" >/dev/null 2>"$dir/err"; then fail "an unknown key was accepted"; fi
grep -q "kms.toml:[0-9]*: unknown key 'kmip.prot'" "$dir/err" || fail "an unknown key is not named"
grep -q '^dare-kms: error: ' "$dir/err" && grep -q '^dare-kms: hint: ' "$dir/err" || fail "message"
sed -i 's/^prot = 0/port = 0/' "$conf"
chmod 644 "$dir/kms/hsm-pin"
if "$kms" serve --config "$conf" >/dev/null 2>"$dir/err"; then fail "a PIN for all was accepted"; fi
grep -q 'chmod 600' "$dir/err" || fail "the PIN file is not named"
chmod 600 "$dir/kms/hsm-pin"
start
expect "$(tls -cert "$dir/alice2.pem" -key "$dir/alice2.key")" "certificate revoked" "after a restart"
echo "enrolment with curl and openssl: all good"
