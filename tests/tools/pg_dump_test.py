#!/usr/bin/python3
"""pg_dump and pg_restore through dare seal and dare open."""
import unittest

from database_recipe import DatabaseRecipeTest

DIGEST = "SELECT count(*) || md5(string_agg(id || name, ',' ORDER BY id)) FROM items"


class PgDump(DatabaseRecipeTest):
    section = "pg_dump"

    def psql(self, database, text):
        done = self.shell(f'psql -X -q -A -t -v ON_ERROR_STOP=1 -d {database} -c "{text}"')
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout.strip()

    def test_dumped_restored_and_revoked(self):
        self.database.start()
        self.psql("postgres", "CREATE DATABASE shop")
        self.psql("shop", "CREATE TABLE items AS SELECT id, 'item ' || id AS name FROM generate_series(1, 20000) AS id")
        before = self.psql("shop", DIGEST)
        self.run_recipe("write")
        self.run_recipe("read")
        self.assertEqual(self.psql("restored", DIGEST), before)
        kept = (self.folder / "shop.dump.dare").read_bytes()

        # A dump that dies half-way does not take the place of the good one.
        self.database.kill()
        done = self.run_recipe("write", expect_failure=True)
        self.assertIn("pg_dump: error", done.stdout)
        self.assertEqual((self.folder / "shop.dump.dare").read_bytes(), kept)

        self.database.start()
        self.psql("postgres", "DROP DATABASE restored")
        self.end("revoke")
        self.refused("read")
        self.refused("write")


if __name__ == "__main__":
    unittest.main()
