"""What the tests and the benchmark of the kill switch share: an administrator's commands, and guests who ask until refused."""
import threading
import time

from . import cluster, kms
from .kmip_client import KmipFailure

BOUND = 1.0  # seconds after the command's end in which nobody may have been served


def administer(node, *words, who="root", check=True):
    """`dare WORDS` at this node, as the administrator `who`."""
    node.identity(who, admin=True)
    config = node.clients / f"{who}.toml"
    config.write_text(
        f'servers = ["127.0.0.1:{node.kmip[1]}"]\nca_file = "{node.ca}"\ncertificate_file = "{who}.crt"\n'
        f'key_file = "{who}.key"\nenrolment_url = "https://127.0.0.1:{node.https[1]}"\n', "utf-8")
    return kms.run([node.programs.dare, *words, "--config", config], check=check)


class Guest(threading.Thread):
    """Connects to a node, or asks it, again and again until it is refused; notes when it was last served."""

    def __init__(self, once):
        super().__init__(daemon=True)
        self.once, self.times, self.last, self.end = once, 0, 0.0, time.monotonic() + 60
        self.why = None
        self.start()

    def run(self):
        while time.monotonic() < self.end:
            begun = time.monotonic()
            try:
                self.once()
            except (*cluster.LOST, KmipFailure) as why:
                self.why = why
                return
            self.times, self.last = self.times + 1, begun
