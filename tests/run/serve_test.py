"""./run without --once: it serves, keeps its workers, and ends when asked; wrong options are refused."""
import os
import signal
import subprocess
import threading
import unittest
import urllib.request

from rig import PATIENCE_S, ROOT, Folder, free_port, once, processes_of, start


class Reader:
    """The lines that a process prints, waited for with an end."""

    def __init__(self, process):
        self.lines, self.changed = [], threading.Condition()
        self.thread = threading.Thread(target=self.read, args=(process.stdout,), daemon=True)
        self.thread.start()

    def read(self, stream):
        for line in stream:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()
        with self.changed:
            self.lines.append("")
            self.changed.notify_all()

    def wait_for(self, text):
        with self.changed:
            return self.changed.wait_for(
                lambda: any(text in line for line in self.lines) or self.lines[-1:] == [""], PATIENCE_S) and \
                any(text in line for line in self.lines)


class Serve(unittest.TestCase):
    def test_it_goes_on_serving_and_replaces_a_killed_worker(self):
        port = free_port()
        with Folder() as folder:
            process = start(folder, "--port", str(port))
            reader = Reader(process)
            try:
                self.assertTrue(reader.wait_for("Look around with"), "".join(reader.lines))
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
                    self.assertEqual(answer.status, 200)
                worker = [pid for pid, line in processes_of(folder) if "stella-vex" in line]
                self.assertEqual(len(worker), 1)
                os.kill(worker[0], signal.SIGKILL)
                self.assertTrue(reader.wait_for("worker vex ended; starting it again"))
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=60)
            self.assertEqual(process.returncode, 130)
            self.assertEqual(processes_of(os.path.join(folder, "data")), [])
            process.stdout.close()

    def test_a_port_in_use_is_said_plainly(self):
        import socket
        with Folder() as folder, socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            status, text = once(folder, "--port", str(taken.getsockname()[1]))
        self.assertEqual(status, 1)
        self.assertIn("something listens on port", text)


class Options(unittest.TestCase):
    def refused(self, *options):
        done = subprocess.run([os.path.join(ROOT, "run"), *options], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        return done.stderr

    def test_unknown_options_are_refused(self):
        self.assertIn("unknown option '--frob'", self.refused("--frob"))

    def test_a_value_is_asked_for(self):
        self.assertIn("--out needs a value", self.refused("--out"))

    def test_a_port_is_a_number(self):
        self.assertIn("--port x", self.refused("--port", "x"))

    def test_a_feed_is_a_folder(self):
        self.assertIn("there is no such folder", self.refused("--feeds", "/nonexistent"))

    def test_a_database_is_postgresql(self):
        self.assertIn("postgres://", self.refused("--database", "mysql://x"))

    def test_help_names_every_option(self):
        done = subprocess.run([os.path.join(ROOT, "run"), "--help"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0)
        for option in ("--once", "--feeds DIR", "--out DIR", "--data DIR", "--port N", "--database URL"):
            self.assertIn(option, done.stdout)


if __name__ == "__main__":
    unittest.main()
