#!/usr/bin/python3
"""Storage is untrusted: whatever is edited in the database is noticed, refused, named in the audit log, and harms
nothing else. The tests edit the SQLite file with Python's own sqlite3 while the server is down."""
import contextlib
import os
import pathlib
import random
import shutil
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture  # noqa: E402
from support.kmip_client import KmipFailure  # noqa: E402

COLUMNS = ("row_version", "object_type", "state", "owner", "created", "index_entries", "attributes", "material")


class Tamper(fixture.KmsTest):
    clients = ("alice", "bob")

    def setUp(self):
        super().setUp()
        self.random = random.Random(fixture.seed())
        with self.kms.client(self.identities["alice"]) as client:
            tag = f"{self.id().rpartition('.')[2]}-{self.random.getrandbits(32):08x}"
            self.good = client.create(f"{tag}-good")
            self.good_bytes = client.get(self.good)
            self.victim = client.create(f"{tag}-victim")
            self.donor = client.create(f"{tag}-donor", length=128, usage=("Encrypt",))
            self.names = {i: f"{tag}-{n}" for n, i in (("good", self.good), ("victim", self.victim),
                                                       ("donor", self.donor))}
            self.tag = tag

    # --- the thief's hands

    def edit(self, change):
        """Stops the server, lets `change` work on the database, starts it again with a cold cache."""
        self.kms.stop()
        database = sqlite3.connect(self.kms.database)
        try:
            result = change(database)
            database.commit()
        finally:
            database.close()
        self.kms.start()
        return result

    def refused(self, client, identifier):
        """Get must fail with a reason and a text. Returns the failure."""
        with self.assertRaises(KmipFailure) as caught:
            client.get(identifier)
        self.assertTrue(caught.exception.reason)
        self.assertTrue(caught.exception.message)
        return caught.exception

    def assertRefusedAndLogged(self, identifier):
        with self.kms.client(self.identities["alice"]) as client:
            failure = self.refused(client, identifier)
            self.assertEqual(client.get(self.good), self.good_bytes, "other objects keep working")
            client.get(client.create())  # and so does creating
        self.assertTrue(self.kms.audit_has(identifier, "Get", "failed") or
                        self.kms.audit_has(identifier, "Get", "denied"), "an audit entry names the object")
        return failure

    def row(self, identifier, columns=COLUMNS):
        """{column: value}; the server has the database for itself, so it is stopped for the look."""
        values = self.edit(lambda d: d.execute(f"SELECT {', '.join(columns)} FROM objects WHERE id = ?",
                                               (identifier,)).fetchone())
        return dict(zip(columns, values))

    # --- copying

    def copy(self, columns):
        sets = ", ".join(f"{c} = (SELECT {c} FROM objects WHERE id = :donor)" for c in columns)

        def change(database):
            database.execute(f"UPDATE objects SET {sets} WHERE id = :victim",
                             {"donor": self.donor, "victim": self.victim})

        self.edit(change)
        self.assertRefusedAndLogged(self.victim)

    def test_material_copied_from_another_row_is_refused(self):
        self.copy(["material"])

    def test_attributes_copied_from_another_row_are_refused(self):
        self.copy(["attributes"])

    def test_material_and_attributes_copied_from_another_row_are_refused(self):
        self.copy(["material", "attributes"])

    def test_a_whole_row_copied_over_another_is_refused(self):
        self.copy(COLUMNS)

    def test_two_rows_that_exchanged_their_identifiers_are_both_refused(self):
        def change(database):
            for old, new in ((self.victim, "x"), (self.donor, self.victim), ("x", self.donor)):
                database.execute("UPDATE objects SET id = ? WHERE id = ?", (new, old))

        self.edit(change)
        self.assertRefusedAndLogged(self.victim)
        self.assertRefusedAndLogged(self.donor)

    def test_a_row_under_a_new_identifier_is_refused(self):
        forged = "00000000-0000-4000-8000-" + f"{self.random.getrandbits(48):012x}"
        self.edit(lambda d: d.execute("UPDATE objects SET id = ? WHERE id = ?", (forged, self.victim)))
        self.assertRefusedAndLogged(forged)

    def test_an_object_given_to_another_owner_is_not_served_to_the_thief(self):
        self.edit(lambda d: d.execute("UPDATE objects SET owner = 'bob' WHERE id = ?", (self.victim,)))
        with self.kms.client(self.identities["bob"]) as bob:
            self.refused(bob, self.victim)
            self.assertEqual(bob.locate(self.names[self.victim]), [])
        self.assertRefusedAndLogged(self.victim)

    def test_old_attributes_put_back_after_a_revocation_are_refused(self):
        old = self.row(self.victim, ("attributes", "state", "index_entries"))
        with self.kms.client(self.identities["alice"]) as client:
            client.activate(self.victim)
            client.revoke(self.victim, "KeyCompromise")
        self.edit(lambda d: d.execute(
            "UPDATE objects SET attributes = :attributes, state = :state, index_entries = :index_entries "
            "WHERE id = :id", dict(old, id=self.victim)))
        self.assertRefusedAndLogged(self.victim)

    def test_material_put_back_after_destroy_is_refused(self):
        old = self.row(self.victim)["material"]
        with self.kms.client(self.identities["alice"]) as client:
            client.destroy(self.victim)
        self.assertFalse(self.row(self.victim)["material"], "Destroy removes the material")
        self.edit(lambda d: d.execute("UPDATE objects SET material = ? WHERE id = ?", (old, self.victim)))
        self.assertRefusedAndLogged(self.victim)

    def test_an_index_that_points_to_another_row_does_not_deceive_locate(self):
        def change(database):
            rows = dict(database.execute("SELECT id, seq FROM objects WHERE id IN (?, ?)", (self.victim, self.donor)))
            database.execute("UPDATE index_entries SET seq = ? WHERE seq = ?", (rows[self.donor], rows[self.victim]))

        self.edit(change)
        with self.kms.client(self.identities["alice"]) as client:
            try:
                self.assertNotIn(self.donor, client.locate(self.names[self.victim]))
            except KmipFailure:
                pass  # noticing it is as good as not finding it

    # --- flipping

    def test_one_flipped_bit_in_any_byte_of_a_record_is_refused(self):
        # One object for each byte of each column, every one with another bit flipped, judged in one restart.
        with self.kms.client(self.identities["alice"]) as client:
            sample = client.create(f"{self.tag}-a-sample-9")
        sizes = {c: self.size(v) for c, v in self.row(sample).items()}
        with self.kms.client(self.identities["alice"]) as client:
            places = [(c, n) for c in COLUMNS for n in range(sizes[c])]
            objects = {client.create(f"{self.tag}-{c}-{n}"): (c, n) for c, n in places}
        self.assertGreater(len(objects), 200)

        def change(database):
            for identifier, (column, place) in objects.items():
                value = database.execute(f"SELECT {column} FROM objects WHERE id = ?", (identifier,)).fetchone()[0]
                database.execute(f"UPDATE objects SET {column} = ? WHERE id = ?",
                                 (self.flip(value, place), identifier))

        self.edit(change)
        log_before = len(self.kms.audit_records())
        served = []
        with self.kms.client(self.identities["alice"]) as client:
            for identifier, where in objects.items():
                try:
                    client.get(identifier)
                    served.append(where)
                except KmipFailure as failure:
                    self.assertTrue(failure.reason and failure.message)
            self.assertEqual(client.get(self.good), self.good_bytes)
        self.assertEqual(served, [], "(column, byte) that may be changed unnoticed")
        log = "\n".join(str(r) for r in self.kms.audit_records()[log_before:])
        self.assertEqual([i for i in objects if i not in log], [], "objects without an audit entry")
        print(f"{len(objects)} flipped bits, all refused", flush=True)

    @staticmethod
    def size(value):
        return 8 if isinstance(value, int) else len(value.encode() if isinstance(value, str) else value)

    def flip(self, value, place):
        if isinstance(value, int):
            return value ^ (1 << min(place * 8 + self.random.randrange(8), 62))
        if isinstance(value, str):  # stays text
            return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1:]
        changed = bytearray(value)
        changed[place % len(changed)] ^= 1 << self.random.randrange(8)
        return bytes(changed)

    def test_a_shortened_and_a_lengthened_column_are_refused(self):
        changes = {"cut at the end": lambda v: v[:-1], "cut at the start": lambda v: v[1:],
                   "longer": lambda v: v + b"\0", "empty": lambda v: b""}
        victims = {}
        with self.kms.client(self.identities["alice"]) as client:
            for column in ("attributes", "material", "index_entries"):
                for how in changes:
                    victims[client.create(f"{self.tag}-{column}-{how}")] = (column, how)

        def change(database):
            for identifier, (column, how) in victims.items():
                value = database.execute(f"SELECT {column} FROM objects WHERE id = ?", (identifier,)).fetchone()[0]
                database.execute(f"UPDATE objects SET {column} = ? WHERE id = ?", (changes[how](value), identifier))

        self.edit(change)
        for identifier, (column, how) in victims.items():
            with self.subTest(column=column, how=how):
                self.assertRefusedAndLogged(identifier)

    # --- the store as a whole

    def test_a_database_without_its_sealed_metadata_does_not_start(self):
        self.kms.stop()
        saved = self.kms.home / "saved.db"
        shutil.copy(self.kms.database, saved)
        try:
            with contextlib.closing(sqlite3.connect(self.kms.database)) as database:
                self.assertTrue(database.execute("SELECT count(*) FROM meta").fetchone()[0])
                database.execute("DELETE FROM meta")
                database.commit()
            with self.assertRaises(RuntimeError) as caught:
                self.kms.start()
            self.assertIn("error", str(caught.exception))
        finally:
            for suffix in ("-wal", "-shm"):
                pathlib.Path(f"{self.kms.database}{suffix}").unlink(missing_ok=True)
            shutil.copy(saved, self.kms.database)
            os.unlink(saved)


if __name__ == "__main__":
    unittest.main()
