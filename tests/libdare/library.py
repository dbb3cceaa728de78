"""libdare through ctypes, as little of it as the tests need."""
import ctypes

OK, FAILED, USAGE, DENIED, UNREACHABLE, DAMAGED, CANCELLED = range(7)


class Pair(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_char_p)]


class Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class Limits(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("seconds", ctypes.c_uint32), ("refresh_seconds", ctypes.c_uint32),
                ("uses", ctypes.c_uint64), ("bytes", ctypes.c_uint64), ("entries", ctypes.c_size_t),
                ("listen", ctypes.c_uint32), ("deaf_seconds", ctypes.c_uint32)]


class Counts(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("entries", ctypes.c_size_t), ("hits", ctypes.c_uint64),
                ("misses", ctypes.c_uint64), ("refreshes", ctypes.c_uint64), ("recalls", ctypes.c_uint64),
                ("listens", ctypes.c_uint64)]


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status


class Client:
    """A handle; methods give bytes or raise Refused."""

    def __init__(self, path, config=None, handle=None):
        self.library = path if isinstance(path, ctypes.CDLL) else ctypes.CDLL(path)
        self.library.dare_last_error.restype = ctypes.c_char_p
        self.handle = handle or ctypes.c_void_p()
        if handle is None:
            self.check(self.library.dare_client_new(str(config).encode(), ctypes.byref(self.handle)))

    def check(self, status):
        if status != OK:
            raise Refused(status, self.library.dare_last_error().decode())

    def close(self):
        self.library.dare_client_free(self.handle)

    def with_cache(self, **limits):
        given = Limits(ctypes.sizeof(Limits), 300, 30, 1 << 20, 1 << 36, 1000)
        for name, value in limits.items():
            setattr(given, name, value)
        handle = ctypes.c_void_p()
        self.check(self.library.dare_client_with_cache(self.handle, ctypes.byref(given), ctypes.byref(handle)))
        return Client(self.library, handle=handle)

    def counts(self):
        counts = Counts(ctypes.sizeof(Counts))
        self.check(self.library.dare_cache_count(self.handle, ctypes.byref(counts)))
        return counts

    def flush(self):
        self.check(self.library.dare_cache_flush(self.handle))

    @staticmethod
    def context(pairs):
        return (Pair * len(pairs))(*(Pair(k.encode(), v.encode()) for k, v in pairs.items())), ctypes.c_size_t(len(pairs))

    def taken(self, buffer):
        data = ctypes.string_at(buffer.data, buffer.size)
        self.library.dare_buffer_free(ctypes.byref(buffer))
        return data

    def seal(self, plain, key=None, **pairs):
        buffer = Buffer()
        self.check(self.library.dare_seal_value(self.handle, key, *self.context(pairs), plain,
                                                ctypes.c_size_t(len(plain)), ctypes.byref(buffer)))
        return self.taken(buffer)

    def open(self, sealed, **pairs):
        buffer = Buffer()
        self.check(self.library.dare_open_value(self.handle, *self.context(pairs), sealed,
                                                ctypes.c_size_t(len(sealed)), ctypes.byref(buffer)))
        return self.taken(buffer)


def config_text(servers, identity, key):
    names = ", ".join(f'"{host}:{port}"' for host, port in servers)
    return (f'servers = [{names}]\nca_file = "{identity.ca}"\ncertificate_file = "{identity.certificate}"\n'
            f'key_file = "{identity.key}"\ndefault_key = "{key}"\n')
