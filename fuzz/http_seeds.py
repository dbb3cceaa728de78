#!/usr/bin/python3
"""Writes the seeds of corpus/http and corpus/est: fuzz/http_seeds.py FOLDER-OF-CORPORA. The keys of the signing requests are new
every time, and nobody keeps them.
"""
import base64
import pathlib
import subprocess
import sys
import tempfile

EST = "/.well-known/est/"


def message(line, *headers, body=b""):
    lines = [line, "Host: kms", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def signing_request(*key):
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(["openssl", "req", "-new", "-nodes", "-newkey", *key, "-keyout", f"{folder}/key", "-subj", "/CN=mallory",
                               "-addext", "subjectAltName=DNS:kms", "-outform", "DER"],
                              check=True, capture_output=True).stdout


def enrol(what, request, *headers):
    return message(f"POST {EST}{what} HTTP/1.1", "Content-Type: application/pkcs10", "Content-Transfer-Encoding: base64", *headers,
                   body=base64.encodebytes(request))


def main():
    stranger, known = b"\0", b"\1"
    get = message("GET /healthz HTTP/1.1")
    http = {
        "get": stranger + get,
        "two-in-a-row": stranger + get + message("GET /readyz?x=1 HTTP/1.0", "Connection: keep-alive"),
        "body": stranger + message("POST /x HTTP/1.1", body=b"abc") + get,
        "expect": stranger + message("POST /x HTTP/1.1", "Expect: 100-continue", body=b"abc"),
        "chunked": stranger + message("POST /x HTTP/1.1", "Transfer-Encoding: chunked") + b"1\r\na\r\n0\r\n\r\n",
        "two-lengths": stranger + message("POST /x HTTP/1.1", "Content-Length: 1", "Content-Length: 2") + b"ab",
        "length-and-chunks": stranger + message("POST /x HTTP/1.1", "Content-Length: 1", "Transfer-Encoding: chunked") + b"a",
        "signed-length": stranger + message("POST /x HTTP/1.1", "Content-Length: +1") + b"a",
        "long-length": stranger + message("POST /x HTTP/1.1", "Content-Length: 18446744073709551616"),
        "policy-of-a-stranger": stranger + message("POST /admin/v1/policy HTTP/1.1", "Content-Length: 65537"),
        "policy": known + message("POST /admin/v1/policy HTTP/1.1", "Content-Length: 65537") + b"{}",
        "bare-line-feeds": stranger + b"GET / HTTP/1.1\nHost: kms\n\n",
        "folded": stranger + message("GET / HTTP/1.1", "X: a\r\n b"),
        "nul": stranger + message("GET /\0 HTTP/1.1", "X: \0"),
        "absolute": stranger + message("GET http://kms/healthz HTTP/1.1"),
        "close": stranger + message("GET / HTTP/1.1", "Connection: close") + get,
        "tls": stranger + bytes.fromhex("16030100a5010000a10303"),
    }
    elliptic = signing_request("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    rsa = signing_request("rsa:2048")
    basic = "Authorization: Basic " + base64.b64encode(b"alice:token").decode()
    est = {
        "cacerts": message(f"GET {EST}cacerts HTTP/1.1"),
        "csrattrs": message(f"GET {EST}csrattrs HTTP/1.1"),
        "enrol": enrol("simpleenroll", elliptic, basic),
        "enrol-rsa": enrol("simpleenroll", rsa, basic),
        "enrol-without-token": enrol("simpleenroll", elliptic),
        "enrol-for-somebody-else": enrol("simpleenroll", elliptic, "Authorization: Basic " + base64.b64encode(b"bob:token").decode()),
        "renew": enrol("simplereenroll", elliptic),
        "wrong-type": enrol("simpleenroll", elliptic, basic).replace(b"pkcs10", b"json"),
        "wrong-method": message(f"DELETE {EST}simpleenroll HTTP/1.1"),
        "request": elliptic,
        "request-rsa": rsa,
        "request-ed25519": signing_request("ed25519"),
        "request-p521": signing_request("ec", "-pkeyopt", "ec_paramgen_curve:P-521"),
    }
    for corpus, seeds in (("http", http), ("est", est)):
        folder = pathlib.Path(sys.argv[1]) / corpus
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in seeds.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
