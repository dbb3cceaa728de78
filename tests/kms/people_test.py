#!/usr/bin/python3
"""People who administer by a token of OpenID Connect, against a local issuer: who they are, what the policy makes of their groups,
and every token that must not be taken: of another audience or issuer, expired, by another key, unsigned, with the public key as an
HMAC secret, of somebody locked out. Tokens are in no log.
"""
import hashlib
import hmac
import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, issuer, kms  # noqa: E402

ISSUER, AUDIENCE = "https://id.example/realm", "opendare"
DONE, FAILED, USAGE, DENIED, UNREACHABLE, DAMAGED = range(6)
POLICY = """format = 1
[[domain]]
name = "default"
[[domain.group]]
name = "auditors"
certificates = true
[domain.roles]
custodian = ["principal:carol"]
auditor = ["group:auditors"]
client = ["principal:*"]

[[domain]]
name = "tenant"
members = ["people/tenant-*"]
[[domain.group]]
name = "auditors"
certificates = true
[domain.roles]
custodian = ["principal:people/tenant-keeper"]
auditor = ["group:auditors"]
"""


class PeopleTest(fixture.KmsTest):
    clients = ()

    @classmethod
    def configure_server(cls, server):
        cls.folder = server.home / "issuer"
        cls.folder.mkdir()
        server.configure("", "administrators", ["people/root"])
        with open(server.config_file, "a", encoding="utf-8") as config:
            config.write(f'\n[oidc]\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\nname = "people/*"\ngroups_claim = "groups"\n'
                         f'skew_seconds = 5\n{cls.keys_of_issuer()}\n[oidc.groups]\n"kms/auditors" = "auditors"\n')

    def token(self, subject, key=None, seconds=300, **more):
        return (key or self.key).token(issuer.claims(ISSUER, AUDIENCE, subject, seconds, **more))

    def dare(self, token, *words, check=True):
        """`dare WORDS` by who shows the token; the certificate that client.toml names is not there."""
        file = self.kms.clients / "person.token"
        file.write_text(token + "\n", "ascii")
        file.chmod(0o600)
        config = self.kms.clients / "person.toml"
        config.write_text(f'servers = ["127.0.0.1:{self.kms.kmip[1]}"]\nca_file = "{self.kms.ca}"\ncertificate_file = "none.crt"\n'
                          f'key_file = "none.key"\nenrolment_url = "https://127.0.0.1:{self.kms.https[1]}"\n', "utf-8")
        return kms.run([self.kms.programs.dare, *words, "--token-file", file, "--config", config], check=check)

    def assert_refused(self, token, *words):
        done = self.dare(token, *(words or ("admin", "policy", "history")), check=False)
        self.assertEqual(done.returncode, DENIED, done.stdout + done.stderr)
        return done.stderr


class People(PeopleTest):
    @classmethod
    def keys_of_issuer(cls):
        cls.by_algorithm = {name: issuer.Key(cls.folder, name, f"key-{name}") for name in issuer.KEYS}
        cls.key = cls.by_algorithm["ES256"]
        issuer.write_key_set(cls.folder / "jwks.json", *cls.by_algorithm.values())
        return f'jwks_file = "{cls.folder / "jwks.json"}"'

    def setUp(self):
        super().setUp()
        self.root = self.token("root")
        file = self.folder / "policy.toml"
        file.write_text(POLICY, "utf-8")
        self.dare(self.root, "admin", "policy", "apply", file)

    def test_every_algorithm_and_the_name_that_is_configured(self):
        for name, key in self.by_algorithm.items():
            with self.subTest(algorithm=name):
                self.dare(self.token("root", key), "admin", "policy", "show")
        self.assertTrue(self.kms.audit_has("apply policy", '"people/root"', "administrator, by token"))

    def test_an_auditor_by_a_group_looks_and_changes_nothing(self):
        ann = self.token("ann", groups=["x", "kms/auditors"])
        versions = json.loads(self.dare(ann, "admin", "policy", "history", "--json").stdout)["versions"]
        self.assertTrue(versions)
        self.dare(ann, "admin", "lockouts")
        self.dare(ann, "admin", "explain", "carol", "Create")
        self.assertTrue(self.kms.audit_has('"people/ann"', "auditor, by token"))
        file = self.folder / "policy.toml"
        for words in (("admin", "policy", "apply", file), ("admin", "lockout", "carol"), ("admin", "unlock", "carol"),
                      ("kms", "seal"), ("kms", "unseal"), ("hsm", "rotate")):
            with self.subTest(words=words):
                self.assertIn("administrator role", self.assert_refused(ann, *words))
        self.assertEqual(json.loads(self.dare(ann, "admin", "policy", "history", "--json").stdout)["versions"], versions)
        self.assertEqual(json.loads(self.dare(ann, "admin", "lockouts", "--json").stdout)["lockouts"], [])

    def test_without_the_group_or_in_a_tenants_domain_nobody_looks(self):
        self.assert_refused(self.token("ann"))
        self.assert_refused(self.token("ann", groups=["auditors"]))  # their name for it is another
        self.assert_refused(self.token("tenant-ann", groups=["kms/auditors"]))

    def test_tokens_that_are_not_for_us_or_not_now(self):
        for what, token in {
                "another audience": self.key.token(issuer.claims(ISSUER, "other", "root")),
                "audiences without us": self.key.token(issuer.claims(ISSUER, ["other", "opendare2"], "root")),
                "no audience": self.key.token({k: v for k, v in issuer.claims(ISSUER, "x", "root").items() if k != "aud"}),
                "another issuer": self.key.token(issuer.claims(ISSUER + "/", AUDIENCE, "root")),
                "expired": self.token("root", seconds=-6),
                "for too long": self.token("root", seconds=10 ** 6),
                "without an end": self.key.token({k: v for k, v in issuer.claims(ISSUER, AUDIENCE, "root").items() if k != "exp"}),
                "not yet": self.token("root", nbf=2 ** 33),
                "a name with a line": self.token("root\n"),
        }.items():
            with self.subTest(what):
                self.assertIn("not accepted", self.assert_refused(token))
        self.dare(self.key.token(issuer.claims(ISSUER, ["other", AUDIENCE], "root")), "admin", "policy", "show")

    def test_tokens_that_the_issuer_did_not_sign(self):
        good = issuer.claims(ISSUER, AUDIENCE, "root")
        thief = issuer.Key(self.folder, "ES256", "thief")
        head, body, signature = self.root.split(".")
        public = issuer.openssl("pkey", "-in", self.by_algorithm["RS256"].file, "-pubout")

        def by_hmac(secret):
            text = f'{issuer.base64url({"alg": "HS256", "kid": "key-RS256"})}.{issuer.base64url(good)}'
            return f"{text}.{issuer.base64url(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"
        for what, token in {
                "another key under its name": thief.token(good, kid=self.key.kid),
                "another key, shown in the token": thief.token(good, kid=self.key.kid, jwk=thief.jwk()),
                "a key nobody knows": thief.token(good),
                "unsigned": f'{issuer.base64url({"alg": "none"})}.{issuer.base64url(good)}.',
                "unsigned, of a good key": f'{issuer.base64url({"alg": "none", "kid": self.key.kid})}.{body}.{signature}',
                "the public key (PEM) as a secret": by_hmac(public),
                "the public key (DER) as a secret": by_hmac(self.by_algorithm["RS256"].public),
                "one algorithm shown as another": self.by_algorithm["RS256"].token(good, alg="PS256", kid="key-PS256"),
                "claims of another token": f'{head}.{issuer.base64url({**good, "sub": "ann"})}.{signature}',
                "without a signature": f"{head}.{body}.",
                "an extension that must be understood": self.key.token(good, crit=["exp"]),
                "for a logout": self.key.token(good, typ="logout+jwt"),
                "nonsense": "nonsense",
        }.items():
            with self.subTest(what):
                self.assertIn("not accepted", self.assert_refused(token))

    def test_who_is_locked_out_is_out_whatever_the_token_says(self):
        ann = self.token("ann", groups=["kms/auditors"])
        self.dare(ann, "admin", "policy", "history")
        self.dare(self.root, "admin", "lockout", "people/ann")
        try:
            self.assert_refused(ann)
        finally:
            self.dare(self.root, "admin", "unlock", "people/ann")
        self.dare(ann, "admin", "policy", "history")
        self.dare(self.root, "admin", "lockout", "--group", "auditors")
        try:
            self.assert_refused(ann)
        finally:
            self.dare(self.root, "admin", "unlock", "--group", "auditors")

    def curl(self, *options, path="/admin/v1/policy"):
        host, port = self.kms.https
        done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-D", "-", "-w", "%{http_code}", "--cacert", self.kms.ca, *options,
                               f"https://{host}:{port}{path}"], capture_output=True, timeout=60, check=True, text=True)
        return int(done.stdout[-3:]), done.stdout.lower()

    def test_a_token_opens_administration_alone(self):
        shown = ("-H", f"Authorization: Bearer {self.root}")
        self.assertEqual(self.curl(*shown)[0], 200)
        self.assertEqual(self.curl()[0], 403)
        self.assertEqual(self.curl(*shown, "-X", "POST", "-H", "Content-Type: text/xml", "-d", "x", path="/kmip")[0], 403)
        self.assertEqual(self.curl(*shown, "-X", "POST", path="/.well-known/est/simpleenroll")[0], 401)
        status, head = self.curl("-H", "Authorization: Bearer x.y.z")
        self.assertEqual(status, 401)
        self.assertIn('www-authenticate: bearer realm="dare-kms", error="invalid_token"', head)
        self.assertEqual(self.curl("-H", f"Authorization: Bearer {'a' * 9000}")[0], 431)

    def test_a_bad_token_is_not_made_good_by_a_certificate(self):
        root = self.kms.identity("machine-root", admin=True)
        with_certificate = ("--cert", root.certificate, "--key", root.key)
        self.assertEqual(self.curl(*with_certificate)[0], 200)
        self.assertEqual(self.curl(*with_certificate, "-H", "Authorization: Bearer x.y.z")[0], 401)
        # And who shows both is the person.
        ann = self.token("ann")
        self.assertEqual(self.curl(*with_certificate, "-H", f"Authorization: Bearer {ann}")[0], 403)

    def test_tokens_are_in_no_log(self):
        self.assert_refused(self.token("nobody"))
        self.assert_refused(self.root[:-4] + "AAAA")
        written = self.kms.audit_text() + self.kms.log_tail(1 << 24)
        self.assertIn("people/nobody", written)
        for token in (self.root, self.token("nobody")):
            for part in token.split("."):
                self.assertNotIn(part, written)


class KeysOverHttps(PeopleTest):
    @classmethod
    def keys_of_issuer(cls):
        cls.server = issuer.KeyServer(cls.folder)
        cls.addClassCleanup(cls.server.close)
        cls.key = issuer.Key(cls.folder, "EdDSA", "first")
        cls.server.keys = [cls.key]
        return f'jwks_url = "{cls.server.url}"\njwks_ca = "{cls.server.ca}"\nbetween_seconds = 1\nrefresh_seconds = 3600'

    def comes_to_know(self, key):
        """Whether a token by this key is taken in the end: a fetch has 3 seconds, which a busy machine may not keep."""
        return fixture.eventually(lambda: self.dare(self.token("root", key), "admin", "policy", "show", check=False).returncode
                                  == DONE, seconds=60)

    def test_a_key_that_the_issuer_began_to_use_is_fetched_at_a_bounded_rate_and_the_last_good_ones_are_kept(self):
        self.assertTrue(self.comes_to_know(self.key))
        second = issuer.Key(self.folder, "ES256", "second")
        self.server.keys = [self.key, second]
        self.assertTrue(self.comes_to_know(second))
        # Away: who is known by a key that was fetched goes on.
        self.server.status = 500
        third = issuer.Key(self.folder, "ES256", "third")
        asked = self.server.asked
        self.assert_refused(self.token("root", third))
        self.assertTrue(fixture.eventually(lambda: self.assert_refused(self.token("root", third)) and self.server.asked > asked))
        self.dare(self.token("root", second), "admin", "policy", "show")
        self.server.status = 200

    def test_keys_of_whoever_is_not_the_issuer_are_not_taken(self):
        other = issuer.KeyServer(self.kms.home / "clients")
        try:
            self.kms.configure("oidc", "jwks_url", other.url)  # a certificate that jwks_ca did not sign
            other.keys = [self.key]
            self.kms.restart()
            done = self.dare(self.token("root"), "admin", "policy", "show", check=False)
            self.assertEqual(done.returncode, UNREACHABLE, done.stderr)
            self.assertEqual(other.asked, 0)
        finally:
            self.kms.configure("oidc", "jwks_url", self.server.url)
            self.kms.restart()
            other.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
