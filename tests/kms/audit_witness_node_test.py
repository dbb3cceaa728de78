#!/usr/bin/python3
"""One dare-kms keeps the checkpoints of another's audit log: they arrive, only from whom the configuration names and only forward,
and a log that was cut off or written anew meanwhile is found by them."""
import json
import pathlib
import shutil
import ssl
import sys
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kms, merkle  # noqa: E402

PATIENCE = 120  # seconds; a node that was not reached is left alone for some
PATH = "/witness/v1/checkpoint"


class WitnessNode(unittest.TestCase):
    def setUp(self):
        self.template = kms.Template(kms.Programs(), ("kms-1", "alice"))
        self.addCleanup(self.template.close)
        self.node, self.witness = self.template.instantiate(), self.template.instantiate()
        for server in (self.node, self.witness):
            self.addCleanup(server.close)
        self.witness.configure("", "node", "kms-2")
        self.witness.configure("audit", "witness_for", ["kms-1"])
        self.witness.start()
        self.witness.configure("https", "port", self.witness.https[1])  # the same after a restart
        identity = self.witness.identity("kms-1")
        self.node.configure("", "node", "kms-1")
        self.node.configure("audit", "checkpoint_seconds", 1)
        self.node.configure("audit", "witness", ["node:https://127.0.0.1:%d" % self.witness.https[1]])
        self.node.configure("audit", "witness_certificate", identity.certificate)
        self.node.configure("audit", "witness_key", identity.key)
        self.kept = pathlib.Path(self.witness.audit_folder) / "witnessed" / "kms-1.checkpoints"

    def use(self, times=1):
        with self.node.client(self.node.identity("alice")) as client:
            for _ in range(times):
                client.create()

    def newest(self, path):
        made = merkle.checkpoints(path) if path.exists() else []
        return made[-1].size if made else 0

    def own(self):
        return pathlib.Path(self.node.audit_folder) / "checkpoints"

    def await_witnessed(self):
        """Until the witness has the node's newest checkpoint, which is of more entries than before."""
        before = self.newest(self.kept)
        self.use()
        self.assertTrue(fixture.eventually(
            lambda: self.newest(self.kept) > before and self.newest(self.kept) == self.newest(self.own()), PATIENCE),
            self.node.log_tail())

    def fetch(self, node, who):
        return self.send(json.dumps({"node": node}).encode(), who, path="/admin/v1/audit/checkpoints")

    def send(self, body, who=None, method="POST", path=PATH):
        """(status, JSON) of what somebody sends to the witness."""
        context = ssl.create_default_context(cafile=str(self.witness.ca))
        context.check_hostname = False
        if who:
            identity = self.witness.identity(who)
            context.load_cert_chain(identity.certificate, identity.key)
        request = urllib.request.Request("https://127.0.0.1:%d%s" % (self.witness.https[1], path), method=method,
                                         data=body, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def message(self, text):
        key = (pathlib.Path(self.node.audit_folder) / "audit.pub").read_text("utf-8")
        return json.dumps({"checkpoint": text, "public_key": key}).encode()

    def test_checkpoints_arrive_and_an_auditor_verifies_with_them(self):
        self.node.start()
        self.await_witnessed()
        key = self.kept.parent / "kms-1.pub"
        self.assertEqual(key.read_text(), (pathlib.Path(self.node.audit_folder) / "audit.pub").read_text())
        self.node.stop()
        done = kms.run([self.node.programs.dare, "audit", "verify", self.node.audit_folder, "--key", key,
                        "--witness", self.kept, "--json"])
        self.assertTrue(json.loads(done.stdout)["intact"])
        # Over HTTPS, for whoever may read the witness's own log.
        self.witness.identity("root", admin=True)
        status, answer = self.fetch("kms-1", "root")
        self.assertEqual((status, answer["checkpoints"]), (200, self.kept.read_text("utf-8")))
        self.assertEqual(self.fetch("kms-3", "root")[0], 404)
        self.assertEqual(self.fetch("kms-1", "alice")[0], 403)

    def test_a_log_that_was_cut_off_does_not_start(self):
        self.node.start()
        self.use()
        self.await_witnessed()
        self.node.stop()
        folder = pathlib.Path(self.node.audit_folder)
        shutil.rmtree(folder)  # the log, its checkpoints, its key: all that is at this machine
        with self.assertRaisesRegex(RuntimeError, "node:https://.* has a checkpoint of .*its end was cut off"):
            self.node.start()

    def test_another_history_under_the_same_key_is_refused_and_told(self):
        self.node.start()
        self.use(20)
        self.await_witnessed()
        self.node.stop()
        kept = self.kept.read_bytes()
        # The same HSM signs a log that was begun anew, while the witness is not in the configuration.
        shutil.rmtree(self.node.audit_folder)
        witness = self.node.config()["audit"]["witness"]
        self.node.configure("audit", "witness", [])
        self.node.start()
        self.use()
        self.assertTrue(fixture.eventually(self.own().exists, PATIENCE))
        self.node.stop()
        forged = merkle.checkpoints(self.own())[-1]
        self.assertLess(forged.size, self.newest(self.kept))
        text = self.own().read_text("utf-8")
        last = "".join(text.splitlines(keepends=True)[-7:])
        status, answer = self.send(self.message(last), "kms-1")
        self.assertEqual((status, answer["code"]), (409, "conflict"), answer)
        self.assertEqual(self.kept.read_bytes(), kept)
        self.assertIn("the audit log of kms-1 is not witnessed: its newest checkpoint is of", self.witness.log_tail())
        self.assertTrue(self.witness.audit_has('"principal":"kms-1"', '"operation":"witness checkpoint"', "cut off"))
        self.node.configure("audit", "witness", witness)
        with self.assertRaisesRegex(RuntimeError, "has a checkpoint of"):
            self.node.start()

    def test_what_is_no_node_is_refused_at_the_start(self):
        for place in ("node:http://127.0.0.1:1", "node:https://", "node:https://127.0.0.1:1/path"):
            with self.subTest(place):
                self.node.configure("audit", "witness", [place])
                with self.assertRaisesRegex(RuntimeError, f"'{place}' is no witness: node:https://HOST:PORT is one"):
                    self.node.start()
        self.node.configure("audit", "witness", ["node:https://127.0.0.1:1"])
        self.node.configure("audit", "witness_key", "")
        with self.assertRaisesRegex(RuntimeError, "audit.witness_key is missing"):
            self.node.start()

    def test_strangers_and_principals_that_are_not_named_are_refused(self):
        self.node.start()
        self.await_witnessed()
        kept = self.kept.read_bytes()
        body = self.message("".join(kept.decode().splitlines(keepends=True)[-7:]))
        for who in (None, "alice"):
            for method in ("POST", "GET"):
                status, answer = self.send(body if method == "POST" else None, who, method)
                self.assertEqual((status, answer["code"]), (403, "denied"), who)
        self.assertEqual(self.send(b"{}", "kms-1")[0], 400)
        self.assertEqual(self.kept.read_bytes(), kept)
        self.assertEqual(self.send(None, "kms-1", "GET")[0], 200)

    def test_a_witness_that_is_away_delays_nothing_and_is_told_the_newest_afterwards(self):
        self.node.start()
        self.await_witnessed()
        self.witness.kill()
        before = self.newest(self.own())
        self.use()
        self.assertTrue(fixture.eventually(lambda: self.newest(self.own()) > before, PATIENCE), "checkpoints are made")
        self.assertTrue(fixture.eventually(lambda: self.node.health()[1]["witness"] == "failing", PATIENCE))
        self.node.restart()  # a witness that cannot be asked does not hold up a start
        self.use()
        self.witness.start()
        self.await_witnessed()
        self.assertTrue(fixture.eventually(lambda: self.node.health()[1]["witness"] == "ok", PATIENCE))


if __name__ == "__main__":
    unittest.main(verbosity=2)
