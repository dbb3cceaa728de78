#!/usr/bin/python3
"""Revocation lists of other authorities, made by openssl and put where tls.crl_files says: who is on one is cut and refused, also by an
old session, over HTTPS and by an old ticket; so is everybody below an authority that is on one; a list that has ended, or was
never there, refuses the others of its authority; what is forged or older than the one in force changes nothing, and is told.
"""
import pathlib
import ssl
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kms  # noqa: E402
from support.authority import Authority, put, serial_of  # noqa: E402
from support.kmip_client import ConnectionLost, KmipFailure, item  # noqa: E402


class ForeignLists(fixture.KmsTest):
    clients = ("alice",)

    @classmethod
    def configure_server(cls, server):
        cls.folder = server.home / "pki"
        cls.folder.mkdir()
        cls.root = Authority(cls.folder, "root")
        cls.issuing = Authority(cls.folder, "issuing", cls.root)  # clients send its certificate
        cls.mesh = Authority(cls.folder, "mesh")                  # has no list
        cls.lists = {authority: cls.folder / f"{authority.name}.crl" for authority in (cls.root, cls.issuing)}
        for authority, file in cls.lists.items():
            put(authority.make_list(), file)
        client_ca = cls.folder / "clients.pem"
        client_ca.write_text("".join(p.read_text("ascii") for p in (
            server.ca, cls.root.certificate, cls.mesh.certificate)), "ascii")
        server.configure("tls", "client_ca", str(client_ca))
        server.configure("tls", "crl_issuers", str(cls.issuing.certificate))
        server.configure("tls", "crl_files", [str(file) for file in cls.lists.values()])

    def leaf(self, name, authority=None):
        authority = authority or self.issuing
        chain = (authority.certificate,) if authority is self.issuing else ()
        return authority.issue(f"/CN={name}", "", self.kms.ca, chain)

    def log(self):
        return self.kms.log.read_text("utf-8", errors="replace")

    def put_list(self, authority, *serials, **more):
        """Puts a newer list in place and waits until it is in force."""
        said = f"the list of 'CN={authority.name}' is in force"
        before = self.log().count(said)
        put(authority.make_list(*serials, **more), self.lists[authority])
        self.assertTrue(fixture.eventually(lambda: self.log().count(said) > before), self.log())

    def restore(self):
        """Good lists without anybody on them."""
        for authority in self.lists:
            self.put_list(authority)
        self.assertTrue(fixture.eventually(lambda: self.authority_lists() == "ok"), self.log())

    def authority_lists(self):
        return self.kms.health()[1]["authority_lists"]

    def works(self, identity, **more):
        with kms.Client(self.kms.kmip, identity, **more) as client:
            client.get(client.create())

    def assert_refused(self, identity, **more):
        with self.assertRaises((ConnectionLost, OSError)):
            self.works(identity, **more)

    def assert_cut(self, client, key):
        """An open connection ends; until then it is served."""
        def is_cut():
            try:
                client.get(key)
            except (ConnectionLost, OSError):
                return True
            return False
        self.assertTrue(fixture.eventually(is_cut), self.log())

    def curl(self, identity):
        """The exit code of curl when it asks the HTTPS port with this certificate."""
        host, port = self.kms.https
        return subprocess.run(["curl", "-sS", "-o", "/dev/null", "--cacert", identity.ca, "--cert", identity.certificate, "--key",
                               identity.key, f"https://{host}:{port}/.well-known/est/cacerts"],
                              capture_output=True, timeout=60, check=False).returncode

    def test_who_is_on_the_list_is_cut_and_refused(self):
        gone, stays = self.leaf("gone"), self.leaf("stays")
        context = gone.context(maximum=ssl.TLSVersion.TLSv1_2)
        with kms.Client(self.kms.kmip, gone, context=context) as client, self.kms.client(stays) as other:
            key, kept = client.create(), other.create()
            session = client.socket.session
            with kms.Client(self.kms.kmip, gone, context=context, session=session) as again:
                again.get(key)
                self.assertTrue(again.socket.session_reused, "or the session below proves nothing")
            self.assertEqual(self.curl(gone), 0)
            self.put_list(self.issuing, serial_of(gone.certificate))
            self.assert_cut(client, key)
            self.assert_refused(gone)
            self.assert_refused(gone, context=context, session=session)
            self.assertNotEqual(self.curl(gone), 0)
            other.get(kept)
        self.works(stays)
        self.assertEqual(self.curl(stays), 0)
        self.assertTrue(self.kms.audit_has("certificate revoked while connected", "gone"))
        self.assertFalse(self.kms.audit_has('"denied"', "stays"))
        self.restore()
        self.works(gone)

    def test_the_same_serial_of_another_authority_is_another_certificate(self):
        gone = self.leaf("gone-by-serial")
        self.put_list(self.root, serial_of(gone.certificate))
        self.works(gone)
        self.works(self.leaf("of-mesh", self.mesh))
        self.restore()

    def test_everybody_below_an_authority_that_is_on_the_list_is_refused(self):
        below, beside = self.leaf("below"), self.leaf("beside", self.root)
        with self.kms.client(below) as client:
            key = client.create()
            self.put_list(self.root, serial_of(self.issuing.certificate))
            self.assert_cut(client, key)
        self.assert_refused(below)
        self.assert_refused(self.leaf("below-and-new"))
        self.works(beside)
        self.restore()
        self.works(below)

    def test_a_list_that_has_ended_refuses_the_others_of_its_authority(self):
        client_of_issuing = self.leaf("unlucky")
        with self.kms.client(client_of_issuing) as client:
            key = client.create()
            self.put_list(self.issuing, age=0, life=1)  # of now, so that none in force is younger
            self.assert_cut(client, key)
        self.assert_refused(client_of_issuing)
        # Clients are refused in the second in which it ends; the next look at the files tells.
        self.assertTrue(fixture.eventually(lambda: self.authority_lists() == "failing"), self.log())
        self.assertIn("the revocation list of 'CN=issuing' has ended: clients of that authority are refused", self.log())
        for identity in (self.identities["alice"], self.leaf("lucky", self.root), self.leaf("lucky-too", self.mesh)):
            self.works(identity)
        self.assertEqual(self.kms.health()[0], 200, "the server serves")
        self.restore()
        self.works(client_of_issuing)

    def test_what_is_forged_or_older_changes_nothing_and_is_told(self):
        gone, stays = self.leaf("gone-for-good"), self.leaf("stays-for-good")
        old = self.issuing.make_list(serial_of(stays.certificate))
        self.put_list(self.issuing, serial_of(gone.certificate))
        self.assert_refused(gone)
        forger = Authority(self.folder, self.issuing.name, files="forger")
        forged = forger.make_list(serial_of(stays.certificate), number=self.issuing.number + 1)
        for text, trouble in ((forged, "is not signed with the key of that authority"), (old, "is older than the one in force"),
                              ("<html>503</html>", "neither a revocation list in DER nor")):
            told = self.log().count(trouble)
            put(text, self.lists[self.issuing])
            self.assertTrue(fixture.eventually(lambda t=trouble, n=told: self.log().count(t) > n), trouble)
            self.assertTrue(fixture.eventually(lambda: self.authority_lists() == "failing"))
            self.assert_refused(gone)
            self.works(stays)
        self.restore()
        self.works(gone)

    def test_a_server_that_starts_without_a_list_refuses_whose_it_may_be(self):
        client_of_issuing, client_of_root = self.leaf("waits", self.issuing), self.leaf("waits-not", self.root)
        self.kms.stop()
        self.lists[self.issuing].unlink()
        checked = self.kms.command("check-config", check=False)
        self.assertNotEqual(checked.returncode, 0)
        self.assertIn("issuing.crl", checked.stderr)
        self.kms.start()
        self.assertEqual(self.authority_lists(), "failing")
        self.works(self.identities["alice"])
        self.works(client_of_root)
        self.assert_refused(client_of_issuing)
        self.assert_refused(self.leaf("of-mesh-waits", self.mesh))
        self.restore()
        self.works(client_of_issuing)
        self.works(self.leaf("of-mesh-again", self.mesh))
        self.assertIn("good", self.kms.command("check-config").stdout)

    def test_a_ticket_ends_with_the_certificate_that_got_it(self):
        """The principal's other certificate, of our own authority, shows it."""
        twin = self.leaf("twin")
        with self.kms.client(twin) as client:
            ticket = client.call("Login", [], version=(2, 1)).find("Ticket")
        header = [item("Authentication", [item("Credential", [item("CredentialType", "Ticket"),
                                                              item("CredentialValue", [ticket])])])]
        with self.kms.client(self.kms.identity("twin")) as client:
            client.call("Ping", [], version=(2, 1), header=header)
            self.put_list(self.issuing, serial_of(twin.certificate))
            with self.assertRaises(KmipFailure) as refused:
                client.call("Ping", [], version=(2, 1), header=header)
            self.assertEqual(refused.exception.reason, "InvalidTicket")
            client.call("Ping", [], version=(2, 1))
        self.restore()


if __name__ == "__main__":
    unittest.main(verbosity=2)
