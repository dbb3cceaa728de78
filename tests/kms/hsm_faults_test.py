#!/usr/bin/python3
"""The HSM fails in every way an HSM can, under clients that go on working: cached keys keep serving, new work fails
cleanly within a bound or moves to the other HSM, and all recovers without a restart. Each test prints what was
acknowledged, lost (must be 0) and refused, and the longest gap between two answers."""
import http.client
import json
import pathlib
import re
import ssl
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import faulty_hsm, fixture, kms  # noqa: E402
from support.faulty_hsm import CKR_DEVICE_ERROR, CKR_SESSION_HANDLE_INVALID, CKR_TOKEN_NOT_PRESENT  # noqa: E402
from support.kmip_client import KmipFailure, attribute  # noqa: E402
from support.ttlv import Type  # noqa: E402

CALL_TIMEOUT_MS = 1000
# No answer may take this long whatever the HSM does. Far above what it takes, for machines under load.
BOUND_SECONDS = 30
ENOUGH = 20  # answers of a kind that a test waits for


class Worker(threading.Thread):
    """One client that works without pause on a connection of its own, and counts."""

    def __init__(self, test, work):
        super().__init__(daemon=True)
        self.client = test.kms.client(test.identities["alice"], timeout=BOUND_SECONDS * 2)
        self.work = work
        self.acknowledged, self.refused, self.longest, self.broken = [], [], 0.0, None
        self.stopping = threading.Event()
        self.start()

    def run(self):
        try:
            while not self.stopping.is_set():
                begun = time.monotonic()
                try:
                    self.acknowledged.append(self.work(self.client))
                except KmipFailure as failure:
                    self.refused.append(failure)
                self.longest = max(self.longest, time.monotonic() - begun)
        except Exception as error:  # told by the test: a thread has nobody to tell
            self.broken = error
        finally:
            self.client.close()

    def finish(self):
        self.stopping.set()
        self.join(BOUND_SECONDS * 3)
        return self


class HsmFaults(fixture.KmsTest):
    """What the tests share. `hsms` are the modules that fail on demand."""

    @classmethod
    def setUpClass(cls):
        if faulty_hsm.built() is None:
            raise unittest.SkipTest("SKIPPED: the module that fails on demand is not built")
        super().setUpClass()

    @classmethod
    def configure_server(cls, server):
        server.configure("hsm", "call_timeout_ms", CALL_TIMEOUT_MS)
        server.configure("hsm", "bounded_calls", "always")
        cls.hsms = [faulty_hsm.FaultyHsm(server.home, "a")]
        server.configure("hsm", "module", str(cls.hsms[0].module))

    @classmethod
    def tearDownClass(cls):
        for hsm in cls.hsms:
            hsm.mend()
        super().tearDownClass()
        for hsm in cls.hsms:
            hsm.close()

    def tearDown(self):
        for hsm in self.hsms:
            hsm.mend()

    def health(self, path="/healthz"):
        """(status, JSON) as any stranger may read it."""
        context = ssl.create_default_context(cafile=str(self.kms.ca))
        context.check_hostname = False
        connection = http.client.HTTPSConnection(*self.kms.https, context=context, timeout=BOUND_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def cached_key(self, client):
        key = client.create("cached")
        client.get(key)  # the first Get changes the object (Fresh), the second one fills the cache
        return key, client.get(key)

    def creates(self, client):
        try:
            return bool(client.create())
        except KmipFailure:
            return False

    def await_count(self, worker, kind, more):
        """Until `worker` has `more` answers of a kind beyond those it has."""
        target = len(getattr(worker, kind)) + more
        self.assertTrue(fixture.eventually(lambda: worker.broken or len(getattr(worker, kind)) >= target,
                                           BOUND_SECONDS * 2), f"{kind}: {len(getattr(worker, kind))} of {target}")
        self.assertIsNone(worker.broken)

    def account(self, what, creators, readers=()):
        """Ends the workers, opens every acknowledged key, and prints the counts."""
        workers = [w.finish() for w in (*creators, *readers)]
        for worker in workers:
            self.assertFalse(worker.is_alive(), "an answer never came")
            self.assertIsNone(worker.broken)
        acknowledged = [key for worker in creators for key in worker.acknowledged]
        client = self.client()
        lost = [key for key in acknowledged if len(client.get(key)) != 32]
        refused = [failure for worker in workers for failure in worker.refused]
        longest = max(worker.longest for worker in workers)
        print(f"{what}: acknowledged {len(acknowledged)}, lost {len(lost)}, refused {len(refused)}, "
              f"reads of cached keys {sum(len(r.acknowledged) for r in readers)}, longest gap {longest:.2f} s",
              flush=True)
        self.assertEqual(lost, [])
        self.assertEqual(len(set(acknowledged)), len(acknowledged), "none twice")
        self.assertLess(longest, BOUND_SECONDS)
        for failure in refused:
            self.assertEqual(failure.reason, "GeneralFailure")
            self.assertRegex(failure.message, "cannot be reached|did not answer in time")
        return refused


class OneHsm(HsmFaults):
    TROUBLES = {
        "gone": lambda hsm: hsm.gone(),
        "not present": lambda hsm: hsm.gone(CKR_TOKEN_NOT_PRESENT),
        "device error": lambda hsm: hsm.order(faulty_hsm.USES, CKR_DEVICE_ERROR),
        "slower than the time-out": lambda hsm: hsm.slow(3 * CALL_TIMEOUT_MS / 1000),
        "hanging": lambda hsm: hsm.hangs(),
    }

    def test_cached_keys_serve_new_work_fails_in_time_and_all_recovers(self):
        [hsm] = self.hsms
        client = self.client()
        key, material = self.cached_key(client)
        for name, trouble in self.TROUBLES.items():
            with self.subTest(name):
                creators = [Worker(self, lambda c: c.create()) for _ in range(4)]
                reader = Worker(self, lambda c: c.get(key))
                for worker in (*creators, reader):
                    self.await_count(worker, "acknowledged", ENOUGH)
                trouble(hsm)
                self.await_count(creators[0], "refused", ENOUGH)
                self.await_count(reader, "acknowledged", ENOUGH)
                self.assertEqual(client.get(key), material)
                self.assertEqual(client.state(key), "PreActive", "attributes need no HSM")
                status, health = self.health()
                self.assertEqual((status, health["status"]), (200, "degraded"))
                self.assertNotEqual(health["hsm"]["tokens"][0]["state"], "closed")
                self.assertEqual(self.health("/readyz")[0], 503)
                hsm.mend()
                for worker in creators:
                    self.await_count(worker, "acknowledged", ENOUGH)
                refused = self.account(name, creators, [reader])
                self.assertGreaterEqual(len(refused), ENOUGH)
                self.assertEqual(reader.refused, [], "a cached key needs no HSM")
                self.assertEqual((self.health("/readyz")[0], self.health()[1]["status"]), (200, "ok"))

    def test_a_token_in_trouble_is_not_asked_by_every_request_and_no_thread_piles_up(self):
        [hsm] = self.hsms
        client = self.client()
        task = pathlib.Path(f"/proc/{self.kms.process.pid}/task")
        self.assertTrue(self.creates(client))
        before = len(list(task.iterdir()))
        hsm.hangs()
        while self.creates(client):
            pass
        asked = hsm.calls()
        for _ in range(300):
            self.assertFalse(self.creates(client))
        self.assertLess(hsm.calls() - asked, 30, "probes only")
        sessions = self.kms.config()["hsm"].get("sessions", 4)
        self.assertLessEqual(len(list(task.iterdir())), before + sessions)
        self.assertLessEqual(hsm.hanging(), sessions)
        hsm.mend()
        self.assertTrue(fixture.eventually(lambda: self.creates(client), BOUND_SECONDS * 2))

    def test_lost_sessions_are_no_trouble_to_anybody(self):
        [hsm] = self.hsms
        creators = [Worker(self, lambda c: c.create()) for _ in range(4)]
        for _ in range(10):
            hsm.order(("EncryptInit",), CKR_SESSION_HANDLE_INVALID, times=1)
            self.await_count(creators[0], "acknowledged", ENOUGH)
        self.assertEqual(self.account("lost sessions", creators), [])

    def test_the_server_ends_in_time_while_the_hsm_hangs(self):
        [hsm] = self.hsms
        client = self.client()
        hsm.hangs()
        while self.creates(client):
            pass
        self.assertEqual(self.kms.stop(), 0, self.kms.log_tail())
        hsm.mend()
        self.kms.start()


def make_resident(client):
    """A key that is made in the HSM and stays there."""
    key = client.create(usage=("Encrypt", "Decrypt"),
                        extra=[attribute("x-OpenDaRE-Protection-Storage", "Hardware", Type.TEXT_STRING)])
    client.activate(key)
    return key


class ResidentKeysOfOneHsm(HsmFaults):
    @classmethod
    def configure_server(cls, server):
        super().configure_server(server)
        server.configure("hsm", "resident_keys", True)

    def opens(self, client, key, sealed):
        try:
            return client.decrypt_gcm(key, *sealed) == b"a data key"
        except KmipFailure:
            return False

    def refused(self, call):
        with self.assertRaises(KmipFailure) as raised:
            call()
        self.assertRegex(raised.exception.message, "cannot be reached|did not answer in time")

    def test_a_key_in_a_token_that_fails_or_hangs_is_given_up_in_time_and_comes_back(self):
        [hsm] = self.hsms
        client = self.client()
        key = make_resident(client)
        for name, trouble in OneHsm.TROUBLES.items():
            with self.subTest(name):
                sealed = client.encrypt_gcm(key, b"a data key")
                trouble(hsm)
                for _ in range(5):  # a call without a bound would never come back: the client gives up first
                    self.refused(lambda: client.encrypt_gcm(key, b"a data key"))
                self.assertTrue(fixture.eventually(lambda: self.health("/readyz")[0] == 503))
                sessions = self.kms.config()["hsm"].get("sessions", 4)
                self.assertLessEqual(hsm.hanging(), sessions)
                asked = hsm.calls("EncryptInit")
                for _ in range(50):
                    self.refused(lambda: client.encrypt_gcm(key, b"a data key"))
                    self.assertFalse(self.creates(client), "what one use of the token learned, all know")
                self.assertLess(hsm.calls("EncryptInit") - asked, 20, "probes only")
                hsm.mend()
                self.assertTrue(fixture.eventually(lambda: self.opens(client, key, sealed), BOUND_SECONDS * 2))
                self.assertTrue(self.creates(client))

    def test_what_a_client_asks_wrongly_is_no_trouble_of_the_token(self):
        client = self.client()
        key = make_resident(client)
        data, nonce, tag = client.encrypt_gcm(key, b"a data key")
        for _ in range(20):
            with self.assertRaises(KmipFailure):
                client.decrypt_gcm(key, data, nonce, bytes(len(tag)))
        self.assertEqual(self.health()[1]["hsm"]["tokens"][0]["state"], "closed")
        self.assertTrue(self.opens(client, key, (data, nonce, tag)))


class RealToken(fixture.KmsTest):
    def test_a_token_folder_that_was_away_needs_no_restart(self):
        tokens = token_folder(self.kms)
        away = tokens.with_name("tokens-away")
        client = self.client()

        def creates():
            try:
                return len(client.get(client.create())) == 32
            except KmipFailure:
                return False
        self.assertTrue(creates())
        tokens.rename(away)
        try:
            self.assertTrue(fixture.eventually(lambda: not creates()))
            self.assertFalse(creates())
        finally:
            away.rename(tokens)
        self.assertTrue(fixture.eventually(creates, BOUND_SECONDS * 2))


def token_folder(server):
    text = pathlib.Path(server.environment()["SOFTHSM2_CONF"]).read_text()
    return pathlib.Path(re.search(r"directories\.tokendir\s*=\s*(\S+)", text).group(1))


def add_twin(server, module):
    """A second token with the same master key, behind `module`."""
    hsm = server.config()["hsm"]
    faulty_hsm.clone_token(token_folder(server), hsm["token_label"], "the second", b"00000000c10ec10e")
    with open(server.config_file, "a", encoding="utf-8") as file:
        file.write(f'\n[[hsm.tokens]]\nname = "second"\nmodule = "{module}"\ntoken_label = "the second"\n'
                   f'pin = "{hsm["pin"]}"\ncall_timeout_ms = {CALL_TIMEOUT_MS}\nbounded_calls = "always"\n')


class TwoHsms(HsmFaults):
    """Two tokens with the same master key."""

    @classmethod
    def configure_server(cls, server):
        super().configure_server(server)
        server.configure("hsm", "resident_keys", True)
        cls.hsms.append(faulty_hsm.FaultyHsm(server.home, "b"))
        add_twin(server, cls.hsms[1].module)

    def test_work_moves_to_the_other_token_and_back(self):
        client = self.client()
        self.assertTrue(self.creates(client))
        for name, trouble in OneHsm.TROUBLES.items():
            for broken, other in ((0, 1), (1, 0)):
                with self.subTest(name, broken=broken):
                    creators = [Worker(self, lambda c: c.create()) for _ in range(4)]
                    self.await_count(creators[0], "acknowledged", ENOUGH)
                    trouble(self.hsms[broken])
                    for worker in creators:
                        self.await_count(worker, "acknowledged", ENOUGH)
                    self.assertEqual(self.health("/readyz")[0], 200)
                    self.hsms[broken].mend()
                    self.assertTrue(fixture.eventually(self.all_closed, BOUND_SECONDS * 2), "it comes back by itself")
                    before = [hsm.calls("Encrypt") for hsm in self.hsms]
                    self.await_count(creators[0], "acknowledged", ENOUGH)
                    self.assertTrue(fixture.eventually(
                        lambda b=before: all(hsm.calls("Encrypt") > calls for hsm, calls in zip(self.hsms, b)),
                        BOUND_SECONDS * 2), "used side by side")
                    refused = self.account(f"{name}, token {broken + 1} of 2", creators)
                    self.assertEqual(refused, [], "nobody noticed")

    def all_closed(self):
        return all(token["state"] == "closed" for token in self.health()[1]["hsm"]["tokens"])

    def test_it_starts_with_either_and_the_other_joins(self):
        client = self.client()
        key = client.create("before")
        material = client.get(key)
        for away in (0, 1):
            with self.subTest(away=away):
                self.kms.stop()
                self.hsms[away].gone()
                self.kms.start()
                with self.kms.client(self.identities["alice"]) as again:
                    self.assertEqual(again.get(key), material)
                    self.assertTrue(again.create())
                self.assertFalse(self.all_closed())
                self.hsms[away].mend()
                self.assertTrue(fixture.eventually(self.all_closed, BOUND_SECONDS * 2))
        self.kms.restart()

    def test_a_key_that_stays_in_the_token_that_was_away_at_the_start_is_used_when_it_is_there(self):
        client = self.client()
        key = make_resident(client)
        data, nonce, tag = client.encrypt_gcm(key, b"a data key")
        self.kms.stop()
        self.hsms[0].gone()
        self.kms.start()
        with self.kms.client(self.identities["alice"]) as again:
            with self.assertRaises(KmipFailure) as raised:
                again.decrypt_gcm(key, data, nonce, tag)
            self.assertRegex(raised.exception.message, "cannot be reached")
            self.hsms[0].mend()

            def opens():
                try:
                    return again.decrypt_gcm(key, data, nonce, tag) == b"a data key"
                except KmipFailure:
                    return False
            self.assertTrue(fixture.eventually(opens, BOUND_SECONDS * 2))
        self.kms.restart()


class TwoRealTokens(fixture.KmsTest):
    """Two tokens of one SoftHSM2, which looks for its tokens only when it begins."""

    @classmethod
    def configure_server(cls, server):
        server.configure("hsm", "resident_keys", True)
        add_twin(server, server.config()["hsm"]["module"])

    def test_a_token_that_was_away_at_the_start_joins_without_a_restart(self):
        client = self.client()
        key = client.create()
        material = client.get(key)
        resident = make_resident(client)
        data, nonce, tag = client.encrypt_gcm(resident, b"a data key")
        tokens = token_folder(self.kms)
        twin = "00000000-0000-0000-0000-00000000c10e"
        first = next(p.name for p in tokens.iterdir() if p.is_dir() and p.name != twin)
        for gone in (twin, first):
            with self.subTest(gone):
                self.kms.stop()
                away = tokens.with_name("token-away")
                (tokens / gone).rename(away)
                try:
                    self.kms.start()
                    with self.kms.client(self.identities["alice"]) as again:
                        self.assertEqual(again.get(key), material)
                        self.assertNotEqual(self.states(), ["closed", "closed"])
                finally:
                    away.rename(tokens / gone)
                self.assertTrue(fixture.eventually(lambda: self.states() == ["closed", "closed"], BOUND_SECONDS * 2))
                with self.kms.client(self.identities["alice"]) as again:
                    self.assertEqual(again.decrypt_gcm(resident, data, nonce, tag), b"a data key")
                    self.assertEqual(len(again.get(again.create())), 32)

    def states(self):
        return [token["state"] for token in HsmFaults.health(self)[1]["hsm"]["tokens"]]


if __name__ == "__main__":
    unittest.main()
