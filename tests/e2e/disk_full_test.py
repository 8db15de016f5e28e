"""A full disk: 503 with Retry-After, reading goes on, and it recovers without a restart."""
import ctypes
import os
import tempfile
import unittest

from rig import Node, until

MOUNT_SIZE = "24m"


def mount(folder):
    """A small disk of our own, seen by this process and its children only."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_mounts, new_user, private = 0x00020000, 0x10000000, 1 << 18 | 1 << 14
    unshared = libc.unshare(new_mounts) == 0 or libc.unshare(new_user | new_mounts) == 0
    return (unshared and libc.mount(None, b"/", None, private, None) == 0
            and libc.mount(b"none", folder.encode(), b"tmpfs", 0, b"size=" + MOUNT_SIZE.encode()) == 0)


def unmount(folder):
    ctypes.CDLL(None).umount2(folder.encode(), 2)


class DiskFull(unittest.TestCase):
    def test_full_and_free_again(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(mount(folder), "no small disk could be mounted")
            try:
                self.fill(folder)
            finally:
                unmount(folder)

    def fill(self, folder):
        node = Node(folder=folder)
        node.tenant("acme")
        node.job_type("demo")
        before = node.submit("acme", {"type": "demo", "key": "before"})[0]
        with open(os.path.join(folder, "ballast"), "wb") as ballast:
            try:
                while True:
                    ballast.write(b"x" * 65536)
                    ballast.flush()
            except OSError:
                pass
        refused, acknowledged = 0, []
        for number in range(40):
            body = {"jobs": [{"type": "demo", "key": f"full-{number}", "payload": "x" * 50000}]}
            answer = node.call("POST", "/jobs", body, tenant="acme")
            if answer.status == 201:
                acknowledged.append(answer.json["jobs"][0]["id"])
            else:
                refused += 1
                self.assertEqual((answer.status, answer.code), (503, "ledger_unavailable"), answer)
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertGreater(refused, 0, "the disk was not full")
        self.assertEqual(node.call("GET", "/jobs/" + before, tenant="acme").status, 200, "reading goes on")
        os.unlink(os.path.join(folder, "ballast"))
        until(lambda: node.call("POST", "/jobs", {"jobs": [{"type": "demo", "key": "after"}]}, tenant="acme").status == 201, "it recovers")
        self.assertIsNone(node.child.poll(), "the same process")
        for job in acknowledged:
            self.assertEqual(node.job("acme", job)["state"], "pending")
        self.assertEqual(node.close(), 0)


if __name__ == "__main__":
    unittest.main()
