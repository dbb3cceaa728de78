#!/usr/bin/python3
"""The audit log's checkpoints, its witness, `dare audit verify` and proofs, judged by an auditor of our own
(support/merkle.py) and the openssl command, neither of which knows our programs."""
import json
import pathlib
import shutil
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import audit, fixture, kmip_client, merkle  # noqa: E402
from support.kms import run  # noqa: E402

DAMAGED = 5


class Audit(fixture.KmsTest):
    @classmethod
    def configure_server(cls, server):
        cls.witness = server.home / "witness"
        server.configure("audit", "checkpoint_entries", 20)
        server.configure("audit", "witness", [f"file:{cls.witness}"])

    @property
    def folder(self):
        return pathlib.Path(self.kms.audit_folder)

    @property
    def key(self):
        return self.folder / "audit.pub"

    def use(self, keys):
        client = self.client()
        for _ in range(keys):
            client.get(client.create())

    def checkpoints(self):
        path = self.folder / "checkpoints"
        return merkle.checkpoints(path) if path.exists() else []

    def dare(self, *words, check=True):
        return run([self.kms.programs.dare, "audit", *words], check=check)

    def leaves(self):
        return [merkle.leaf_hash(line) for _, _, line in audit.lines(self.folder)]

    def test_checkpoints_are_right_and_signed(self):
        before = len(self.checkpoints())
        self.use(15)
        self.assertTrue(fixture.eventually(lambda: len(self.checkpoints()) > before))
        self.kms.stop()
        leaves, made = self.leaves(), self.checkpoints()
        self.assertEqual(made[-1].size, len(leaves), "the last one covers all there is")
        for checkpoint in made:
            self.assertEqual(checkpoint.root, merkle.tree_hash(leaves[:checkpoint.size]))
            self.assertTrue(checkpoint.is_signed_by(self.key, self.kms.home))
        made[-1].body = made[-1].body.replace(b"\ntime 2", b"\ntime 3")
        self.assertFalse(made[-1].is_signed_by(self.key, self.kms.home))
        told = {(c.size, c.root) for c in merkle.checkpoints(self.witness)}
        self.assertIn((made[-1].size, made[-1].root), told, "the witness knows the newest")
        self.assertLessEqual(told, {(c.size, c.root) for c in made})
        report = json.loads(self.dare("verify", self.folder, "--key", self.key, "--witness", self.witness,
                                      "--json").stdout)
        self.assertTrue(report["intact"])
        self.assertEqual((report["entries"], report["covered"]), (len(leaves), len(leaves)))

    def test_what_is_changed_is_named(self):
        self.use(4)
        self.kms.stop()
        copy = self.kms.home / "copy.jsonl"
        lines = [line for _, _, line in audit.lines(self.folder)]
        changes = {
            "edited": lines[:3] + [lines[3].replace(b'"outcome":"', b'"outcome": "', 1)] + lines[4:],
            "removed": lines[:3] + lines[4:],
            "repeated": lines[:4] + lines[3:],
            "exchanged": lines[:3] + [lines[4], lines[3]] + lines[5:],
            "cut off": lines[:-1],
        }
        for change, bad in changes.items():
            with self.subTest(change):
                copy.write_bytes(b"".join(line + b"\n" for line in bad))
                done = self.dare("verify", copy, "--key", self.key, "--witness", self.witness, check=False)
                self.assertEqual(done.returncode, DAMAGED, done.stderr)
                self.assertIn("dare: error: entry ", done.stderr)
        private, other = self.kms.home / "other.key", self.kms.home / "other.pub"
        run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private])
        run(["openssl", "pkey", "-in", private, "-pubout", "-out", other])
        done = self.dare("verify", self.folder, "--key", other, check=False)
        self.assertEqual(done.returncode, DAMAGED)
        self.assertIn("signed by another key", done.stderr)

    def test_one_entry_is_proven(self):
        self.use(10)
        self.kms.stop()
        entries = len(self.leaves())
        proof = self.kms.home / "proof.json"
        for sequence in (1, 2, entries // 2, entries):
            proof.write_text(self.dare("prove", str(sequence), self.folder).stdout, "utf-8")
            line, checkpoint = merkle.check_proof(proof.read_text("utf-8"))
            self.assertEqual(line, audit.lines(self.folder)[sequence - 1][2])
            self.assertTrue(checkpoint.is_signed_by(self.key, self.kms.home))
            self.assertIn(line.decode(), self.dare("verify", "--proof", proof, "--key", self.key).stdout)
        proof.write_text(proof.read_text("utf-8").replace("allowed", "denied", 1), "utf-8")
        done = self.dare("verify", "--proof", proof, "--key", self.key, check=False)
        self.assertEqual(done.returncode, DAMAGED)

    def test_a_log_that_was_cut_off_stops_the_start(self):
        self.use(3)
        self.kms.stop()
        good = self.kms.home / "good"
        shutil.copytree(self.folder, good, dirs_exist_ok=True)
        last = audit.segments(self.folder)[-1]
        last.write_bytes(b"\n".join(last.read_bytes().split(b"\n")[:-3]) + b"\n")
        with self.assertRaisesRegex(RuntimeError, "its end was cut off"):
            self.kms.start()
        # The witness knows it, too, where the folder's own checkpoints went with the end.
        (self.folder / "checkpoints").unlink()
        with self.assertRaisesRegex(RuntimeError, "witness has a checkpoint.*its end was cut off"):
            self.kms.start()
        shutil.rmtree(self.folder)
        shutil.copytree(good, self.folder)
        self.kms.start()

    def test_a_server_that_is_killed_leaves_a_whole_log(self):
        for _ in range(3):
            before = len(self.leaves())
            stopped = threading.Event()

            def work():
                try:
                    with self.kms.client(self.identities["alice"]) as client:
                        while not stopped.is_set():
                            client.get(client.create())
                except (OSError, EOFError, kmip_client.ConnectionLost):
                    pass  # it was killed

            worker = threading.Thread(target=work)
            worker.start()
            grown = fixture.eventually(lambda: len(self.leaves()) > before + 60)
            self.kms.kill()
            stopped.set()
            worker.join()
            self.assertTrue(grown)
            self.dare("verify", self.folder, "--key", self.key, "--witness", self.witness)
            self.kms.start()
        self.use(1)
        self.kms.stop()
        report = json.loads(self.dare("verify", self.folder, "--key", self.key, "--json").stdout)
        self.assertEqual(report["covered"], len(self.leaves()))


    def test_what_is_no_witness_is_refused(self):
        self.kms.stop()
        good = self.kms.config_file.read_bytes()
        try:
            for place in ("syslog:", "syslog:tcp:host", "carrier-pigeon:"):
                self.kms.configure("audit", "witness", [place])
                with self.assertRaisesRegex(RuntimeError, f"'{place}' is no witness"):
                    self.kms.start()
        finally:
            self.kms.config_file.write_bytes(good)


class StrictReads(fixture.KmsTest):
    @classmethod
    def configure_server(cls, server):
        server.configure("audit", "reads", "strict")
        server.configure("audit", "sync_interval_ms", 10000)

    def test_reads_are_served_and_recorded(self):
        client = self.client()
        key = client.create()
        client.get(key)
        self.assertTrue(self.kms.audit_has("Get", key))


if __name__ == "__main__":
    unittest.main()
