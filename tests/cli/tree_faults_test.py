#!/usr/bin/python3
"""What goes wrong in the middle of a folder: files that change while they are read, files that may not be read, a key server
that goes away, a disk that takes no more, a clock that is wrong."""
import json
import os
import resource
import shutil
import subprocess
import unittest

from command_line import DAMAGED, DONE, FAILED, SECONDS, UNREACHABLE, CommandLineTest, Machine, fixture
from support.read_gate import ReadGate

ROOT = os.geteuid() == 0
NOBODY = 65534


class FaultTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.top = self.folder / "src"
        (self.top / "d").mkdir(parents=True)
        for name in ("a", "b", "d/c"):
            (self.top / name).write_text(f"first {name}\n" * 50)
        self.sealed_under = self.key()

    def contents(self, name):
        folder = self.folder / name
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    def told(self, done):
        """The events of a run with --json, and its counts."""
        events = [json.loads(line) for line in done.stdout.splitlines()]
        return events[:-1], events[-1]

    def held_up(self, path, then, *words):
        """Runs dare; at its first read of `path` calls `then`, and lets it go on."""
        with ReadGate(path) as gate:
            process = self.machine.start(*words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            with process, process.stdout, process.stderr:
                try:
                    self.assertTrue(gate.reached(process), f"{words}: over before it read {path}")
                    then()
                finally:
                    gate.open()
                out, messages = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(words, process.returncode, out, messages.decode())


class Changing(FaultTest):
    def test_a_file_that_changes_while_it_is_read_keeps_its_version_of_before(self):
        self.write("src/big", 9_000_000)  # read by several threads
        self.dare("seal", "src", "-k", self.sealed_under)
        before = self.contents("src")

        def append(path):
            with open(path, "ab") as file:
                file.write(b"more")

        def overwrite(path):
            with open(path, "r+b") as file:
                file.write(b"other")

        for name in ("b", "big"):
            for change in (append, overwrite, lambda path: os.truncate(path, 3), os.unlink,
                           lambda path: os.replace(self.write("new", 10), path)):
                path = self.top / name
                path.write_bytes(before[name] + b"newer")
                done = self.held_up(path, lambda p=path, c=change: c(p), "seal", "src", "--anew", "--json")
                self.assertEqual(done.returncode, FAILED, (name, done))
                events, counts = self.told(done)
                self.assertEqual([e["path"] for e in events], [name])
                self.assertIn("changed while it was being sealed", events[0]["error"])
                self.assertEqual((counts["failed"], counts["kept"]), (1, 1))
                self.dare("open", "src.dare", "-o", "back")
                self.assertEqual(self.contents("back"), before)
                shutil.rmtree(self.folder / "back")
                path.write_bytes(before[name])
        self.dare("seal", "src")
        self.dare("open", "src.dare", "-o", "back")
        self.assertEqual(self.contents("back"), before)

    def test_a_new_file_that_changes_is_not_in_it(self):
        with open(self.top / "b", "ab") as file:
            done = self.held_up(self.top / "b", lambda: (file.write(b"more"), file.flush()), "seal", "src", "-k",
                                self.sealed_under, "--json")
        self.assertEqual(done.returncode, FAILED)
        self.dare("open", "src.dare", "-o", "back")
        self.assertEqual(sorted(self.contents("back")), ["a", "d/c"])
        messages = list((self.folder / "src.dare").rglob("*.esdk"))
        self.assertEqual(len(messages), 2, "nothing of it is left")


class KeyServerLost(FaultTest):
    def setUp(self):
        # The class's machine knows the server where it was before it was lost.
        self.machine = Machine(self.kms, self.id().rsplit(".", 1)[-1])
        self.address = self.kms.kmip[1]
        super().setUp()

    def back_again(self):
        """The server, at another port."""
        self.kms.start()
        self.machine.configure(f":{self.address}", f":{self.kms.kmip[1]}")
        self.address = self.kms.kmip[1]

    def test_in_the_middle_it_is_not_missed(self):
        done = self.held_up(self.top / "a", self.kms.kill, "seal", "src", "-k", self.sealed_under)
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        self.back_again()
        self.dare("verify", "src.dare")
        message = next((self.folder / "src.dare" / "files").glob("a.*"))
        done = self.held_up(message, self.kms.kill, "open", "src.dare", "-o", "back")
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        self.assertEqual(self.contents("back"), self.contents("src"))
        self.back_again()

    def test_at_the_beginning_nothing_is_touched(self):
        self.dare("seal", "src", "-k", self.sealed_under)
        (self.top / "a").write_text("newer")
        before = self.contents("src.dare")
        self.kms.kill()
        for words in (("seal", "src"), ("verify", "src.dare"), ("list", "src.dare"), ("open", "src.dare", "-o", "back"),
                      ("open", "src.dare", "--only", "b", "-o", "back"),
                      ("seal", "src", "-o", "new.dare", "-k", self.sealed_under)):
            self.dare(*words, expect=UNREACHABLE)
        self.assertEqual(self.contents("src.dare"), before)
        self.assertNotIn("back", self.names())
        self.back_again()
        # What a first run without a server left is gone on with.
        self.dare("seal", "src", "-o", "new.dare", "-k", self.sealed_under)
        self.dare("open", "new.dare", "-o", "back")
        self.assertEqual(self.contents("back"), self.contents("src"))


class NotRoot(FaultTest):
    """As a user who may not read everything: what permissions forbid root never meets."""

    def setUp(self):
        super().setUp()
        if not ROOT:
            self.skipTest("SKIPPED: needs root, to become nobody")
        self.program = self.folder / "dare"
        shutil.copy(self.kms.programs.dare, self.program)
        shutil.copytree(self.machine.folder, self.folder / "machine")
        config = self.folder / "machine" / "client.toml"
        config.write_text(config.read_text().replace(str(self.machine.folder), str(self.folder / "machine")))
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(self.folder)], check=True)

    def as_nobody(self, *words, expect=DONE):
        done = subprocess.run([str(self.program), *words], cwd=self.folder, capture_output=True, text=True, timeout=SECONDS,
                              user=NOBODY, group=NOBODY, extra_groups=[],
                              env={"DARE_CONFIG": str(self.folder / "machine" / "client.toml")})
        self.assertEqual(done.returncode, expect, (words, done.stderr))
        return done

    def test_what_may_not_be_read_is_told_and_the_rest_is_sealed(self):
        self.as_nobody("seal", "src", "-k", self.sealed_under)
        before = self.contents("src")
        (self.top / "a").write_text("newer")
        (self.top / "secret").write_text("root's")
        (self.top / "secret").chmod(0o600)  # root's own, as root wrote it
        (self.top / "b").chmod(0)
        (self.top / "d").chmod(0)
        done = self.as_nobody("seal", "src", "--json", expect=FAILED)
        events, counts = self.told(done)
        self.assertEqual(sorted(e["path"] for e in events), ["b", "d", "secret"])
        self.assertTrue(all("Permission denied" in e["error"] for e in events), events)
        self.assertEqual((counts["failed"], counts["kept"]), (3, 2))
        for name in "bd":
            (self.top / name).chmod(0o755)
        self.as_nobody("open", "src.dare", "-o", "back")
        self.assertEqual(self.contents("back"), {**before, "a": b"newer"}, "what was sealed earlier stays")

    def test_what_may_not_be_written_is_told_and_nothing_else_happens(self):
        self.as_nobody("seal", "src", "-k", self.sealed_under)
        closed = self.folder / "closed"
        closed.mkdir(mode=0o755)  # root's
        before = self.contents("src.dare")
        for words in (("open", "src.dare", "-o", "closed/back"), ("open", "src.dare", "-o", "closed"),
                      ("open", "src.dare", "--only", "a", "-o", "closed/a"), ("seal", "src", "-o", "closed/out.dare")):
            self.as_nobody(*words, expect=FAILED)
        self.assertEqual(list(closed.iterdir()), [])
        # A sealed folder of somebody else can be opened, and not be sealed into.
        subprocess.run(["chown", "-R", "root:root", "src.dare"], cwd=self.folder, check=True)
        subprocess.run(["chmod", "-R", "a+rX", "src.dare"], cwd=self.folder, check=True)
        self.as_nobody("seal", "src", expect=FAILED)
        self.as_nobody("open", "src.dare", "-o", "back")
        self.assertEqual(self.contents("back"), self.contents("src"))
        self.assertEqual(self.contents("src.dare"), before)


class NoRoom(FaultTest):
    def limited(self, *words):
        """dare that may write no file above a million bytes."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        return self.machine(*words, cwd=self.folder, preexec_fn=limit)

    def test_a_file_that_gets_too_long_is_told_and_the_rest_is_done(self):
        self.write("src/big", 3_000_000)
        done = self.limited("seal", "src", "-k", self.sealed_under, "--json")
        self.assertEqual(done.returncode, FAILED, done.stderr)
        self.assertEqual([e["path"] for e in self.told(done)[0]], ["big"])
        self.assertIn("too large", done.stderr)
        self.dare("open", "src.dare", "-o", "part")
        self.assertEqual(sorted(self.contents("part")), ["a", "b", "d/c"])
        self.assertEqual(len(list((self.folder / "src.dare").rglob("*.esdk"))), 3)
        self.dare("seal", "src")
        done = self.limited("open", "src.dare", "-o", "back", "--json")
        self.assertEqual(done.returncode, FAILED, done.stderr)
        self.assertEqual([e["path"] for e in self.told(done)[0]], ["big"])
        self.assertEqual(sorted(self.contents("back")), ["a", "b", "d/c"], "no half file")
        self.dare("open", "src.dare", "-o", "back", "--resume")
        self.assertEqual(self.contents("back"), self.contents("src"))


class WrongClock(FaultTest):
    YEARS = 365 * 24 * 3600

    def shifted(self, seconds, *words):
        environment = dict(self.machine.environment(), LD_PRELOAD=os.environ["DARE_SHIFTED_CLOCK"],
                           SHIFT_SECONDS=str(seconds))
        done = subprocess.run([str(self.kms.programs.dare), *words], cwd=self.folder, env=environment, capture_output=True,
                              text=True, timeout=SECONDS)
        self.check_messages(done)
        return done

    def setUp(self):
        super().setUp()
        if "DARE_SHIFTED_CLOCK" not in os.environ:
            self.skipTest("SKIPPED: built with a sanitizer, which comes first")

    def test_a_clock_that_is_far_off_is_told_and_harms_nothing(self):
        self.dare("seal", "src", "-k", self.sealed_under)
        before = self.contents("src.dare")
        for years in (20, -20):
            for words in (("seal", "src"), ("open", "src.dare", "-o", "back"), ("verify", "src.dare")):
                done = self.shifted(years * self.YEARS, *words)
                self.assertEqual(done.returncode, UNREACHABLE, (years, words, done.stderr))
                self.assertIn("certificate", done.stderr)
        self.assertEqual(self.contents("src.dare"), before)
        self.assertNotIn("back", self.names())

    def test_a_clock_that_jumps_costs_sealing_again_and_hides_no_change(self):
        # So much is within what the certificates allow.
        for seconds in (3600, -60, 0, 3600):
            (self.top / "a").write_text(f"with the clock off by {seconds} seconds\n")
            done = self.shifted(seconds, "seal", "src", "-k", self.sealed_under, "--json")
            self.assertEqual(done.returncode, DONE, done.stderr)
            self.dare("open", "src.dare", "-o", "back")
            self.assertEqual(self.contents("back"), self.contents("src"))
            shutil.rmtree(self.folder / "back")
        counts = {}

        def settled():
            counts.update(self.told(self.machine("seal", "src", "--json", cwd=self.folder))[1])
            return counts["sealed"] == 0
        self.assertTrue(fixture.eventually(settled), counts)

    def test_without_a_key_server_the_clock_does_not_matter(self):
        self.dare("key", "create", "exported", "--extractable")
        self.dare("seal", "src", "-k", "exported")
        self.dare("key", "export", "exported", "--to", "keys.json")
        for years in (20, -20):
            words = ("--offline", "--keys", "keys.json")
            self.assertEqual(self.shifted(years * self.YEARS, "verify", "src.dare", *words).returncode, DONE)
            self.assertEqual(self.shifted(years * self.YEARS, "open", "src.dare", "-o", "back", *words).returncode, DONE)
            self.assertEqual(self.contents("back"), self.contents("src"))
            shutil.rmtree(self.folder / "back")
        manifest = bytearray((self.folder / "src.dare" / "manifest").read_bytes())
        manifest[-1] ^= 1
        (self.folder / "src.dare" / "manifest").write_bytes(manifest)
        self.assertEqual(self.shifted(self.YEARS, "verify", "src.dare", *words).returncode, DAMAGED)


if __name__ == "__main__":
    unittest.main()
