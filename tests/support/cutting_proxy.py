"""A TCP relay in front of a server that cuts a connection at a moment of the test's choice.

    proxy = CuttingProxy(server.kmip, lambda: server.audit_has('"operation":"Create"'))

passes bytes both ways until the server begins to answer while the condition holds: that answer is thrown away and the
connection cut, once. Whatever the server did it has done; the client hears nothing of it. shut() cuts all connections and lets
nobody in, until let_in().
"""
import selectors
import socket
import threading


class CuttingProxy:
    def __init__(self, target, condition):
        self.target, self.condition = target, condition
        self.cuts, self.open = 0, True
        self.relayed = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def shut(self):
        self.open = False
        for client in list(self.relayed):
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it went by itself

    def let_in(self):
        self.open = True

    def close(self):
        self.shut()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(10)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.relayed.add(client)  # before it is looked whether it may come in: shut() sees one or the other
            if not self.open:
                self.relayed.discard(client)
                client.close()
                continue
            thread = threading.Thread(target=self._relay, args=(client,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _relay(self, client):
        try:
            self._pass_on(client)
        finally:
            self.relayed.discard(client)

    def _pass_on(self, client):
        with client, socket.create_connection(self.target) as server, selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select():
                    try:
                        data = key.fileobj.recv(65536)
                        if not data:
                            return
                        if key.fileobj is server and not self.cuts and self.condition():
                            self.cuts += 1
                            return
                        key.data.sendall(data)
                    except OSError:
                        return
