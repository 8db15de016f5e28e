#!/usr/bin/env python3
"""The systemd unit: understood by systemd, little exposed, and its commands work with its settings."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "packaging", "systemd")
UNIT = os.path.join(FOLDER, "stella-orchestrator.service")
PROGRAM = os.path.join(os.environ.get("STELLA_BUILD", os.path.join(ROOT, "build", "dev")), "src", "stella")
EXPOSURE_MAX = 1.5


def entries(name):
    with open(UNIT, encoding="utf-8") as file:
        return re.findall(rf"^{name}=(.*)$", file.read(), re.M)


class Unit(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
    def test_its_exposure_is_small(self):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT], capture_output=True, text=True,
                              check=False)
        overall = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
        self.assertIsNotNone(overall, done.stdout + done.stderr)
        self.assertLessEqual(float(overall.group(1)), EXPOSURE_MAX, done.stdout)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
    def test_systemd_understands_every_line(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(UNIT, encoding="utf-8") as file:
                text = file.read().replace("/usr/bin/stella", PROGRAM)
            copy = os.path.join(folder, "stella-orchestrator.service")
            with open(copy, "w", encoding="utf-8") as file:
                file.write(text)
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False)
        ours = [line for line in done.stderr.splitlines() if "stella-orchestrator.service" in line]
        self.assertEqual([], ours, done.stderr)

    def test_its_commands_work_with_its_settings(self):
        with tempfile.TemporaryDirectory() as folder:
            data, settings = os.path.join(folder, "data"), os.path.join(folder, "settings")
            with open(os.path.join(FOLDER, "settings"), encoding="utf-8") as file:
                text = file.read().replace("/var/lib/stella-orchestrator", data)
            with open(settings, "w", encoding="utf-8") as file:
                file.write(text)
            environment = {"PATH": os.environ["PATH"], "HOME": folder}
            subprocess.run([PROGRAM, "migrate", "--data", data], check=True, env=environment, stdout=subprocess.DEVNULL)
            commands = entries("ExecStartPre") + [entries("ExecStart")[0] + " --print-settings"]
            for command in commands:
                words = command.replace("/usr/bin/stella", PROGRAM).replace("/etc/stella-orchestrator/settings", settings).split()
                done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
                self.assertNotIn("failed", done.stdout.replace("port\tfailed", ""), command)
                self.assertIn(data, done.stdout, command)

    def test_it_runs_as_nobody_in_particular(self):
        self.assertEqual(["yes"], entries("DynamicUser"))
        self.assertEqual([""], entries("CapabilityBoundingSet"))
        self.assertEqual(["yes"], entries("NoNewPrivileges"))


if __name__ == "__main__":
    unittest.main()
