"""A server whose keys an administrator looks after."""
import json
import sqlite3

from . import kms

MODULE = "/usr/lib/softhsm/libsofthsm2.so"


class Server(kms.Kms):
    """A dare-kms that an administrator asks through `dare hsm`."""

    def __init__(self, *init_options):
        self.init_options = init_options
        self.home = kms.free_folder()
        programs = kms.Programs()
        kms.run([programs.dare_kms, "init", "--dir", self.home / "kms", *kms.INIT_OPTIONS, "--administrator", "root",
                 *init_options])
        super().__init__(programs, self.home)
        self.configure("hsm", "reseal_per_second", 0)

    def fix_ports(self):
        """The same ports after every start, so that client.toml stays right."""
        self.configure("kmip", "port", self.kmip[1])
        self.configure("https", "port", self.https[1])

    def client_toml(self, name):
        return (f'servers = ["127.0.0.1:{self.kmip[1]}"]\nca_file = "{self.ca}"\ncertificate_file = "{name}.crt"\n'
                f'key_file = "{name}.key"\nenrolment_url = "https://127.0.0.1:{self.https[1]}"\n')

    def hsm(self, *words, check=True):
        """`dare hsm WORDS` as the administrator; the parsed answer of --json."""
        self.identity("root")
        (self.clients / "client.toml").write_text(
            self.client_toml("root"), "utf-8")
        done = kms.run([self.programs.dare, "hsm", *words, "--json", "--config", self.clients / "client.toml"],
                       check=check, timeout=180)
        return json.loads(done.stdout.splitlines()[-1]) if check else done

    def ceremony(self, *words, check=True, **more):
        return kms.run([self.programs.dare, "hsm", *words, "--config", self.config_file], check=check, **more)

    def add_token(self, name):
        """A second SoftHSM2 token beside the server's own, and its place in kms.toml."""
        kms.run(["softhsm2-util", "--init-token", "--free", "--label", name, "--pin", "123456", "--so-pin", "12345678"],
                env=self.environment())
        pin = self.folder / f"{name}.pin"
        pin.write_text("123456", "utf-8")
        pin.chmod(0o600)
        with open(self.config_file, "a", encoding="utf-8") as config:
            config.write(f'\n[[hsm.tokens]]\nname = "{name}"\nmodule = "{MODULE}"\ntoken_label = "{name}"\n'
                         f'pin = "{pin}"\n')

    def token_folder(self, label):
        """Where SoftHSM2 keeps the token with this label."""
        for folder in (self.folder / "tokens").iterdir():
            if label.encode() in (folder / "token.object").read_bytes():
                return folder
        raise FileNotFoundError(label)

    def materials(self):
        """What the database itself has for the material of each object: sealed records."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            table = [t for t, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                     if "material" in {c[1] for c in database.execute(f"PRAGMA table_info({t})")}][0]
            return [m for m, in database.execute(f"SELECT material FROM {table} WHERE length(material) > 0")]

    def meta(self, name):
        """A value among the database's facts."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            return database.execute("SELECT value FROM meta WHERE key = ?", [name]).fetchone()[0]

    def key_ids(self):
        """{key id in hex: number of records whose material is sealed under it}."""
        found = {}
        for material in self.materials():
            found[material[2:10].hex()] = found.get(material[2:10].hex(), 0) + 1
        return found

    def finished(self):
        rotation = self.hsm("status")["rotation"]
        return rotation is not None and rotation["state"] == "finished"

    def current(self):
        return [k["id"] for k in self.hsm("status")["keys"] if k["state"] == "current"][0]
