#!/usr/bin/python3
"""WAL sealed by archive_command, a sealed base backup, recovery to a point from both; then what goes wrong."""
import random
import re
import signal
import subprocess
import unittest

from database_recipe import DatabaseRecipeTest
from support import fixture, postgres

MARK = "a-row-that-nobody-shall-read"


class ArchivingTest(DatabaseRecipeTest):
    section = "PostgreSQL archiving"

    def setUp(self):
        super().setUp()
        self.wal = self.folder / "wal"
        self.wal.mkdir()
        self.give_away(self.wal)
        with open(self.database.folder / "data" / "postgresql.conf", "a", encoding="utf-8") as settings:
            settings.write(self.text("settings"))
        self.database.start()

    def give_away(self, folder):
        if self.account:
            super().give_away(folder)

    def switch(self):
        """Ends the WAL file in use; its name."""
        return self.database.sql("SELECT pg_walfile_name(pg_switch_wal())")

    def archived(self, name):
        return fixture.eventually(lambda: self.database.sql(
            f"SELECT last_archived_wal >= '{name}' FROM pg_stat_archiver") == "t", 60)


class Recovery(ArchivingTest):
    def restored(self):
        """The cluster that the recipe restored, not yet started."""
        data = self.folder / "restored" / "data"
        config = data / "postgresql.conf"
        text = config.read_text("utf-8").replace(self.text("settings"), self.text("recovery"))
        config.write_text(text, "utf-8")
        database = postgres.Server(folder=data.parent, environment=self.environment())
        self.addCleanup(database.close)
        return database

    def test_recovery_to_a_point_and_revocation(self):
        sql = self.database.sql
        sql("CREATE TABLE items(id int, name text)")
        self.run_recipe("base")
        sql(f"INSERT INTO items SELECT i, '{MARK}' FROM generate_series(1, 1000) AS i")
        sql("SELECT pg_create_restore_point('before_the_mistake')")
        sql("DELETE FROM items")
        self.assertTrue(self.archived(self.switch()), sql("SELECT * FROM pg_stat_archiver"))
        self.assertTrue(all(p.suffix == ".dare" for p in self.wal.iterdir()), "nothing but sealed files")
        self.found_nowhere(MARK.encode(), self.wal)
        self.assertNotIn(MARK.encode(), (self.folder / "base.tar.dare").read_bytes())

        self.run_recipe("restore")
        restored = self.restored().start()
        self.assertTrue(fixture.eventually(lambda: restored.sql("SELECT pg_is_in_recovery()") == "f"))
        self.assertEqual(restored.sql(f"SELECT count(*) FROM items WHERE name = '{MARK}'"), "1000")
        restored.close()

        # With the key revoked nothing more is archived, and nothing is lost: the WAL stays where it is.
        self.run_again_from_the_base()
        self.end("revoke")
        sql(f"INSERT INTO items VALUES(0, '{MARK}')")
        kept = self.switch()
        self.assertTrue(fixture.eventually(lambda: sql(
            f"SELECT last_failed_wal = '{kept}' FROM pg_stat_archiver") == "t", 60), sql("SELECT * FROM pg_stat_archiver"))
        self.assertFalse((self.wal / f"{kept}.dare").exists())
        self.assertTrue((self.database.folder / "data" / "pg_wal" / kept).exists())
        self.assertIn("dare: error: ", (self.database.folder / "server.log").read_text())
        self.recovery_stops()
        self.folder.joinpath("restored").rename(self.folder / "restored-before")
        self.refused("restore")

    def run_again_from_the_base(self):
        """A second empty folder filled from the base backup, ready to recover."""
        (self.folder / "restored").rename(self.folder / "restored-first")
        self.run_recipe("restore")

    def recovery_stops(self):
        """A refusal is not taken for the end of the WAL: the server does not start with less than there is."""
        restored = self.restored()
        with self.assertRaises(RuntimeError):
            restored.start()
        self.assertNotEqual(restored.process.wait(60), 0)
        restored.process = None
        log = (restored.folder / "server.log").read_text()
        self.assertRegex(log, r"FATAL: +could not restore file \"\w+\" from archive: child process exited with exit code 200")
        self.assertRegex(log, r"dare: error: ")
        self.assertTrue((restored.folder / "data" / "recovery.signal").exists(), "recovery is still to be done")


class ArchiveCommand(ArchivingTest):
    labels = ("settings",)

    def archive(self, path, name):
        """The archive_command of the page, as PostgreSQL calls it, running."""
        command = re.search(r"(?m)^archive_command = '(.*)'$", self.text("settings"))[1]
        command = command.replace("%p", str(path)).replace("%f", name)
        return subprocess.Popen(["sh", "-c", command], env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                start_new_session=True, **self.account)

    def call(self, path, name):
        process = self.archive(path, name)
        process.communicate(timeout=60)
        return process.returncode

    def test_the_archive_command_is_safe_to_interrupt_and_to_call_again(self):
        chance = random.Random(fixture.seed())
        source = self.folder / "source"
        source.write_bytes(chance.randbytes(16 << 20))
        self.give_away(source)
        interrupted = finished = 0
        for turn in range(25):
            name = f"{turn:024X}"
            sealed = self.wal / f"{name}.dare"
            process = self.archive(source, name)
            try:
                process.wait(chance.uniform(0, 0.3))
                finished += 1
            except subprocess.TimeoutExpired:
                number = chance.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
                subprocess.run(["kill", f"-{int(number)}", "--", f"-{process.pid}"], check=False)
                interrupted += 1
            process.communicate(timeout=60)
            if sealed.exists():  # under its name it is whole
                opened = self.shell(f"dare open {sealed} -o - | cmp - {source}")
                self.assertEqual(opened.returncode, 0, opened.stdout)
            self.assertEqual(self.call(source, name), 0)
            self.assertEqual(self.call(source, name), 0, "called again after success")
        print(f"archive_command: {interrupted} interrupted, {finished} not")
        self.assertGreater(interrupted, 0)
        leftovers = [p.name for p in self.wal.iterdir() if not re.fullmatch(r"[0-9A-F]{24}\.dare", p.name)]
        self.assertEqual(leftovers, [])

        other = self.folder / "other"
        other.write_bytes(b"another content")
        before = sealed.read_bytes()
        self.assertNotEqual(self.call(other, name), 0, "another file of that name is never archived over the first")
        self.assertEqual(sealed.read_bytes(), before)
        sealed.write_bytes(before[:-1])
        self.assertNotEqual(self.call(source, name), 0, "a damaged one is no success")

    def test_archiving_goes_on_when_the_key_server_is_back(self):
        sql = self.database.sql
        sql("CREATE TABLE items(id int)")
        self.machine.configure("request_seconds = 15", "request_seconds = 1")
        self.kms.process.send_signal(signal.SIGSTOP)
        try:
            missed = self.switch()
            self.assertTrue(fixture.eventually(lambda: sql(
                f"SELECT last_failed_wal = '{missed}' FROM pg_stat_archiver") == "t", 60))
            self.assertEqual([p.name for p in self.wal.iterdir()], [])
        finally:
            self.kms.process.send_signal(signal.SIGCONT)
            self.machine.configure("request_seconds = 1", "request_seconds = 15")
        sql("INSERT INTO items VALUES(1)")
        self.assertTrue(self.archived(self.switch()), sql("SELECT * FROM pg_stat_archiver"))
        self.assertTrue((self.wal / f"{missed}.dare").exists(), "what was missed is there, too")


if __name__ == "__main__":
    unittest.main()
