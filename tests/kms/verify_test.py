#!/usr/bin/python3
"""dare-kms verify against whoever can write to the database: every row, entry and fact that is edited, exchanged, removed,
added or put back is named, and a whole store is never called damaged: not while clients write, not after kill -9.

Each test edits a copy of one good database with Python's own sqlite3; docs/integrity.md names the test for each attack."""
import json
import pathlib
import shutil
import sqlite3
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture  # noqa: E402
from support.kms import run  # noqa: E402

COLUMNS = ("row_version", "object_type", "state", "owner", "created", "index_entries", "attributes", "material")
DAMAGED = 5


class Verify(fixture.KmsTest):
    clients = ("alice", "bob")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.kms.client(cls.identities["alice"]) as client:
            cls.keys = [client.create(f"verify-{i}") for i in range(12)]
            cls.old = cls.kms.home / "old.db"
            cls.kms.stop()
            shutil.copy(cls.kms.database, cls.old)
            cls.kms.start()
        with cls.kms.client(cls.identities["alice"]) as client:
            for key in cls.keys[:3]:
                client.activate(key)
            cls.late = [client.create(f"late-{i}") for i in range(3)]
        cls.kms.stop()
        cls.good = cls.kms.home / "good.db"
        shutil.copy(cls.kms.database, cls.good)
        cls.good_log = cls.kms.home / "good-audit"
        shutil.copytree(cls.kms.audit_folder, cls.good_log)

    def setUp(self):
        """The good database, and the log that belongs to it."""
        self.kms.stop()
        self.put(self.good)
        shutil.rmtree(self.kms.audit_folder)
        shutil.copytree(self.good_log, self.kms.audit_folder)
        self.victim = self.keys[5]

    # --- the thief's hands, and the auditor's

    def put(self, database):
        for suffix in ("-wal", "-shm"):
            pathlib.Path(f"{self.kms.database}{suffix}").unlink(missing_ok=True)
        shutil.copy(database, self.kms.database)

    def edit(self, *statements):
        database = sqlite3.connect(self.kms.database)
        try:
            for statement, *values in statements:
                done = database.execute(statement, values)
                self.assertNotEqual(done.rowcount, 0, f"the edit does something: {statement}")
            database.commit()
        finally:
            database.close()

    def value(self, column, identifier, database=None):
        connection = sqlite3.connect(database or self.kms.database)
        try:
            return connection.execute(f"SELECT {column} FROM objects WHERE id = ?", (identifier,)).fetchone()[0]
        finally:
            connection.close()

    def verify(self, *words):
        """(exit code, what --json says)."""
        done = self.kms.command("verify", "--json", *words, check=False)
        self.assertIn(done.returncode, (0, DAMAGED), done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual(said["whole"], done.returncode == 0)
        self.assertEqual(said["findings"], len(said["found"]), "every one is listed")
        return done.returncode, said

    def found(self, *words):
        """{(kind, object)} of a damaged store."""
        code, said = self.verify(*words)
        self.assertEqual(code, DAMAGED)
        return {(f["kind"], f["object"]) for f in said["found"]}

    # --- whole

    def test_a_whole_store_is_called_whole_and_everything_is_counted(self):
        code, said = self.verify("--deep")
        self.assertEqual((code, said["found"]), (0, []))
        self.assertEqual(said["rows"], 15)
        self.assertEqual(said["expected_rows"], 15)
        self.assertEqual(said["opened"], 15)
        self.assertEqual(said["entries"], 15, "one name each")
        self.assertGreaterEqual(said["audit_claims"], 18, "15 made, 3 activated")

    def test_beside_a_server_that_is_written_to(self):
        self.kms.start()
        stop, made, failures = threading.Event(), [], []

        def write(name):
            try:
                with self.kms.client(self.identities[name]) as client:
                    while not stop.is_set():
                        key = client.create()
                        client.activate(key)
                        made.append(key)
            except Exception as error:  # noqa: BLE001 (told by the test)
                failures.append(error)

        writers = [threading.Thread(target=write, args=(name,)) for name in self.clients]
        for writer in writers:
            writer.start()
        try:
            for _ in range(5):
                before = len(made)
                code, said = self.verify()
                self.assertEqual((code, said["found"]), (0, []))
                self.assertGreaterEqual(said["rows"], 15 + before, "what was acknowledged before is in the picture")
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        self.assertEqual(failures, [])
        self.assertGreater(len(made), 5)

    def test_a_server_that_was_killed_leaves_nothing_to_find(self):
        for _ in range(3):
            self.kms.start()
            with self.kms.client(self.identities["alice"]) as client:
                threads = [threading.Thread(target=self.until_it_dies) for _ in range(4)]
                for thread in threads:
                    thread.start()
                for _ in range(20):
                    client.create()
            self.kms.kill()
            for thread in threads:
                thread.join()
            self.assertEqual(self.verify()[1]["found"], [])
        self.kms.start()
        self.assertEqual(self.verify()[1]["found"], [])

    def until_it_dies(self):
        try:
            with self.kms.client(self.identities["bob"]) as client:
                while True:
                    client.create()
        except Exception:  # noqa: BLE001 (the server is killed under it)
            pass

    # --- rows

    def test_a_byte_edited_in_any_column(self):
        for column in COLUMNS:
            with self.subTest(column):
                self.put(self.good)
                value = self.value(column, self.victim)
                if isinstance(value, int):
                    changed = value + 1
                elif isinstance(value, bytes):
                    changed = value[:-1] + bytes([value[-1] ^ 1])
                else:
                    changed = "b" + value[1:]
                self.edit((f"UPDATE objects SET {column} = ? WHERE id = ?", changed, self.victim))
                found = self.found("--no-audit")
                self.assertIn(("altered", self.victim), found)
                others = {identifier for kind, identifier in found if identifier not in ("", self.victim)}
                self.assertEqual(others, set(), "nothing else is accused")

    def test_index_entries_that_cannot_be_read_hide_nothing_behind_them(self):
        self.edit(("UPDATE objects SET index_entries = x'00' WHERE id = ?", self.victim))
        self.assertIn(("unreadable", self.victim), self.found())
        self.assertEqual(self.verify()[1]["rows"], 15)

    def test_an_identifier_edited(self):
        self.edit(("UPDATE objects SET id = ? WHERE id = ?", "00000000-0000-0000-0000-000000000000", self.victim))
        found = self.found()
        self.assertIn(("altered", "00000000-0000-0000-0000-000000000000"), found)
        self.assertIn(("missing", self.victim), found)

    def test_two_rows_exchanged(self):
        one, other = self.keys[6], self.keys[7]
        self.edit(("UPDATE objects SET id = 'x' WHERE id = ?", one), ("UPDATE objects SET id = ? WHERE id = ?", one, other),
                  ("UPDATE objects SET id = ? WHERE id = 'x'", other))
        found = self.found("--no-audit")
        self.assertIn(("altered", one), found)
        self.assertIn(("altered", other), found)

    def test_material_copied_over_another(self):
        material = self.value("material", self.keys[6])
        self.edit(("UPDATE objects SET material = ? WHERE id = ?", material, self.victim))
        self.assertEqual(self.found("--no-audit"), {("altered", self.victim)})

    def test_a_row_removed_with_its_entries(self):
        seq = self.value("seq", self.victim)
        self.edit(("DELETE FROM index_entries WHERE seq = ?", seq), ("DELETE FROM objects WHERE seq = ?", seq))
        self.assertEqual(self.found("--no-audit"), {("sum", "")}, "something is missing, the sums say")
        self.assertEqual(self.found(), {("sum", ""), ("missing", self.victim)}, "and the log says what")
        _, said = self.verify()
        self.assertEqual((said["rows"], said["expected_rows"]), (14, 15))

    def test_a_row_removed_without_its_entries(self):
        self.edit(("DELETE FROM objects WHERE id = ?", self.victim))
        found = self.found()
        self.assertIn(("missing", self.victim), found)
        self.assertIn(("entry-stray", ""), found)

    def test_a_row_copied_under_a_new_identifier(self):
        self.edit(("INSERT INTO objects (id, row_version, object_type, state, owner, created, index_entries, attributes, "
                   "material) SELECT 'copy', row_version, object_type, state, owner, created, x'', attributes, material "
                   "FROM objects WHERE id = ?", self.victim))
        found = self.found()
        self.assertIn(("altered", "copy"), found)
        self.assertIn(("sum", ""), found)

    def test_a_row_outside_the_order(self):
        self.edit(("UPDATE objects SET seq = -5 WHERE id = ?", self.victim))
        self.assertIn("unreadable", {kind for kind, _ in self.found()})

    # --- time

    def roll_back(self, identifier):
        """One row as it was before it was activated."""
        old = sqlite3.connect(self.old)
        names = ", ".join(COLUMNS)
        values = old.execute(f"SELECT {names} FROM objects WHERE id = ?", (identifier,)).fetchone()
        old.close()
        self.edit((f"UPDATE objects SET ({names}) = ({', '.join('?' * len(COLUMNS))}) WHERE id = ?", *values, identifier))

    def old_facts(self):
        old = sqlite3.connect(self.old)
        facts = old.execute("SELECT key, value FROM meta WHERE key LIKE 'sum-%'").fetchall()
        old.close()
        self.assertGreaterEqual(len(facts), 2, "a base and a node")
        return facts

    def test_one_row_put_back(self):
        self.roll_back(self.keys[1])
        self.assertEqual(self.found("--no-audit"), {("sum", "")})
        self.assertEqual(self.found(), {("sum", ""), ("older", self.keys[1])})

    def test_one_row_put_back_with_the_sum_of_that_time(self):
        self.roll_back(self.keys[1])
        self.edit(*[("UPDATE meta SET value = ? WHERE key = ?", value, key) for key, value in self.old_facts()])
        self.assertEqual(self.found("--no-audit"), {("sum", "")}, "the other rows are newer than the sum")
        self.assertIn(("older", self.keys[1]), self.found())

    def test_the_whole_database_put_back(self):
        self.put(self.old)
        self.assertEqual(self.verify("--no-audit")[0], 0, "nothing inside can tell: docs/integrity.md says so")
        found = self.found()
        self.assertIn(("put-back", ""), found)
        for key in self.keys[:2]:
            self.assertIn(("older", key), found)
        self.assertIn(("missing", self.late[0]), found)

    def test_the_whole_database_put_back_and_served_again(self):
        self.put(self.old)
        self.kms.start()
        with self.kms.client(self.identities["alice"]) as client:
            for _ in range(20):
                client.create()
        found = self.found()
        self.assertIn(("put-back", ""), found)
        self.assertIn(("missing", self.late[0]), found)

    # --- what finds rows

    def name_of(self, identifier):
        return self.value("seq", identifier)

    def test_an_index_entry_removed(self):
        self.edit(("DELETE FROM index_entries WHERE seq = ?", self.name_of(self.victim)))
        self.assertEqual(self.found(), {("entry-missing", self.victim)})

    def test_an_index_entry_added(self):
        self.edit(("INSERT INTO index_entries (tag, key, scope, slot, seq) VALUES (4325459, x'6162', x'6163', 0, ?)",
                   self.name_of(self.victim)))
        self.assertEqual(self.found(), {("entry-stray", self.victim)})

    def test_a_name_that_leads_to_another_object(self):
        self.edit(("UPDATE index_entries SET seq = ? WHERE seq = ?", self.name_of(self.keys[6]), self.name_of(self.victim)))
        found = self.found()
        self.assertIn(("entry-elsewhere", self.victim), found)
        self.assertIn(("entry-stray", self.keys[6]), found)

    # --- sums

    def test_a_sum_removed_or_edited(self):
        self.edit(("DELETE FROM meta WHERE key LIKE 'sum-node-%'",))
        self.assertEqual(self.found("--no-audit"), {("sum", "")})
        self.put(self.good)
        self.edit(("UPDATE meta SET value = CAST(substr(value, 1, 40) || x'00' || substr(value, 42) AS BLOB) "
                   "WHERE key LIKE 'sum-node-%'",))
        self.assertIn("fact-altered", {kind for kind, _ in self.found("--no-audit")})

    def test_a_store_from_before_sums_is_adopted_by_a_person(self):
        self.edit(("DELETE FROM meta WHERE key LIKE 'sum-%'",))
        self.assertEqual(self.found("--no-audit"), {("sum", "")})
        self.assertEqual(self.kms.command("verify", "--no-audit", "--adopt").returncode, 0)
        self.assertEqual(self.verify("--no-audit")[0], 0)
        self.kms.start()
        with self.kms.client(self.identities["alice"]) as client:
            client.activate(self.keys[4])
            client.create()
        self.assertEqual(self.verify("--no-audit")[0], 0, "and counted on from there")
        self.kms.stop()
        seq = self.value("seq", self.victim)
        self.edit(("DELETE FROM index_entries WHERE seq = ?", seq), ("DELETE FROM objects WHERE seq = ?", seq))
        self.assertEqual(self.found("--no-audit"), {("sum", "")})

    def test_a_store_of_an_earlier_version_is_for_the_server_first(self):
        self.edit(("DELETE FROM meta WHERE key LIKE 'sum-%' OR key = 'custody'",))
        done = self.kms.command("verify", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("start the server once", done.stderr)
        self.kms.start()
        self.kms.stop()
        self.assertEqual(self.kms.command("verify", "--no-audit", "--adopt").returncode, 0)
        self.assertEqual(self.verify("--no-audit")[0], 0)

    def test_nothing_that_is_altered_can_be_adopted(self):
        self.edit(("UPDATE objects SET owner = 'mallory' WHERE id = ?", self.victim))
        self.assertEqual(self.kms.command("verify", "--no-audit", "--adopt", check=False).returncode, DAMAGED)
        self.assertIn(("altered", self.victim), self.found("--no-audit"))

    # --- for people

    def test_what_a_person_reads(self):
        done = self.kms.command("verify")
        self.assertIn("15 rows of 15", done.stdout)
        self.assertIn(": whole", done.stdout)
        self.edit(("UPDATE objects SET owner = 'mallory' WHERE id = ?", self.victim))
        done = self.kms.command("verify", check=False)
        self.assertEqual(done.returncode, DAMAGED)
        self.assertIn(f"altered {self.victim}: ", done.stdout)
        self.assertIn("is not whole: 1 findings", done.stderr)

    def test_an_audit_log_that_was_edited_is_told(self):
        copy = self.kms.home / "audit-copy"
        shutil.copytree(self.kms.audit_folder, copy)
        self.addCleanup(shutil.rmtree, copy)
        log = copy / "audit-000001.jsonl"
        log.write_bytes(log.read_bytes().replace(b'"Activate"', b'"Query"', 1))
        self.assertIn(("audit-log", ""), self.found("--audit", str(copy)))
        self.assertEqual(run([self.kms.programs.dare_kms, "verify", "--audit", copy / "none", "--config",
                              self.kms.config_file], check=False).returncode, 1)


if __name__ == "__main__":
    unittest.main()
