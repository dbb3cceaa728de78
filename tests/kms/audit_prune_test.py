#!/usr/bin/python3
"""`dare audit prune`: what is old goes with a signed record, what remains is proven by `dare audit verify` and by an auditor of our
own, and a server that is killed while it prunes leaves nothing that is not."""
import base64
import json
import pathlib
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import audit, fixture, kms, merkle  # noqa: E402
from support.kill_switch import administer  # noqa: E402

DONE, FAILED, USAGE, DENIED, UNREACHABLE, DAMAGED = range(6)


def record(folder):
    """{name: value} of the newest record in the file `pruned`, read from its written format."""
    lines = (folder / "pruned").read_text("utf-8").split("\n")[-11:-1]
    named = dict(line.split(" ", 1) for line in lines[3:8])
    return {"origin": lines[0], "size": int(lines[1]), "root": base64.b64decode(lines[2]), "last": named["last"],
            "file": int(named["file"]), "by": json.loads(named["by"]),
            "tree": [bytes.fromhex(h) for h in named["tree"].split()],
            "body": "".join(line + "\n" for line in lines[:8]),
            "signature": base64.b64decode(lines[9].split(" ")[2])[4:]}


class Pruning(fixture.KmsTest):
    @classmethod
    def configure_server(cls, server):
        cls.witness = server.home / "witness"
        server.configure("audit", "file_kib", 16)
        server.configure("audit", "checkpoint_entries", 20)
        server.configure("audit", "witness", [f"file:{cls.witness}"])

    @property
    def folder(self):
        return pathlib.Path(self.kms.audit_folder)

    def use(self, files):
        """Uses keys until the log has so many files more, the last of them with a checkpoint behind its beginning."""
        wanted = len(audit.segments(self.folder)) + files
        with self.kms.client(self.identities["alice"]) as client:
            key = client.create()
            while len(audit.segments(self.folder)) < wanted:
                client.get(key)
            for _ in range(25):
                client.get(key)
        end = audit.records(self.folder)[-20]["seq"]
        self.assertTrue(fixture.eventually(
            lambda: any(c.size >= end for c in merkle.checkpoints(self.folder / "checkpoints"))))

    def prune(self, *words, who="root", check=True):
        return administer(self.kms, "audit", "prune", *(words or ("--keep", "0s")), who=who, check=check)

    def verify(self, check=True):
        done = kms.run([self.kms.programs.dare, "audit", "verify", self.folder, "--key", self.folder / "audit.pub", "--json"],
                       check=check)
        return json.loads(done.stdout)

    def old(self):
        """Entries get older than the second in which they are pruned."""
        newest = audit.records(self.folder)[-1]["time"]
        self.assertTrue(fixture.eventually(lambda: json.loads(
            administer(self.kms, "audit", "log", "-n", "1", "--json").stdout.splitlines()[-1])["time"] > newest))

    def test_what_is_old_goes_and_what_remains_is_proven(self):
        self.use(3)
        self.old()
        before = [line for _, _, line in audit.lines(self.folder)]
        first = audit.records(self.folder)[0]["seq"]
        done = json.loads(self.prune("--keep", "0s", "--json").stdout)
        self.assertGreaterEqual(done["files"], 2)
        self.kms.stop()
        there = audit.records(self.folder)
        self.assertEqual(there[0]["seq"], done["removed"] + 1)
        self.assertEqual(done["entries"], done["removed"] - first + 1)
        # The record, by its format alone: what was removed is what it says, and what remains continues it.
        told = record(self.folder)
        removed = [merkle.leaf_hash(line) for line in before[:done["entries"]]]
        if first == 1:
            self.assertEqual(told["root"], merkle.tree_hash(removed))
        self.assertEqual((told["size"], told["by"], told["last"]), (done["removed"], "root", there[0]["prev"]))
        self.assertEqual(audit.segments(self.folder)[0].name, f"audit-{told['file']:06}.jsonl")
        body, signature = self.kms.home / "body", self.kms.home / "signature"
        body.write_text(told["body"], "utf-8")
        signature.write_bytes(told["signature"])
        kms.run(["openssl", "dgst", "-sha256", "-verify", self.folder / "audit.pub", "-signature", signature, body])
        report = self.verify()
        self.assertEqual((report["intact"], report["pruned"], report["pruned_by"]), (True, done["removed"], "root"))
        self.assertEqual(report["entries"], there[-1]["seq"])
        self.assertEqual(report["covered"], there[-1]["seq"], "by the checkpoint of the end")
        entries = [r for r in there if r["operation"] in ("audit-pruned", "prune audit log")]
        self.assertEqual([(r["principal"], r["outcome"]) for r in entries[-2:]], [("root", "allowed")] * 2)
        self.assertIn(base64.b64encode(told["root"]).decode(), entries[-2]["detail"])
        # It is served, exported and used as before.
        self.kms.start()
        log = administer(self.kms, "audit", "log", "--json").stdout.splitlines()
        self.assertEqual(json.loads(log[0])["seq"], done["removed"] + 1)
        away = self.kms.home / "away"
        administer(self.kms, "audit", "export", away)
        exported = kms.run([self.kms.programs.dare, "audit", "verify", away, "--key", self.folder / "audit.pub"])
        self.assertIn(f"entries 1 to {done['removed']} were removed by root", exported.stdout)
        self.kms.command("verify")

    def test_only_an_administrator_prunes_and_only_what_is_old(self):
        self.use(1)
        self.kms.identity("alice")
        refused = self.prune("--keep", "0s", who="alice", check=False)
        self.assertEqual(refused.returncode, DENIED)
        files = audit.segments(self.folder)
        self.assertIn("nothing was removed", self.prune("--keep", "1d").stdout)
        self.assertIn("nothing was removed", self.prune("--before", "2001-01-01").stdout)
        self.assertEqual(self.prune("--before", "2999-01-01", check=False).returncode, USAGE)
        self.assertEqual(self.prune("--keep", "1d", "--before", "2001-01-01", check=False).returncode, USAGE)
        self.assertEqual(audit.segments(self.folder)[:len(files)], files)

    def test_a_removal_without_a_record_is_found(self):
        self.use(2)
        self.old()
        self.prune()
        self.use(2)
        self.kms.stop()
        first = audit.segments(self.folder)[0]
        content = first.read_bytes()
        first.unlink()
        self.assertFalse(self.verify(check=False)["intact"])
        first.write_bytes(content)
        self.assertTrue(self.verify()["intact"])
        told = (self.folder / "pruned").read_bytes()
        (self.folder / "pruned").write_bytes(told.replace(b'by "root"', b'by "eve"'))
        self.assertIn("its signature is not right", self.verify(check=False)["problem"])
        (self.folder / "pruned").write_bytes(told)
        self.kms.start()

    def test_a_server_that_is_killed_while_it_prunes_leaves_a_proven_log(self):
        for _ in range(4):
            self.use(3)
            self.old()
            before = (self.folder / "pruned").stat().st_mtime_ns if (self.folder / "pruned").exists() else 0
            files = len(audit.segments(self.folder))
            pruner = threading.Thread(target=self.prune, kwargs={"check": False})
            pruner.start()

            def begun():
                path = self.folder / "pruned"
                return path.exists() and path.stat().st_mtime_ns != before or len(audit.segments(self.folder)) < files

            while pruner.is_alive() and not begun():
                pass
            self.kms.kill()
            pruner.join()
            self.assertTrue(self.verify()["intact"])
            self.kms.start()
            self.assertTrue(self.verify()["intact"])
            first = audit.segments(self.folder)[0].name
            self.assertEqual(first, f"audit-{record(self.folder)['file']:06}.jsonl", "the start finishes it")
        self.use(1)
        self.kms.stop()
        self.assertEqual(self.verify()["covered"], audit.records(self.folder)[-1]["seq"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
