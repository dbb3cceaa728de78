"""How long a second node goes on serving after the command that takes a key or a principal out of use has returned at the
first one; both on one PostgreSQL."""
import os
import time
import unittest

ROUNDS = int(os.environ.get("DARE_BENCH_REVOCATIONS", "10"))


def measure(build):
    """{"key": [seconds], "lockout": [seconds]}: last use after the command's end; negative: before it. A text: why not."""
    os.environ["DARE_KMS"] = str(build / "bin" / "dare-kms")
    from support import cluster, fixture, kill_switch

    class Nodes(cluster.TwoNodes):
        clients = ("alice", "mallory")

    found = {"key": [], "lockout": []}
    try:
        Nodes.setUpClass()
        one, two = Nodes.nodes
        for _ in range(ROUNDS):
            owner = one.client(one.identity("alice"))
            asking = two.client(two.identity("alice"), timeout=60)
            key = owner.create()
            owner.activate(key)
            guest = kill_switch.Guest(lambda c=asking, k=key: c.encrypt_gcm(k, b"x" * 16))
            if not fixture.eventually(lambda g=guest: g.times > 10):
                raise RuntimeError(f"the key was not served: {guest.why}")
            owner.revoke(key)
            returned = time.monotonic()
            guest.join(60)
            found["key"].append(guest.last - returned)
            owner.close()
            asking.close()
        for _ in range(ROUNDS):
            asking = two.client(two.identity("mallory"), timeout=60)
            guest = kill_switch.Guest(lambda c=asking: c.locate("nothing"))
            if not fixture.eventually(lambda g=guest: g.times > 10):
                raise RuntimeError(f"the principal was not served: {guest.why}")
            kill_switch.administer(one, "admin", "lockout", "mallory")
            returned = time.monotonic()
            guest.join(60)
            found["lockout"].append(guest.last - returned)
            asking.close()
            kill_switch.administer(one, "admin", "unlock", "mallory")
    except unittest.SkipTest as why:
        return str(why)
    finally:
        Nodes.tearDownClass()
    return found
