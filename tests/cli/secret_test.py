#!/usr/bin/python3
"""dare secret: passwords kept wrapped, as a person, a script and a program's password command use them."""
import json
import os
import pathlib
import pty
import re
import signal
import socket
import stat
import subprocess
import threading
import unittest

from command_line import DAMAGED, DENIED, DONE, FAILED, UNREACHABLE, USAGE, CommandLineTest, Machine, fixture
from support.cutting_proxy import CuttingProxy


class SecretTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.store = self.folder / "secrets"

    def secret(self, verb, *words, **more):
        return self.dare("secret", verb, *words, "--store", self.store, **more)

    def show(self, name, *words):
        return self.secret("show", name, *words).stdout

    def file(self, name):
        return self.store / f"{name}.secret"

    def files(self):
        return sorted(p.name for p in self.store.iterdir())


class Secrets(SecretTest):
    def test_each_form_is_what_it_says(self):
        key = self.key()
        for words, shape in (((), rb"[0-9a-f]{64}\n"), (("--format", "base64url"), rb"[A-Za-z0-9_-]{43}\n"),
                             (("--format", "passphrase"), rb"([a-z]{5}-){7}[a-z]{5}\n"),
                             (("--bytes", "16"), rb"[0-9a-f]{32}\n")):
            with self.subTest(words=words):
                self.assertEqual(self.secret("create", "s", "--key", key, *words, "--force").stdout, b"")
                first = self.show("s")
                self.assertRegex(first, rb"\A" + shape + rb"\Z")
                self.assertEqual(self.show("s"), first, "the same at every use")
                self.assertEqual(self.show("s", "-n"), first[:-1])

    def test_a_file_has_the_size_that_its_format_tells(self):
        self.secret("create", "restic", "--key", self.key())
        self.assertEqual(self.file("restic").stat().st_size, 371, "docs/formats/secret.md")

    def test_what_is_brought_is_given_back(self):
        key = self.key()
        pem = b"-----BEGIN KEY-----\nabc\n-----END KEY-----\n"
        for name, given, shown in (("line", b"pass word\n", b"pass word\n"), ("bare", b"pass word", b"pass word\n"),
                                   ("pem", pem, pem), ("umlaut", "schön".encode(), "schön\n".encode())):
            self.secret("import", name, "--key", key, input=given)
            self.assertEqual(self.show(name), shown)
        every = bytes(range(256)) * 256
        self.secret("import", "binary", "--binary", "--key", key, input=every)
        self.assertEqual(self.show("binary"), every)
        self.assertIn("--binary", self.secret("import", "x", "--key", key, input=b"a\0b", expect=USAGE).stderr)
        for nothing in (b"", b"\n"):
            self.secret("import", "x", "--key", key, input=nothing, expect=USAGE)
        self.secret("import", "x", "--key", key, input=b"x" * 65537, expect=FAILED)
        self.assertNotIn("x.secret", self.files())

    def test_the_store_is_private_and_beside_the_configuration(self):
        machine = Machine(self.kms, "own-store")
        self.assertEqual(machine("key", "create", "own").returncode, DONE)
        self.assertEqual(machine("secret", "create", "s", "--key", "own").returncode, DONE)
        file = machine.folder / "secrets" / "s.secret"
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(file.parent.stat().st_mode), 0o700)
        elsewhere = self.folder / "elsewhere"
        machine.configure("secrets_dir = 'secrets'", f"secrets_dir = '{elsewhere}'")
        self.assertEqual(machine("secret", "show", "s").returncode, FAILED)
        self.assertEqual(machine("secret", "create", "s", "--key", "own").returncode, DONE)
        self.assertTrue((elsewhere / "s.secret").exists())
        elsewhere.chmod(0o770)
        refused = machine("secret", "show", "s")
        self.assertEqual((refused.returncode, refused.stdout), (FAILED, b""))
        self.assertIn("chmod 700", refused.stderr)

    def test_never_overwrites_unasked(self):
        key = self.key()
        self.secret("create", "s", "--key", key)
        before = self.show("s")
        for words, given in ((("create", "s"), None), (("import", "s"), b"other")):
            self.assertIn("--force", self.secret(*words, "--key", key, input=given, expect=FAILED).stderr)
        self.assertEqual(self.show("s"), before)
        self.secret("import", "s", "--key", key, "--force", input=b"other")
        self.assertEqual(self.show("s"), b"other\n")

    def test_of_many_that_create_one_wins(self):
        key = self.key()
        running = [self.machine.start("secret", "create", "race", "--key", key, "--store", str(self.store),
                                      stderr=subprocess.PIPE) for _ in range(6)]
        codes = []
        for process in running:
            process.communicate(timeout=60)
            codes.append(process.returncode)
        self.assertEqual(sorted(codes), [DONE] + 5 * [FAILED])
        self.assertEqual(self.files(), ["race.secret"])
        self.assertRegex(self.show("race"), rb"\A[0-9a-f]{64}\n\Z")

    def test_list_needs_neither_key_nor_server(self):
        self.assertEqual(json.loads(self.secret("list", "--json").stdout), [])
        key = self.key()
        key_id = json.loads(self.dare("key", "show", key, "--json").stdout)["id"]
        self.secret("create", "b", "--key", key)
        self.secret("import", "a", "--key", key, input=b"x")
        nowhere = ("--config", self.folder / "none.toml")
        listed = json.loads(self.secret("list", "--json", *nowhere).stdout)
        self.assertEqual([(s["name"], s["form"], s["keys"]) for s in listed],
                         [("a", "text", [key_id]), ("b", "hex", [key_id])])
        self.assertRegex(listed[0]["made"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        table = self.secret("list").stdout.decode().splitlines()
        self.assertEqual([line.split()[0] for line in table], ["NAME", "a", "b"])

    def test_remove_takes_one_away(self):
        key = self.key()
        for name in ("a", "b"):
            self.secret("create", name, "--key", key)
        self.secret("remove", "a")
        self.assertEqual(self.files(), ["b.secret"])
        for verb in ("remove", "show"):
            self.assertIn("no secret a", self.secret(verb, "a", expect=FAILED).stderr)

    def test_names_that_lead_elsewhere(self):
        key = self.key()
        for name in ("../x", "a/b", ".x", "a b", "", "x" * 101):
            for words in (("create", name, "--key", key), ("show", name), ("remove", name)):
                self.secret(*words, expect=USAGE)
        self.assertEqual(self.names(), [])

    def test_rewrap_moves_to_another_key(self):
        key, other = self.key("rewrap-1"), self.key("rewrap-2")
        for name in ("a", "b", "c"):
            self.secret("create", name, "--key", key)
        before = {name: self.show(name) for name in "abc"}
        made = {s["name"]: s["made"] for s in json.loads(self.secret("list", "--json").stdout)}
        rotation = json.loads(self.dare("key", "rotate", key, "--json").stdout)
        self.assertEqual(self.show("a"), before["a"], "the old key goes on opening")
        self.secret("rewrap", "a", "--key", other)
        self.assertEqual(self.secret("rewrap", "--all", "--key", key, "-k", other).stdout.count(b"\n"), 3)
        listed = json.loads(self.secret("list", "--json").stdout)
        self.assertEqual({len(s["keys"]) for s in listed}, {2})
        self.assertNotIn(rotation["old"], [k for s in listed for k in s["keys"]])
        self.assertEqual({s["name"]: s["made"] for s in listed}, made)
        self.dare("key", "revoke", rotation["old"])
        self.assertEqual({name: self.show(name) for name in "abc"}, before)
        for words in ((), ("a", "--all")):
            self.secret("rewrap", *words, "--key", key, expect=USAGE)

    def test_rewrap_does_what_it_can_and_tells_the_rest(self):
        key, other = self.key("rewrap-3"), self.key("rewrap-4")
        for name in ("a", "b", "c"):
            self.secret("create", name, "--key", key)
        self.file("b").write_bytes(b"nonsense")
        done = self.secret("rewrap", "--all", "--key", other, expect=DAMAGED)
        self.assertEqual([line.split(b":")[0] for line in done.stdout.splitlines()], [b"a", b"c"])
        self.assertIn("secret b", done.stderr)


class Refusals(SecretTest):
    def test_a_revoked_key_shows_nothing_more(self):
        key = self.key()
        self.secret("create", "s", "--key", key)
        self.dare("key", "revoke", key)
        done = self.secret("show", "s", expect=DENIED)
        self.assertEqual(done.stdout, b"")
        self.secret("create", "t", "--key", key, expect=DENIED)
        self.assertEqual(self.files(), ["s.secret"])

    def test_another_machine_may_not(self):
        self.secret("create", "s", "--key", self.key())
        eve = Machine(self.kms, "eve")
        done = eve("secret", "show", "s", "--store", self.store)
        self.assertEqual((done.returncode, done.stdout), (DENIED, b""))

    def test_swapped_renamed_cut_or_altered(self):
        key = self.key()
        for name in ("a", "b"):
            self.secret("create", name, "--key", key)
        good = {name: self.file(name).read_bytes() for name in "ab"}
        at = good["a"].index(b"\0\4kmip") + 8  # the key's id: to the server it is a key it has never seen
        flipped = bytearray(good["a"])
        flipped[at + 3] ^= 1
        renamed = good["b"].replace(b"\0\4name\0\1b", b"\0\4name\0\1a")
        self.assertNotEqual(renamed, good["b"])
        for content, what in ((good["b"], "swapped"), (renamed, "renamed in the file, too"), (good["a"][:-1], "cut"),
                              (good["a"] + b"\0", "longer"), (b"", "empty"), (bytes(flipped), "key id"),
                              (good["a"][:-20] + b"x" * 20, "tag")):
            with self.subTest(what=what):
                self.file("a").write_bytes(content)
                done = self.secret("show", "a", expect=DAMAGED)
                self.assertEqual(done.stdout, b"")
                self.assertIn("secret a", done.stderr)
                self.secret("rewrap", "a", "--key", key, expect=DAMAGED)
                self.assertEqual(self.file("a").read_bytes(), content)
        listed = self.secret("list", "--json", expect=DONE)
        self.file("a").write_bytes(good["b"])
        listed = self.secret("list", "--json", expect=DAMAGED)
        self.assertEqual([("error" in s) for s in json.loads(listed.stdout)], [True, False])

    def test_nobody_answers(self):
        machine = Machine(self.kms, "lonely")
        self.assertEqual(machine("key", "create", "lonely").returncode, DONE)
        self.assertEqual(machine("secret", "create", "s", "--key", "lonely").returncode, DONE)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            machine.configure(f"127.0.0.1:{self.kms.kmip[1]}", f"127.0.0.1:{silent.getsockname()[1]}")
            machine.configure("connect_seconds = 5", "connect_seconds = 0.3")
            machine.configure("request_seconds = 15", "request_seconds = 0.5")
            for words in (("show", "s"), ("create", "t", "--key", "lonely"), ("rewrap", "--all", "--key", "lonely")):
                done = machine("secret", *words, timeout=20)
                self.assertEqual((done.returncode, done.stdout), (UNREACHABLE, b""), words)
            self.assertEqual(machine("secret", "list").returncode, DONE)
        self.assertEqual(sorted(p.name for p in (machine.folder / "secrets").iterdir()), ["s.secret"])

    def test_the_server_lost_in_the_middle(self):
        """It wraps the key of the secret, and is gone before anybody hears of it."""
        machine = Machine(self.kms, "midway")
        self.assertEqual(machine("key", "create", "midway").returncode, DONE)

        def wrapped():
            if not any(r["operation"] == "Encrypt" and r["principal"] == "midway" for r in self.kms.audit_records()):
                return False
            proxy.listener.shutdown(socket.SHUT_RDWR)  # and nobody answers from then on
            return True

        proxy = CuttingProxy(self.kms.kmip, wrapped)
        self.addCleanup(proxy.listener.close)
        machine.configure(f"127.0.0.1:{self.kms.kmip[1]}", f"127.0.0.1:{proxy.address[1]}")
        done = machine("secret", "create", "s", "--key", "midway")
        self.assertEqual(proxy.cuts, 1, "no answer was lost: the test shows nothing")
        self.assertEqual(done.returncode, UNREACHABLE, done.stderr)
        self.assertEqual(list((machine.folder / "secrets").iterdir()), [])


class Terminal(SecretTest):
    def on_a_terminal(self, *words, typed=b""):
        """Runs dare with a terminal for everything; (exit code, what the screen showed)."""
        pid, screen = pty.fork()
        if pid == 0:
            os.environ["DARE_CONFIG"] = str(self.machine.config)
            os.execv(self.kms.programs.dare, [str(self.kms.programs.dare), *map(str, words)])
        shown = b""
        try:
            lines = typed.splitlines(keepends=True)
            while True:
                if lines and shown.count(b": ") > len(typed.splitlines()) - len(lines):
                    os.write(screen, lines.pop(0))
                part = os.read(screen, 4096)
                shown += part
        except OSError:
            pass  # the other end is closed
        finally:
            os.close(screen)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown

    def test_a_secret_is_not_thrown_at_a_terminal(self):
        self.secret("import", "s", "--key", self.key(), input=b"tiger")
        code, shown = self.on_a_terminal("secret", "show", "s", "--store", self.store)
        self.assertEqual(code, USAGE)
        self.assertNotIn(b"tiger", shown)
        code, shown = self.on_a_terminal("secret", "show", "s", "--store", self.store, "--force")
        self.assertEqual((code, shown), (DONE, b"tiger\r\n"))

    def test_a_person_types_it_twice_and_does_not_see_it(self):
        key = self.key()
        words = ("secret", "import", "s", "--key", key, "--store", self.store)
        code, shown = self.on_a_terminal(*words, typed=b"tiger\ntigre\n")
        self.assertEqual(code, USAGE, shown)
        self.assertNotIn(b"tig", shown)
        self.assertFalse(self.file("s").exists())
        code, shown = self.on_a_terminal(*words, typed=b"tiger\ntiger\n")
        self.assertEqual(code, DONE, shown)
        self.assertNotIn(b"tiger", shown)
        self.assertEqual(self.show("s"), b"tiger\n")


class Leaks(SecretTest):
    def test_the_secret_is_on_no_disk_and_in_no_audit_log(self):
        key = self.key()
        self.secret("create", "made", "--key", key)
        self.secret("import", "brought", "--key", key, input=b"a-secret-that-is-brought")
        values = [self.show("made").strip(), b"a-secret-that-is-brought"]
        self.secret("rewrap", "--all", "--key", key)
        for top in (self.folder, self.machine.folder, self.kms.folder):
            for path in top.rglob("*"):
                if path.is_file():
                    for value in values:
                        self.assertNotIn(value, path.read_bytes(), path)

    def test_an_interrupted_import_leaves_nothing(self):
        key = self.key()
        self.secret("create", "other", "--key", key)
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.machine.start("secret", "import", "s", "--key", key, "--store", str(self.store),
                                         stdin=subprocess.PIPE, stderr=subprocess.PIPE)
            self.addCleanup(process.stderr.close)
            process.stdin.write(b"x" * 65537)  # more than a pipe holds: it reads, and waits for the end
            process.stdin.flush()
            self.assertEqual(self.interrupt(process, number), 128 + number)
            process.stdin.close()
            self.assertEqual(self.files(), ["other.secret"])

    def test_an_interrupted_wait_for_the_lock_ends_at_once(self):
        key = self.key()
        self.secret("create", "s", "--key", key)
        before = self.file("s").read_bytes()
        holder = subprocess.Popen(["flock", str(self.store), "-c", "echo held; read x"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        self.addCleanup(holder.stdout.close)
        self.assertEqual(holder.stdout.readline(), b"held\n")
        process = self.machine.start("secret", "rewrap", "s", "--key", key, "--store", str(self.store),
                                     stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        try:
            waiting = re.compile(rf"(?m)^.*->.* {process.pid} ")
            self.assertTrue(fixture.eventually(lambda: waiting.search(pathlib.Path("/proc/locks").read_text())))
            self.assertEqual(self.show("s"), self.show("s"), "who only reads does not wait")
            self.assertEqual(self.interrupt(process), 130)
        finally:
            holder.communicate(b"\n")
        self.assertEqual(self.file("s").read_bytes(), before)


class ManyAtOnce(SecretTest):
    def test_who_reads_while_others_rewrap_always_gets_it(self):
        key, other = self.key("many-1"), self.key("many-2")
        self.secret("create", "s", "--key", key)
        value, wrong, end = self.show("s"), [], threading.Event()

        def read():
            while not end.is_set():
                done = self.machine("secret", "show", "s", "--store", self.store)
                if done.stdout != value:
                    wrong.append(done)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for turn in range(10):
                self.secret("rewrap", "s", "--key", (other, key)[turn % 2])
        finally:
            end.set()
            reader.join()
        self.assertEqual(wrong, [])
        self.assertEqual(self.files(), ["s.secret"])


if __name__ == "__main__":
    unittest.main()
