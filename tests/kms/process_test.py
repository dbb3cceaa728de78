#!/usr/bin/python3
"""What the kernel lets the process of dare-kms do: nothing but its work, in every thread."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import fixture, kms  # noqa: E402

# In tenths of systemd's "exposure", which goes from 0 to 10: what docs/operations.md tells.
MOST_EXPOSURE = 15
DAC_OVERRIDE = 1 << 1


class Process(fixture.KmsTest):
    def statuses(self):
        """What /proc tells of each thread: [{name: value}]"""
        tasks = pathlib.Path(f"/proc/{self.kms.process.pid}/task")
        return [dict(re.findall(r"^(\w+):\s*(.*)$", (task / "status").read_text(), re.M)) for task in tasks.iterdir()]

    def health(self):
        return self.kms.health()[1]

    def restart_with(self, mode):
        with open(self.kms.config_file, encoding="utf-8") as config:
            has_table = "[process]" in config.read()
        if not has_table:
            with open(self.kms.config_file, "a", encoding="utf-8") as config:
                config.write("\n[process]\n")
        self.kms.configure("process", "seccomp", mode)
        self.kms.restart()

    def test_every_thread_is_filtered_and_can_get_no_privileges(self):
        if self.health()["seccomp"] == "off":
            self.skipTest("SKIPPED: a sanitized build has no filter")
        statuses = self.statuses()
        self.assertGreater(len(statuses), 3)
        for status in statuses:
            self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), status["Name"])

    def test_every_capability_is_gone_but_that_of_root_to_open_files(self):
        for status in self.statuses():
            for held in ("CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"):
                self.assertEqual(int(status[held], 16) & ~DAC_OVERRIDE, 0, held)

    def test_health_tells_which_memory_keys_are_in(self):
        self.assertIn(self.health()["key_memory"], ("secret", "locked"))

    def test_it_leaves_no_core_and_nobody_may_attach(self):
        limits = pathlib.Path(f"/proc/{self.kms.process.pid}/limits").read_text()
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        self.assertEqual(core.split()[4:6], ["0", "0"])

    def test_the_filter_is_off_only_where_the_configuration_says_so_and_health_tells(self):
        if self.health()["seccomp"] == "off":
            self.skipTest("SKIPPED: a sanitized build has no filter")
        try:
            self.restart_with("off")
            self.assertEqual(self.health()["seccomp"], "off")
            self.assertIn("filter is off", self.kms.log_tail())
            self.assertEqual({status["Seccomp"] for status in self.statuses()}, {"0"})
            self.restart_with("log")
            self.assertEqual(self.health()["seccomp"], "log")
        finally:
            self.restart_with("on")
        self.assertEqual(self.health()["seccomp"], "on")
        self.kms.configure("process", "seccomp", "maybe")
        self.assertNotEqual(self.kms.command("check-config", check=False).returncode, 0)
        self.kms.configure("process", "seccomp", "on")

    def test_it_works_under_the_filter(self):
        client = self.client()
        key = client.create("under-the-filter")
        client.activate(key)
        data, nonce, tag = client.encrypt_gcm(key, b"text")
        self.assertEqual(client.decrypt_gcm(key, data, nonce, tag), b"text")
        client.revoke(key)
        client.destroy(key)


class Unit(unittest.TestCase):
    def test_systemd_finds_the_unit_as_little_exposed_as_the_documents_say(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("SKIPPED: no systemd-analyze")
        text = (kms.ROOT / "packaging" / "systemd" / "dare-kms.service.in").read_text("utf-8")
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder) / "dare-kms.service"
            unit.write_text(text.replace("@CMAKE_INSTALL_FULL_BINDIR@", "/usr/bin"), "utf-8")
            done = subprocess.run(
                ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSURE}", unit],
                capture_output=True, text=True, timeout=60)
        if "exposure level" not in done.stdout:
            self.skipTest(f"SKIPPED: systemd-analyze cannot judge a file here: {done.stderr.strip()}")
        print(done.stdout.splitlines()[-1])
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
