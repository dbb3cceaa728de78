#!/usr/bin/python3
"""dare-kms backup, restore and migrate: a backup made while clients write holds every key that was acknowledged before it
began, restores on an empty machine that has nothing but the HSM, and serves; whatever is cut, changed or not for this HSM is
refused and leaves nothing behind."""
import contextlib
import json
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import tomllib
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, postgres  # noqa: E402
from support.kms import Kms, free_folder, run  # noqa: E402

DAMAGED = 5
COLUMNS = "id, row_version, object_type, state, owner, created, index_entries, attributes, material"


def rows(database):
    connection = sqlite3.connect(database)
    try:
        return connection.execute(f"SELECT {COLUMNS} FROM objects ORDER BY seq").fetchall()
    finally:
        connection.close()


def facts(database):
    connection = sqlite3.connect(database)
    try:
        return dict(connection.execute("SELECT key, value FROM meta WHERE key NOT LIKE 'audit-tail-%'"))
    finally:
        connection.close()


class BackupTest(fixture.KmsTest):
    clients = ("alice", "bob")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client_of_all = cls.kms.client(cls.identities["alice"])
        cls.keys = {}
        for i in range(30):
            key = cls.client_of_all.create(f"backup-{i}")
            cls.keys[key] = cls.client_of_all.get(key)

    @classmethod
    def tearDownClass(cls):
        cls.client_of_all.close()
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.place = free_folder()
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.file = self.place / "kms.backup"

    def backup(self):
        return self.kms.command("backup", "--out", self.file)

    def empty_machine(self, name="new"):
        """A folder whose store, audit log and TLS files are not there yet, over the same token: (folder, file)."""
        folder = self.place / name
        folder.mkdir()
        text = self.kms.config_file.read_text("utf-8").replace(str(self.kms.folder), str(folder))
        for key in ("pin", "softhsm2_conf"):
            path = self.kms.config()["hsm"][key]
            text = text.replace(path.replace(str(self.kms.folder), str(folder)), path)
        file = folder / "kms.toml"
        file.write_text(text, "utf-8")
        return folder, file

    def copy_tokens(self, folder, file):
        """A copy of the token for one run alone: SoftHSM2 rewrites it at each login, and who is killed then leaves it damaged."""
        conf = pathlib.Path(self.kms.config()["hsm"]["softhsm2_conf"])
        tokens = re.search(r"directories.tokendir\s*=\s*(\S+)", conf.read_text("utf-8")).group(1)
        shutil.copytree(tokens, folder / "tokens")
        (folder / "softhsm2.conf").write_text(conf.read_text("utf-8").replace(tokens, str(folder / "tokens")), "utf-8")
        file.write_text(file.read_text("utf-8").replace(str(conf), str(folder / "softhsm2.conf")), "utf-8")

    def dare_kms(self, *words, check=True):
        return run([self.kms.programs.dare_kms, *words], check=check)

    def restore(self, file, check=True):
        return self.dare_kms("restore", self.file, "--config", file, check=check)

    def database_of(self, folder):
        return folder / tomllib.loads((folder / "kms.toml").read_text("utf-8"))["store"]["path"]

    def verify(self, file):
        done = self.dare_kms("verify", "--deep", "--json", "--config", file, check=False)
        said = json.loads(done.stdout)
        self.assertEqual(said["found"], [])
        self.assertEqual(done.returncode, 0)
        return said

    def leaves_nothing(self, folder):
        self.assertEqual([p.name for p in folder.rglob("*") if p.is_file() and p.name != "kms.toml"], [])

    # --- backup and restore

    def test_a_backup_beside_writers_restores_on_an_empty_machine_and_serves(self):
        stop, made, failures = threading.Event(), {}, []

        def write(name):
            try:
                with self.kms.client(self.identities[name]) as client:
                    while not stop.is_set():
                        key = client.create()
                        made[key] = (name, client.get(key))
            except Exception as error:  # noqa: BLE001 (told by the test)
                failures.append(error)

        writers = [threading.Thread(target=write, args=(name,)) for name in self.clients]
        for writer in writers:
            writer.start()
        try:
            self.assertTrue(fixture.eventually(lambda: len(made) > 20))
            acknowledged = dict(made)
            said = self.backup().stdout
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        self.assertEqual(failures, [])
        self.assertIn("sealed under master key", said)
        self.assertGreaterEqual(len(made), len(acknowledged))

        folder, file = self.empty_machine()
        self.assertIn("the sums agree", self.restore(file).stdout)
        self.verify(file)
        restored = {row[0]: row for row in rows(self.database_of(folder))}
        lost = [key for key in (*self.keys, *acknowledged) if key not in restored]
        print(f"acknowledged {len(self.keys) + len(acknowledged)}, lost {len(lost)}", flush=True)
        self.assertEqual(lost, [])
        self.dare_kms("renew-server-certificate", "--config", file)
        server = Kms(self.kms.programs, self.as_home(folder))
        try:
            server.start()
            for name in self.clients:  # their certificates are known and good, as they were
                with server.client(self.identities[name]) as client:
                    for key, value in self.keys.items() if name == "alice" else ():
                        self.assertEqual(client.get(key), value)
                    for key, (owner, value) in acknowledged.items():
                        if owner == name:
                            self.assertEqual(client.get(key), value)
                    client.get(client.create())
        finally:
            server.stop()
        self.verify(file)

    def as_home(self, folder):
        home = self.place / "home"
        (home / "clients").mkdir(parents=True)
        (home / "kms").symlink_to(folder)
        return home

    def test_the_configuration_comes_out_of_the_backup(self):
        self.backup()
        _, file = self.empty_machine()
        done = self.dare_kms("restore", self.file, "--print-config", "--config", file)
        self.assertEqual(done.stdout, self.kms.config_file.read_text("utf-8"))
        self.assertNotIn("PRIVATE KEY", done.stdout)

    def test_no_name_owner_or_key_can_be_read_in_the_file(self):
        self.backup()
        content = self.file.read_bytes()
        for word in (b"alice", b"backup-7", next(iter(self.keys)).encode(), b"BEGIN CERTIFICATE", b"record-key"):
            self.assertNotIn(word, content)
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)

    def test_nothing_is_written_over(self):
        self.backup()
        before = self.file.read_bytes()
        self.assertEqual(self.kms.command("backup", "--out", self.file, check=False).returncode, 1)
        self.assertEqual(self.file.read_bytes(), before)
        done = self.dare_kms("restore", self.file, "--config", self.kms.config_file, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing is ever written over", done.stderr)

    def test_a_cut_or_changed_file_restores_nothing(self):
        self.backup()
        good = self.file.read_bytes()
        folder, file = self.empty_machine()
        for bad in (good[:-1], good[:len(good) // 2], good[:100], b"", good + b"x",
                    *(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:]
                      for at in range(0, len(good), max(1, len(good) // 7)))):
            self.file.write_bytes(bad)
            done = self.restore(file, check=False)
            self.assertEqual(done.returncode, DAMAGED, done.stderr)
            self.leaves_nothing(folder)
        self.file.write_bytes(good)
        self.restore(file)

    def test_the_wrong_hsm_opens_nothing(self):
        self.backup()
        other = Kms(self.kms.programs)
        self.addCleanup(other.close)
        done = self.dare_kms("restore", self.file, "--print-config", "--config", other.config_file, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("was sealed under master key", done.stderr)

    def test_a_restore_killed_at_any_moment_left_all_or_nothing(self):
        self.backup()
        chance = random.Random(fixture.seed())
        seen = set()
        for i in range(12):
            folder, file = self.empty_machine(f"killed-{i}")
            self.copy_tokens(folder, file)
            process = subprocess.Popen([self.kms.programs.dare_kms, "restore", self.file, "--config", file],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0, 0.4))
            process.kill()
            process.wait()
            count = self.count(folder)
            seen.add(count)
            self.assertIn(count, (0, len(rows(self.kms.database))), "all or nothing")
        print(f"rows found after the kills: {sorted(seen)}", flush=True)

    def count(self, folder):
        database = self.database_of(folder)
        if not database.exists():
            return 0
        connection = sqlite3.connect(database)
        try:
            if not connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'objects'").fetchone()[0]:
                return 0
            return connection.execute("SELECT count(*) FROM objects").fetchone()[0]
        finally:
            connection.close()

    def test_an_interrupted_backup_leaves_nothing(self):
        out = self.place / "interrupted"
        process = subprocess.Popen([self.kms.programs.dare_kms, "backup", "--out", out, "--config", self.kms.config_file],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
        self.assertEqual(out.exists(), code == 0, "the whole file, or none")
        self.assertEqual([p.name for p in self.place.iterdir()], ["interrupted"] if code == 0 else [])

    def test_a_restore_that_was_meant_is_no_finding_and_one_that_was_not_is(self):
        self.backup()
        with self.kms.client(self.identities["alice"]) as client:
            after = [client.create() for _ in range(5)]
        self.kms.stop()
        folder, file = self.empty_machine()
        shutil.copytree(self.kms.audit_folder, folder / "audit")
        self.restore(file)
        self.verify(file)
        self.assertNotIn(after[0], {row[0] for row in rows(self.database_of(folder))})

    # --- migrate

    def test_a_store_moves_as_it_is(self):
        folder, file = self.empty_machine()
        done = self.dare_kms("migrate", "--from", self.kms.config_file, "--to", file, check=False)
        self.assertEqual(done.returncode, 4, "a server has it")
        self.assertIn("another dare-kms is using", done.stderr)
        self.kms.stop()
        self.dare_kms("migrate", "--from", self.kms.config_file, "--to", file)
        self.assertEqual(rows(self.database_of(folder)), rows(self.kms.database))
        self.assertEqual(facts(self.database_of(folder)), facts(self.kms.database))
        self.verify(file)
        done = self.dare_kms("migrate", "--from", self.kms.config_file, "--to", file, check=False)
        self.assertEqual(done.returncode, 1, "into an empty store only")
        self.assertIn("not empty", done.stderr)

    @unittest.skipIf(postgres.missing(), f"SKIPPED: {postgres.missing()}")
    def test_to_postgresql_and_back_nothing_changes(self):
        self.kms.identity("mallory")
        self.kms.revoke_certificate("mallory")
        run([self.kms.programs.dare_kms, "credential", "add", "--user", "fred", "--config", self.kms.config_file],
            input="correct horse\n")
        self.kms.stop()
        with postgres.Server() as database:
            there, there_file = self.empty_machine("there")
            there_file.write_text(there_file.read_text("utf-8").replace(
                "[store]\n", f'[store]\nbackend = "postgresql"\nconnection = {json.dumps(database.connection)}\n'), "utf-8")
            self.dare_kms("migrate", "--from", self.kms.config_file, "--to", there_file)
            self.assertEqual(int(database.sql("SELECT count(*) FROM objects")), len(rows(self.kms.database)))
            self.assertGreaterEqual(self.verify(there_file)["opened"], len(self.keys))
            certificates = self.certificates(self.kms.config_file)
            self.assertTrue(any("mallory" in c and "revoked" in c for c in certificates))
            self.assertEqual(self.certificates(there_file), certificates)
            self.assertIn("fred", self.dare_kms("credential", "list", "--config", there_file).stdout)
            self.assertFalse((there / "enrolment.db").exists(), "it is in the database")
            self.refuses_a_second_time(there_file)

            served = Kms(self.kms.programs, self.as_home(there))
            self.dare_kms("renew-server-certificate", "--config", self.with_certificates(there, there_file))
            served.start()
            try:
                with served.client(self.identities["alice"]) as client:
                    for key, value in self.keys.items():
                        self.assertEqual(client.get(key), value)
            finally:
                served.stop()

            back, back_file = self.empty_machine("back")
            self.dare_kms("migrate", "--from", there_file, "--to", back_file)
            self.assertEqual(rows(self.database_of(back)), rows(self.kms.database))
            self.assertEqual(facts(self.database_of(back)).keys(), facts(self.kms.database).keys())
            self.assertEqual(self.certificates(back_file), certificates)
            self.verify(back_file)

            self.dare_kms("backup", "--out", self.file, "--config", there_file)
            restored, restored_file = self.empty_machine("restored")
            self.restore(restored_file)
            self.assertEqual(rows(self.database_of(restored)), rows(self.kms.database))
            self.assertEqual(self.certificates(restored_file), certificates)
            self.assertIn("fred", self.dare_kms("credential", "list", "--config", restored_file).stdout)

    def certificates(self, file):
        return sorted(self.dare_kms("certificates", "--json", "--config", file).stdout.splitlines())

    def refuses_a_second_time(self, file):
        done = self.dare_kms("migrate", "--from", self.kms.config_file, "--to", file, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("not empty", done.stderr)

    def with_certificates(self, folder, file):
        for name in ("ca.pem", "server.pem"):
            shutil.copy(self.kms.folder / name, folder / name)
        return file

    def test_a_damaged_source_is_not_called_well_moved(self):
        self.kms.stop()
        copy = self.place / "copy"
        copy.mkdir()
        _, source = self.empty_machine("source")
        self.dare_kms("migrate", "--from", self.kms.config_file, "--to", source)
        connection = sqlite3.connect(self.database_of(source.parent))
        connection.execute("UPDATE objects SET owner = 'mallory' WHERE id = ?", (next(iter(self.keys)),))
        connection.commit()
        connection.close()
        _, target = self.empty_machine("target")
        done = self.dare_kms("migrate", "--from", source, "--to", target, check=False)
        self.assertEqual(done.returncode, DAMAGED)
        self.assertIn("dare-kms verify", done.stderr)


if __name__ == "__main__":
    unittest.main()
