#!/usr/bin/python3
"""sqlite3 .dump through dare seal and dare open."""
import sqlite3
import unittest

from recipe import RecipeTest


class Sqlite(RecipeTest):
    section = "sqlite3"
    programs = ("sqlite3",)

    def test_dumped_read_and_revoked(self):
        rows = [(i, f"item {i}", bytes([i % 256]) * 50) for i in range(2000)]
        with sqlite3.connect(self.folder / "shop.db") as database:
            database.execute("CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT, picture BLOB)")
            database.executemany("INSERT INTO items VALUES(?, ?, ?)", rows)
        database.close()
        self.run_recipe("write")
        self.assertNotIn(b"item 7", (self.folder / "shop.sql.dare").read_bytes())
        self.run_recipe("read")
        database = sqlite3.connect(self.folder / "restored.db")
        self.assertEqual(database.execute("SELECT * FROM items ORDER BY id").fetchall(), rows)
        database.close()
        self.end("revoke")
        self.refused("read")
        self.refused("write")


if __name__ == "__main__":
    unittest.main()
