#!/usr/bin/python3
"""dare seal, open, verify, rewrap and inspect of whole folders: every kind of entry, and every attack."""
import json
import os
import shutil
import socket
import stat
import struct
import subprocess
import unittest

import sealed_tree
from command_line import DAMAGED, DENIED, DONE, FAILED, USAGE, CommandLineTest, fixture
from sealed_tree import FIFO, FILE, FOLDER, LINK, record
from support.kmip_client import Client, Identity, uid

ROOT = os.geteuid() == 0


def snapshot(folder):
    """What is to come back: kind, mode, owner, time, attributes, content, holes, which names are one file."""
    found, inodes = {}, {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status, name = path.lstat(), str(path.relative_to(folder))
        if stat.S_ISSOCK(status.st_mode):
            continue
        facts = {"mode": status.st_mode, "owner": (status.st_uid, status.st_gid), "time": status.st_mtime_ns}
        facts["attributes"] = {a: os.getxattr(path, a, follow_symlinks=False)
                               for a in os.listxattr(path, follow_symlinks=False)}
        if path.is_symlink():
            facts["target"] = os.readlink(path)
        elif path.is_file():
            facts["content"] = path.read_bytes()
            facts["sparse"] = status.st_blocks * 512 < status.st_size
            facts["same as"] = inodes.setdefault(status.st_ino, name)
        elif stat.S_ISBLK(status.st_mode) or stat.S_ISCHR(status.st_mode):
            facts["device"] = status.st_rdev
        found[name] = facts
    return found


class TreeTest(CommandLineTest):
    maxDiff = 4000

    def plain(self):
        """A folder of many kinds of files."""
        top = self.folder / "src"
        (top / "sub" / "deep" / "empty").mkdir(parents=True)
        self.write("src/report", 300_001)
        self.write("src/sub/big", 10_000_000)
        self.write("src/sub/nothing", 0)
        (top / "sub.txt").write_text("sorted between a folder and what is in it\n")
        (top / "sub" / os.fsdecode(b"not \xff utf-8\n")).write_text("x")
        (top / ("n" * 255)).write_text("a long name")
        with open(top / "holes", "wb") as out:
            out.truncate(50 << 20)
            out.seek(20 << 20)
            out.write(b"data" * 1000)
        with open(top / "only-hole", "wb") as out:
            out.truncate(1 << 20)
        os.link(top / "report", top / "sub" / "other-name")
        os.symlink("../nowhere", top / "sub" / "dangling")
        os.symlink("/etc/passwd", top / "absolute")
        os.mkfifo(top / "fifo", 0o622)
        os.setxattr(top / "report", "user.note", b"\0\1binary")
        os.setxattr(top / "sub", "user.empty", b"")
        if ROOT:
            os.mknod(top / "device", 0o600 | stat.S_IFBLK, os.makedev(7, 200))
            os.chown(top / "sub" / "nothing", 1234, 2345)
            os.chown(top / "absolute", 1234, 2345, follow_symlinks=False)
            (top / "sub" / "nothing").chmod(0o4755)
            access = struct.pack("<I", 2) + b"".join(
                struct.pack("<HHI", *e) for e in ((1, 7, 2**32 - 1), (2, 5, 1234), (4, 5, 2**32 - 1), (16, 7, 2**32 - 1),
                                                  (32, 0, 2**32 - 1)))
            os.setxattr(top / "sub.txt", "system.posix_acl_access", access)
        (top / "sub" / "deep").chmod(0o555)
        self.addCleanup((top / "sub" / "deep").chmod, 0o755)
        for path in [*sorted(top.rglob("*"), reverse=True), top]:
            os.utime(path, ns=(1, 1_600_000_000_123_456_789), follow_symlinks=False)
        return top

    def counts(self, *words, expect=DONE, **more):
        done = self.machine(*words, "--json", cwd=self.folder, **more)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout} {done.stderr}")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        return events[-1], events[:-1]

    def settled(self, *words):
        """Seals until nothing is sealed anew: what was written a moment ago is sealed twice."""
        last = []

        def unchanged():
            last[:] = self.counts("seal", "src", *words)
            return last[0]["sealed"] == 0
        self.assertTrue(fixture.eventually(unchanged), last)
        return last[0]

    def extractable(self, name="tree-kek"):
        """A key whose bytes this test may read, to open and forge like a stock reader."""
        if not hasattr(type(self), "kek"):
            self.dare("key", "create", name, "--extractable")
            folder = self.machine.folder
            client = Client(self.kms.kmip, Identity(folder / "ca.crt", folder / "client.crt", folder / "client.key"))
            self.addCleanup(client.close)
            key_id = json.loads(self.dare("key", "show", name, "--json").stdout)["id"]
            type(self).kek = client.call("Get", [uid(key_id)]).value("SymmetricKey", "KeyBlock", "KeyValue", "KeyMaterial")
        return name

    def tree(self):
        return sealed_tree.Tree(self.folder / "src.dare", self.kek)


class Trees(TreeTest):
    def test_everything_comes_back_with_names_kept_and_encrypted(self):
        key, top = self.key(), self.plain()
        before = snapshot(top)
        for words in ((), ("--encrypt-names",)):
            with self.subTest(words=words):
                sealed, _ = self.counts("seal", "src/", "-k", key, *words)
                self.assertEqual((sealed["failed"], sealed["skipped"], sealed["generation"]), (0, 0, 1))
                self.assertEqual(sealed["entries"], len(before))
                verified, _ = self.counts("verify", "src.dare")
                self.assertEqual((verified["damaged"], verified["failed"]), (0, 0))
                self.dare("open", "src.dare", "-o", "back")
                self.assertEqual(snapshot(self.folder / "back"), before)
                names = subprocess.run(["find", "src.dare"], cwd=self.folder, capture_output=True, check=True).stdout
                self.assertEqual(b"sub.txt" in names, not words)
                used = sum(p.stat().st_blocks for p in (self.folder / "src.dare").rglob("*")) * 512
                self.assertLess(used, 15_000_000, "holes are not sealed")
                for path in (self.folder / "back" / "sub" / "deep", ):
                    path.chmod(0o755)
                shutil.rmtree(self.folder / "back")
                shutil.rmtree(self.folder / "src.dare")

    def test_only_what_changed_is_sealed_anew_and_what_is_gone_goes(self):
        key, top = self.key(), self.plain()
        self.counts("seal", "src", "-k", key)
        first = self.settled()
        self.assertEqual(first["unchanged"], first["files"] - 1, "a linked file counts once")
        (top / "sub.txt").write_text("changed")
        (top / "only-hole").unlink()
        (top / "new").write_text("new")
        os.rename(top / "report", top / "renamed")
        (top / "sub").chmod(0o700)
        again, _ = self.counts("seal", "src")
        self.assertEqual(again["removed"], 2)
        self.assertEqual(again["generation"], first["generation"] + 1)
        self.assertLessEqual(again["sealed"], 5)
        self.dare("open", "src.dare", "-o", "back")
        self.assertEqual(snapshot(self.folder / "back"), snapshot(top))
        messages = [p for p in (self.folder / "src.dare").rglob("*") if p.is_file()]
        self.assertEqual(len(messages), again["files"] - 1 + 3, "key block, manifest, lock, one message a file")

    def test_one_bad_file_stops_nothing_and_its_older_version_stays(self):
        if not ROOT:
            self.skipTest("SKIPPED: needs a file that even root cannot read")
        key, top = self.key(), self.plain()
        self.settled("-k", key)
        # A file of the kernel that has fewer bytes than it says, bound over it: like one that is cut while it is read.
        bad = top / "sub.txt"
        done = subprocess.run(["mount", "--bind", "/sys/kernel/fscaps", str(bad)], capture_output=True)
        if done.returncode != 0:
            self.skipTest("SKIPPED: may not mount here")
        try:
            sealed, events = self.counts("seal", "src", expect=FAILED)
            self.assertEqual((sealed["failed"], sealed["kept"]), (1, 1), events)
            self.assertEqual(events[0]["path"], "sub.txt")
        finally:
            subprocess.run(["umount", str(bad)], check=True)
        self.dare("open", "src.dare", "-o", "back")
        self.assertEqual(snapshot(self.folder / "back"), snapshot(top))

    def test_sockets_are_told_and_left_out(self):
        key, top = self.key(), self.plain()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(top / "socket"))
            sealed, events = self.counts("seal", "src", "-k", key)
        self.assertEqual(sealed["skipped"], 1)
        self.assertEqual((events[0]["event"], events[0]["path"]), ("skipped", "socket"))

    def test_rewrap_changes_the_key_block_alone(self):
        key = self.key()
        self.plain()
        self.dare("seal", "src", "-k", key)
        before = {p: p.read_bytes() for p in (self.folder / "src.dare").rglob("*") if p.is_file()}
        rotation = json.loads(self.dare("key", "rotate", key, "--json").stdout)
        self.dare("rewrap", "src.dare", "-k", key)
        changed = [p.name for p, content in before.items() if p.read_bytes() != content]
        self.assertEqual(changed, ["key-block"])
        facts = json.loads(self.dare("inspect", "src.dare", "--json").stdout)
        self.assertEqual({k["key"] for slot in facts["slots"] for k in slot["keys"]}, {rotation["new"]})
        self.assertEqual(facts["generation"], "1")
        self.assertIn("sealed folder, generation 1", self.dare("inspect", "src.dare").stdout.decode())
        self.dare("key", "revoke", rotation["old"])
        self.dare("verify", "src.dare")
        self.dare("key", "revoke", key)
        self.dare("verify", "src.dare", expect=DENIED)
        self.dare("open", "src.dare", "-o", "back", expect=DENIED)
        self.assertNotIn("back", self.names())

    def test_what_it_refuses(self):
        key, _ = self.key(), self.plain()
        self.dare("seal", "src", "-o", "-", "-k", key, expect=USAGE)
        (self.folder / "mine").mkdir()
        (self.folder / "mine" / "file").write_text("x")
        self.dare("seal", "src", "-o", "mine", "-k", key, expect=FAILED)
        self.dare("open", "mine", "-o", "back", expect=DAMAGED)
        self.dare("seal", "src", "-k", key)
        self.dare("seal", "src", "--encrypt-names", expect=USAGE)
        done = self.dare("open", "src.dare", "-o", "mine", expect=FAILED)
        self.assertIn("not empty", done.stderr)
        self.assertEqual((self.folder / "mine" / "file").read_text(), "x")
        self.dare("open", "src.dare", "-o", "mine", "--force")
        opened, _ = self.counts("open", "src.dare", "-o", "mine", "--resume")
        self.assertEqual(opened["there"], opened["files"] - 1)
        self.dare("verify", "src.dare", "--at-least-generation", 1)
        self.dare("verify", "src.dare", "--at-least-generation", 2, expect=DAMAGED)

    def test_a_full_disk_ends_the_run_and_the_next_one_goes_on(self):
        disk = self.folder / "disk"
        disk.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(disk)]
        if subprocess.run(words, capture_output=True).returncode != 0:
            self.skipTest("SKIPPED: may not mount a small tmpfs here")
        self.addCleanup(subprocess.run, ["umount", str(disk)], check=True)
        key, top = self.key(), self.folder / "src"
        top.mkdir()
        for number in range(10):
            self.write(f"src/f{number}", 1_000_000)
        done = self.dare("seal", "src", "-o", disk / "src.dare", "-k", key, expect=FAILED)
        self.assertIn("no space left", done.stderr)
        self.dare("verify", disk / "src.dare", expect=DAMAGED)  # nothing counts before there is a manifest
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        sealed, _ = self.counts("seal", "src", "-o", disk / "src.dare")
        self.assertEqual(sealed["files"], 10)
        self.dare("open", disk / "src.dare", "-o", "back")
        self.assertEqual(snapshot(self.folder / "back"), snapshot(top))
        subprocess.run(["mount", "-o", "remount,size=12m", str(disk)], check=True)
        done = self.dare("open", disk / "src.dare", "-o", disk / "back", expect=FAILED)
        self.assertIn("--resume", done.stderr)
        for path in (disk / "back").iterdir():
            self.assertEqual(path.read_bytes(), (top / path.name).read_bytes(), "only whole files are there")

    def test_a_tree_inside_what_it_seals_leaves_itself_out(self):
        key, top = self.key(), self.plain()
        sealed, events = self.counts("seal", "src", "-o", "src/own.dare", "-k", key)
        self.assertEqual([e["path"] for e in events], ["own.dare"])
        self.dare("open", "src/own.dare", "-o", "back")
        self.assertFalse((self.folder / "back" / "own.dare").exists())

    def test_a_stock_reader_opens_the_manifest_and_each_file(self):
        key, top = self.extractable(), self.plain()
        self.dare("seal", "src", "-k", key, "--encrypt-names", "-c", "tenant=acme")
        tree = self.tree()
        self.assertEqual(tree.manifest().context, {"tenant": "acme", "tree-part": "manifest", "tree-gen": "1"})
        contents = {}
        for kind, _, _, name, rest in tree.read().entries():
            if kind == FILE:
                message_id = rest[22 + 16:22 + 48].hex()
                sealed = (self.folder / "src.dare" / "data" / message_id[:2] / message_id[2:32]).read_bytes()
                contents[name] = sealed_tree.Message(sealed).open(tree.key)
        self.assertEqual(contents[b"report"], (top / "report").read_bytes())
        self.assertEqual(contents[b"big"], (top / "sub" / "big").read_bytes())
        self.assertEqual(contents[b"only-hole"], b"")
        small = len(b"sorted between a folder and what is in it\n")
        path = next(p for p in (self.folder / "src.dare" / "data").rglob("*")
                    if p.is_file() and sealed_tree.Message(p.read_bytes()).open(tree.key) == contents[b"sub.txt"])
        self.assertEqual(path.stat().st_size, small + 250)


class Attacks(TreeTest):
    def setUp(self):
        super().setUp()
        self.extractable()
        (self.folder / "src" / "d").mkdir(parents=True)
        for name in ("a", "b", "d/c"):
            self.write(f"src/{name}", 5000, name.encode())
        self.dare("seal", "src", "-k", "tree-kek")
        self.sealed = self.folder / "src.dare"

    def data(self, name):
        return next((self.sealed / "files").rglob(f"{name}.*.esdk"))

    def refused(self, what, bad=None):
        """Exit code 5 of verify and open; `bad` are the entries that are told, none when nothing may be touched."""
        done = self.machine("verify", "src.dare", "--json", cwd=self.folder)
        self.assertEqual(done.returncode, DAMAGED, f"{what}: {done.stderr}")
        opened = self.machine("open", "src.dare", "-o", "out", "--json", cwd=self.folder)
        self.assertEqual(opened.returncode, DAMAGED, f"{what}: {opened.stderr}")
        if bad is None:
            self.assertNotIn("out", self.names(), what)
            return
        told = [json.loads(line) for line in opened.stdout.splitlines()]
        self.assertEqual([e["path"] for e in told if e["event"] == "failed"], bad, what)
        for name in ("a", "b", "d/c"):
            self.assertEqual((self.folder / "out" / name).exists(), name not in bad, f"{what}: {name}")
        shutil.rmtree(self.folder / "out")

    def test_files_removed_swapped_cut_extended_or_of_another_time(self):
        a, b = self.data("a"), self.data("b")
        first, second = a.read_bytes(), b.read_bytes()
        for what, content in (("cut", first[:-1]), ("extended", first + b"\0"), ("swapped", second), ("empty", b""),
                              ("flipped", first[:300] + bytes([first[300] ^ 1]) + first[301:])):
            a.write_bytes(content)
            self.refused(what, ["a"])
        a.unlink()
        self.refused("removed", ["a"])
        a.symlink_to(b)
        self.refused("a link in its place", ["a"])
        a.unlink()
        os.mkfifo(a)
        self.refused("a pipe in its place", ["a"])
        a.unlink()
        for name in ("manifest", "key-block", "lock"):
            kept = (self.sealed / name).read_bytes()
            (self.sealed / name).unlink()
            os.mkfifo(self.sealed / name)
            self.dare("open", "src.dare", "-o", "out", expect=DAMAGED)
            (self.sealed / name).unlink()
            (self.sealed / name).write_bytes(kept)
            shutil.rmtree(self.folder / "out", ignore_errors=True)
        a.write_bytes(first)
        old = first
        self.write("src/a", 5000, b"newer")
        self.dare("seal", "src")
        self.data("a").write_bytes(old)
        self.refused("rolled back", ["a"])

    def test_a_whole_tree_rolled_back_is_told_by_its_generation(self):
        shutil.copytree(self.sealed, self.folder / "old")
        self.write("src/a", 10)
        now, _ = self.counts("seal", "src")
        shutil.rmtree(self.sealed)
        shutil.copytree(self.folder / "old", self.sealed)
        self.dare("verify", "src.dare")
        done = self.dare("verify", "src.dare", "--at-least-generation", now["generation"], expect=DAMAGED)
        self.assertIn("generation 1", done.stderr)

    def test_parts_of_another_tree(self):
        self.dare("seal", "src", "-o", "other.dare", "-k", "tree-kek")
        for name in ("key-block", "manifest"):
            kept = (self.sealed / name).read_bytes()
            (self.sealed / name).write_bytes((self.folder / "other.dare" / name).read_bytes())
            self.refused(f"{name} of another tree")
            (self.sealed / name).unlink()
            self.refused(f"no {name}")
            (self.sealed / name).write_bytes(kept)
        self.dare("verify", "src.dare")

    def test_content_of_a_file_never_stands_for_the_manifest(self):
        tree = self.tree()
        manifest = tree.read()
        records = [record(FOLDER, 0, b"", b"")]
        manifest.records = [*records, sealed_tree.end(records)]
        tree.write(manifest, context={"x": "y"})
        self.refused("without the pair that makes it a manifest")
        tree.write(manifest, context={"tree-part": "manifest", "tree-gen": "7"})
        self.refused("of another generation than it says")

    def test_names_that_lead_out_of_the_folder(self):
        tree = self.tree()
        part = tree.data(b"evil")
        for name in (b"..", b".", b"", b"/etc/evil", b"../evil", b"d/../../evil", b"a\0b", b"x" * 256):
            tree.forge([record(FILE, 1, name, part)], 4)
            self.refused(f"a file {name!r}")
            tree.forge([record(FOLDER, 1, name, b""), record(FILE, 2, b"evil", part)], 4)
            self.refused(f"a folder {name!r}")
        self.assertFalse((self.folder / "evil").exists())

    def test_a_link_with_the_name_of_a_folder_leads_nowhere(self):
        tree = self.tree()
        part = tree.data(b"evil")
        outside = self.folder / "outside"
        outside.mkdir()
        target = sealed_tree.text(str(outside).encode())
        link = record(LINK, 1, b"d", target)
        for records in ([link, record(FILE, 2, b"evil", part)], [link, record(FOLDER, 1, b"d", b"")],
                        [record(FOLDER, 1, b"d", b""), link], [link, link]):
            tree.forge(records, 4)
            self.refused("a link and a folder of one name")
        # In a target that is there, a link of somebody else is not followed.
        tree.forge([record(FOLDER, 1, b"d", b""), record(FILE, 2, b"evil", part), record(FILE, 1, b"f", part)], 8)
        (self.folder / "out").mkdir()
        os.symlink(outside, self.folder / "out" / "d")
        os.symlink(outside / "f", self.folder / "out" / "f")
        self.dare("open", "src.dare", "-o", "out", "--force")
        self.assertEqual(list(outside.iterdir()), [])
        self.assertEqual((self.folder / "out" / "d" / "evil").read_bytes(), b"evil")

    def test_duplicates_disorder_and_depth(self):
        tree = self.tree()
        part = tree.data(b"x")
        one, two = record(FILE, 1, b"a", part), record(FILE, 1, b"b", part)
        deep = [record(FOLDER, depth, b"d" * 200, b"") for depth in range(1, 40)]
        for records, what in (([one, one], "twice"), ([two, one], "disorder"), ([record(FILE, 2, b"a", part)], "no folder"),
                              ([one, record(FILE, 2, b"b", part)], "below a file"), (deep, "too deep"),
                              ([record(FILE, 65535, b"a", part)], "far too deep")):
            tree.forge(records, 2)
            self.refused(what)

    def test_sizes_that_lie(self):
        tree = self.tree()
        part = tree.data(b"content")
        for size in (6, 8, 2**40, 2**63):
            tree.forge([record(FILE, 1, b"a", struct.pack(">Q", size) + part[8:])], size)
            done = self.machine("open", "src.dare", "-o", "out", cwd=self.folder)
            self.assertEqual(done.returncode, DAMAGED, f"{size}: {done.stderr}")
            self.assertFalse((self.folder / "out" / "a").exists())
            shutil.rmtree(self.folder / "out", ignore_errors=True)
        for extents in ([(0, 2**40)], [(0, 4), (2, 3)], [(4, 3), (0, 4)], [(2**63, 7)]):
            body = struct.pack(">I", len(extents)) + b"".join(struct.pack(">QQ", *e) for e in extents)
            tree.forge([record(FILE, 1, b"a", part + body, flags=2)], 7)
            self.refused(f"extents {extents}")
        tree.forge([record(FILE, 1, b"a", part + struct.pack(">I", 2**32 - 1), flags=2)], 7)
        self.refused("four billion extents")
        manifest = tree.read()
        manifest.records = manifest.records[:1]
        plain = manifest.encode() + struct.pack(">I", 2**32 - 1)
        context = {"tree-part": "manifest", "tree-gen": str(manifest.generation)}
        (self.sealed / "manifest").write_bytes(sealed_tree.seal(plain, tree.key, tree.name, context))
        self.refused("a record of four gigabytes")
        tree.forge([record(LINK, 1, b"l", sealed_tree.text(b"x"), flags=4)[:-1]])
        self.refused("attributes that are not there")

    def test_headers_that_promise_too_much(self):
        """Sixty thousand wrapped keys, more of them than there are bytes, lengths beyond the end, frames of four gigabytes."""
        def lies(data):
            count = 35 + 2 + struct.unpack(">H", data[35:37])[0]  # where the number of wrapped keys stands
            message = sealed_tree.Message(data)
            one = b"".join(sealed_tree.text(part) for part in message.edks[0])
            behind = count + 2 + len(one)
            yield "65535 wrapped keys", data[:count] + b"\xff\xff" + data[count + 2:]
            yield "no wrapped keys", data[:count] + b"\0\0" + data[behind:]
            yield "60000 wrapped keys", data[:count] + struct.pack(">H", 60_000) + one * 60_000 + data[behind:]
            yield "a context of 65535 bytes", data[:35] + b"\xff\xff" + data[37:]
            yield "a wrapped key of 65535 bytes", data[:behind - 50] + b"\xff\xff" + data[behind - 48:]
            for length in (0, 2**32 - 1):
                yield f"frames of {length} bytes", data[:behind + 1] + struct.pack(">I", length) + data[behind + 5:]

        for name in ("manifest", "key-block"):
            path = self.sealed / name
            good = path.read_bytes()
            for what, bad in lies(good if name == "manifest" else good[:4096]):
                path.write_bytes(bad if name == "manifest" else bad[:4096] * 2)
                self.refused(f"{name}: {what}")
            path.write_bytes(good)
        tree, good = self.tree(), self.data("a").read_bytes()
        message_id, tag = sealed_tree.Message(good).id, sealed_tree.Message(good).tag
        place = self.sealed / "data" / message_id[:1].hex() / message_id[1:16].hex()
        place.parent.mkdir(parents=True, exist_ok=True)
        for what, bad in lies(good):
            place.write_bytes(bad)
            # A manifest that knows it as it is: else its size alone would tell.
            part = struct.pack(">QQ", 5000, len(bad)) + message_id + tag + bad[-16:] + struct.pack(">QqI", 0, 0, 0)
            tree.forge([record(FILE, 1, b"x", part)], 5000)
            done = self.machine("open", "src.dare", "-o", "out", cwd=self.folder)
            self.assertEqual(done.returncode, DAMAGED, f"{what}: {done.stderr}")
            self.assertEqual(list((self.folder / "out").iterdir()), [], what)
            shutil.rmtree(self.folder / "out")

    def test_totals_that_lie(self):
        tree = self.tree()
        records = [record(FOLDER, 0, b"", b"")]
        for lie in (records * 2, []):
            manifest = tree.read()
            manifest.records = [*records, sealed_tree.end(lie)]
            tree.write(manifest)
            self.refused("a wrong number of entries")
        manifest.records = records
        tree.write(manifest)
        self.refused("no end")

    def test_kinds_nobody_knows(self):
        tree = self.tree()
        for kind in (7, 100, 254):
            tree.forge([record(kind, 1, b"k", b"")])
            self.refused(f"kind {kind}")
        tree.forge([record(FIFO, 1, b"k", b"", mode=0o170777)])
        self.refused("a mode with a type in it")

    def test_sealing_as_root_is_led_astray_by_nothing_in_the_sealed_tree(self):
        outside = self.folder / "outside"
        outside.mkdir()
        shutil.rmtree(self.sealed / "files")
        os.symlink(outside, self.sealed / "files")
        self.counts("seal", "src", expect=FAILED)
        self.assertEqual(list(outside.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
