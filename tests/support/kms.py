"""A dare-kms for a test: set up in a folder of its own, on free ports, ended by its process id.

    with Kms(Programs()) as kms:          # dare-kms init
        kms.start()                       # dare-kms serve, waits for "listening kmip ..."
        alice = kms.identity("alice")     # enrolled by EST with a one-time token
        client = kms.client(alice)
"""
import atexit
import base64
import http.client
import json
import os
import pathlib
import re
import selectors
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import tomllib

from . import audit
from .kmip_client import Client, Identity

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 30
COMMAND_SECONDS = 60


class Programs:
    """Where the programs under test are: an argument, $DARE_KMS, or the newest build."""

    def __init__(self, dare_kms=None):
        found = dare_kms or os.environ.get("DARE_KMS") or self._newest()
        if not found or not os.access(found, os.X_OK):
            raise FileNotFoundError(f"no dare-kms ({found}); set DARE_KMS")
        self.dare_kms = pathlib.Path(found).resolve()
        self.dare = self.dare_kms.parent / "dare"

    @staticmethod
    def _newest():
        builds = sorted(ROOT.glob("build/*/bin/dare-kms"), key=lambda p: p.stat().st_mtime)
        return builds[-1] if builds else None


def run(words, timeout=COMMAND_SECONDS, check=True, **more):
    """A command's CompletedProcess with text output; an error shows what it said."""
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=timeout, **more)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def free_folder(prefix="dare-test-"):
    return pathlib.Path(tempfile.mkdtemp(prefix=prefix))


class Kms:
    """One server folder, and the process that serves it while it runs."""

    def __init__(self, programs, folder=None):
        self.programs = programs
        self.home = pathlib.Path(folder) if folder else free_folder()
        self.folder = self.home / "kms"      # the server's
        self.clients = self.home / "clients"  # keys and certificates of the clients
        self.clients.mkdir(exist_ok=True)
        self.process = None
        self.kmip = self.https = None
        self.log = self.home / "server.log"
        self.extra_environment = {}
        atexit.register(self.kill)
        if not self.config_file.exists():
            run([programs.dare_kms, "init", "--dir", self.folder, *INIT_OPTIONS])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- configuration

    @property
    def config_file(self):
        return self.folder / "kms.toml"

    def config(self):
        return tomllib.loads(self.config_file.read_text("utf-8"))

    def configure(self, section, key, value):
        """Sets a key of a section ("" for the top) in the configuration file."""
        text = json.dumps(value) if not isinstance(value, bool) else str(value).lower()
        lines, here, done = [], "", False
        if not section:  # keys of the top stand before the first table
            self.config_file.write_text(f"{key} = {text}\n" + re.sub(
                rf"(?m)^{re.escape(key)}\s*=.*\n", "", self.config_file.read_text("utf-8")), "utf-8")
            return
        for line in self.config_file.read_text("utf-8").splitlines():
            header = re.match(r"\s*\[([^\]]+)\]", line)
            if header:
                if here == section and not done:
                    lines.append(f"{key} = {text}")
                    done = True
                here = header.group(1).strip()
            elif here == section and re.match(rf"\s*#?\s*{re.escape(key)}\s*=", line) and not done:
                line, done = f"{key} = {text}", True
            lines.append(line)
        if not done:
            lines.extend(([] if here == section else [f"[{section}]"]) + [f"{key} = {text}"])
        self.config_file.write_text("\n".join(lines) + "\n", "utf-8")

    def path_of(self, section, key):
        """A path of the configuration, relative ones anchored at the server's folder."""
        table = self.config()[section] if section else self.config()
        return self.folder / table[key]

    @property
    def database(self):
        return self.path_of("store", "path")

    @property
    def ca(self):
        return self.path_of("ca", "certificate")

    def environment(self):
        """The environment in which pkcs11-tool and friends see the server's token."""
        return dict(os.environ, SOFTHSM2_CONF=str(self.path_of("hsm", "softhsm2_conf")))

    # --- the process

    def start(self, limits=None):
        """Starts the server and waits until it says where it listens."""
        assert self.process is None, "it runs already"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(self.programs.dare_kms), "serve", "--config", str(self.config_file)],
                stdout=subprocess.PIPE, stderr=log, env=dict(os.environ, **self.extra_environment),
                preexec_fn=limits)
        try:
            self._await_ports()
        except BaseException:
            self.kill()
            raise
        return self

    def _await_ports(self):
        deadline = time.monotonic() + START_SECONDS
        output = self.process.stdout
        os.set_blocking(output.fileno(), False)
        text = b""
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while True:
                selector.select(max(0, deadline - time.monotonic()))
                part = output.read()
                text += part or b""
                found = dict(re.findall(r"^listening (kmip|https) (\S+)$", text.decode(errors="replace"), re.M))
                if len(found) == 2:
                    self.kmip, self.https = _address(found["kmip"]), _address(found["https"])
                    return
                if part == b"" and self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"dare-kms did not start: {text.decode(errors='replace')}{self.log_tail()}")

    def log_tail(self, size=4000):
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""

    def stop(self):
        """Asks the server to end and waits; returns its exit code."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        process.terminate()
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise RuntimeError(f"dare-kms did not stop in {STOP_SECONDS} s") from None
        finally:
            process.stdout.close()
        return code

    def kill(self):
        """kill -9, and waits until it is gone."""
        if self.process is not None:
            process, self.process = self.process, None
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        if os.environ.get("DARE_SANITIZED"):
            self.stop()  # a killed process does not tell its leaks
        self.kill()
        atexit.unregister(self.kill)
        said = self.log_tail(1 << 20)
        if "Sanitizer:" in said or ": runtime error:" in said:
            raise RuntimeError(f"dare-kms: {said}")
        if os.environ.get("DARE_TEST_KEEP"):
            print(f"kept: {self.home}")
        else:
            shutil.rmtree(self.home, ignore_errors=True)

    # --- commands and clients

    def command(self, *words, check=True):
        """`dare-kms WORDS --config …`."""
        return run([self.programs.dare_kms, *words, "--config", self.config_file], check=check)

    def identity(self, name, admin=False):
        """The certificate and key of a client, enrolled at the first call (the server must run then)."""
        certificate, key = self.clients / f"{name}.crt", self.clients / f"{name}.key"
        if not certificate.exists():
            self._enrol(name, certificate, key, admin)
        return Identity(self.ca, certificate, key)

    def client(self, identity, timeout=30.0):
        return Client(self.kmip, identity, timeout)

    def health(self):
        """(status, JSON) of /healthz."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.check_hostname = False
        connection = http.client.HTTPSConnection(*self.https, context=context, timeout=30)
        try:
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        finally:
            connection.close()

    def token(self, name, admin=False):
        words = ["enroll-token", "--name", name, *(ADMIN_OPTIONS if admin else ())]
        lines = self.command(*words).stdout.split()
        return lines[-1]

    def _enrol(self, name, certificate, key, admin):
        token = self.token(name, admin)
        status, body = self.est_enrol(name, token, key)
        if status != 200:
            raise RuntimeError(f"enrolment of {name}: HTTP {status}: {body[:200]!r}")
        write_certificates(body, certificate)

    def est_enrol(self, name, token, key):
        """simpleenroll of RFC 7030 with HTTP Basic; makes the key. (status, body)"""
        return self.est_send(name, token, signing_request(name, key))

    def est_send(self, name, token, request):
        """simpleenroll with a request (DER) that is there already. (status, body)"""
        credentials = base64.b64encode(f"{name}:{token}".encode()).decode()
        context = ssl.create_default_context(cafile=str(self.ca))
        context.check_hostname = False
        connection = http.client.HTTPSConnection(*self.https, context=context, timeout=30)
        try:
            connection.request("POST", "/.well-known/est/simpleenroll", base64.encodebytes(request), {
                "Content-Type": "application/pkcs10", "Content-Transfer-Encoding": "base64",
                "Authorization": f"Basic {credentials}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def revoke_certificate(self, name):
        self.command("revoke-certificate", "--name", name)

    # --- what the server wrote down

    @property
    def audit_folder(self):
        return self.path_of("audit", "folder")

    def audit_records(self):
        return audit.records(self.audit_folder)

    def audit_text(self):
        return "\n".join(line.decode() for _, _, line in audit.lines(self.audit_folder))

    def audit_has(self, *words):
        """Whether one audit record contains all the words."""
        return any(all(w in line for w in words) for line in self.audit_text().splitlines())


INIT_OPTIONS = ("--address", "127.0.0.1", "--kmip-port", "0", "--https-port", "0")
ADMIN_OPTIONS = ("--role", "administrator")


def run_bytes(words):
    return subprocess.run([str(w) for w in words], capture_output=True, timeout=COMMAND_SECONDS, check=True).stdout


def signing_request(name, key):
    """Makes a key in the file `key`, and gives the request for its certificate in DER."""
    run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
         key, "-out", f"{key}.csr", "-subj", f"/CN={name}"])
    key.chmod(0o600)
    return run_bytes(["openssl", "req", "-in", f"{key}.csr", "-outform", "DER"])


def write_certificates(body, path):
    """The certificates of an EST answer (base64 of a PKCS#7) as a PEM file, the client's own first."""
    done = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input=base64.b64decode(body),
                          capture_output=True, timeout=COMMAND_SECONDS, check=True)
    path.write_bytes(done.stdout)


def _address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


class Template:
    """A server folder that was set up once and is copied for each server: init and enrolment cost, copying does not."""

    def __init__(self, programs, names, settings=None):
        self.programs = programs
        self.original = Kms(programs)
        try:
            for (section, key), value in (settings or {}).items():
                self.original.configure(section, key, value)
            self.original.start()
            for name in names:
                self.original.identity(name)
            self.original.stop()
        except BaseException:
            self.original.close()
            raise

    def instantiate(self):
        home = free_folder()
        shutil.rmtree(home)
        shutil.copytree(self.original.home, home)
        for path in home.glob("kms/**/*"):
            if path.suffix in (".toml", ".conf") and path.is_file():
                path.write_text(path.read_text("utf-8").replace(str(self.original.home), str(home)), "utf-8")
        (home / "server.log").unlink(missing_ok=True)
        return Kms(self.programs, home)

    def close(self):
        self.original.close()
