"""An issuer of OpenID Connect tokens for tests: keys and signatures by the openssl program, and its JWK Set over HTTPS."""
import base64
import http.server
import json
import ssl
import subprocess
import threading
import time


KEYS = {"RS256": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        "PS256": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        "ES256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "EdDSA": ("-algorithm", "ED25519")}


def base64url(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*words, stdin=b""):
    return subprocess.run(["openssl", *map(str, words)], input=stdin, capture_output=True, timeout=60, check=True).stdout


def raw_signature(der):
    """R || S of a DER signature for P-256."""
    numbers, at = [], 2
    for _ in range(2):
        size = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + size], "big").to_bytes(32, "big"))
        at += 2 + size
    return b"".join(numbers)


class Key:
    """A key of the issuer, in a file."""

    def __init__(self, folder, algorithm, kid):
        self.algorithm, self.kid = algorithm, kid
        self.file = folder / f"{kid}.pem"
        openssl("genpkey", *KEYS[algorithm], "-out", self.file)
        self.public = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")

    def jwk(self):
        key = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "ES256":
            return {**key, "kty": "EC", "crv": "P-256", "x": base64url(self.public[-64:-32]), "y": base64url(self.public[-32:])}
        if self.algorithm == "EdDSA":
            return {**key, "kty": "OKP", "crv": "Ed25519", "x": base64url(self.public[-32:])}
        modulus = openssl("rsa", "-pubin", "-inform", "DER", "-modulus", "-noout", stdin=self.public)
        return {**key, "kty": "RSA", "n": base64url(bytes.fromhex(modulus.decode().strip().split("=")[1])), "e": "AQAB"}

    def sign(self, data):
        if self.algorithm == "EdDSA":
            message = self.file.with_suffix(".message")
            message.write_bytes(data)
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.file, "-in", message)
        pss = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest") if self.algorithm == "PS256" else ()
        signature = openssl("dgst", "-sha256", "-sign", self.file, *pss, stdin=data)
        return raw_signature(signature) if self.algorithm == "ES256" else signature

    def token(self, claims, **header):
        """A whole token; `header` adds to alg and kid, or replaces them."""
        head = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT", **header}
        text = f"{base64url(head)}.{base64url(claims)}"
        return f"{text}.{base64url(self.sign(text.encode()))}"


def claims(issuer, audience, subject, seconds=300, **more):
    now = int(time.time())
    return {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + seconds, **more}


class KeyServer:
    """The issuer's JWK Set over HTTPS, on a free port of the loopback; counts who asks."""

    def __init__(self, folder):
        self.keys, self.asked, self.status = [], 0, 200
        self.ca = folder / "issuer-ca.pem"
        key = folder / "issuer-server.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                self.ca, "-days", "2", "-subj", "/CN=issuer", "-addext", "subjectAltName=IP:127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, key)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                body = json.dumps({"keys": [k.jwk() for k in outer.keys]}).encode()
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.server.server_port}/jwks"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def write_key_set(file, *keys):
    file.write_text(json.dumps({"keys": [k.jwk() for k in keys]}), "utf-8")
