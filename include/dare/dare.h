/* libdare: encrypt data at rest from C and from everything that can call C. Link with -ldare
 * (pkg-config libdare, or CMake's find_package(dare)). C++ programs may prefer dare/client.h.
 * Guide: docs/libdare.md, libdare(3).
 *
 * The library uses the key servers that a client configuration names (client.toml(5)); keys that
 * wrap never come here. SIGPIPE is held back during a call, callbacks included: a closed pipe is an
 * error of write(). Callbacks may come from other threads than the caller's, one at a time.
 *
 * Any handle may be used by several threads at once, but freed by one only, when no call uses it
 * any more. Handles do not survive fork(). Strings are UTF-8.
 *
 * What is declared here stays as it is while the library is libdare.so.0; structures that may grow
 * say their size.
 */
#ifndef DARE_DARE_H
#define DARE_DARE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DARE_API __attribute__((visibility("default")))
#else
#define DARE_API
#endif

/* ---- How a call ends. 0 to 5 are the exit codes of dare(1). */

typedef enum dare_status {
  DARE_OK = 0,
  DARE_FAILED = 1,      /* the disk, the system or a callback said no */
  DARE_USAGE = 2,       /* the arguments or the configuration make no sense */
  DARE_DENIED = 3,      /* by the key server */
  DARE_UNREACHABLE = 4, /* no key server, or no HSM behind it, in time */
  DARE_DAMAGED = 5,     /* not sealed, damaged, or not authentic */
  DARE_CANCELLED = 6    /* by dare_cancel() */
} dare_status;

/* What the last call of this thread that did not return DARE_OK has to say; never NULL, valid until
 * the thread's next call. */
DARE_API const char *dare_last_error(void);

/* The version of the library, "0.1.0". */
DARE_API const char *dare_version(void);

/* ---- Clients of the key servers. */

typedef struct dare_client dare_client;

/* Reads the configuration at `config_path`, or at /etc/dare/client.toml when it is NULL. Talks to
 * no server yet. On DARE_OK *client is yours until dare_client_free(); otherwise it is NULL. */
DARE_API dare_status dare_client_new(const char *config_path, dare_client **client);
/* Of handles made of one another each is freed by itself, in any order. NULL is ignored. */
DARE_API void dare_client_free(dare_client *client);

/* A handle with the connections and the cache of `client`, and limits of its own: one call waits
 * for key servers for `milliseconds` at most, all its requests together (0: as `client` does). Work
 * on data is not limited; dare_cancel() ends it. Making one costs no request, so that each task can
 * have its own. */
DARE_API dare_status dare_client_with_timeout(dare_client *client, uint32_t milliseconds,
                                              dare_client **limited);

/* From another thread: every call on `client`, and on handles made of it, ends with DARE_CANCELLED,
 * those under way within a quarter of a second, later ones at once. There is no way back: free it.
 * The handle that `client` was made of goes on. */
DARE_API void dare_cancel(dare_client *client);

/* ---- Streams and files of any size (docs/formats/sealed-file.md). `key` is the name or id of the
 * key to seal under; NULL takes default_key of the configuration. */

/* Reads up to `size` bytes and returns how many, 0 at the end, negative to give up. */
typedef ptrdiff_t (*dare_read)(void *user, void *buffer, size_t size);
/* Takes all `size` bytes and returns 0, anything else to give up. */
typedef int (*dare_write)(void *user, const void *bytes, size_t size);

/* The callbacks come from threads of the library, one at a time each. */
DARE_API dare_status dare_seal_stream(dare_client *client, const char *key, dare_read read,
                                      dare_write write, void *user);
/* Every byte that reaches `write` is authentic; only DARE_OK says that they are all there. */
DARE_API dare_status dare_open_stream(dare_client *client, dare_read read, dare_write write,
                                      void *user);

/* The same for programs that get their data in pieces: begin, push each piece, finish, free. A
 * thread of the library does the work and calls `write`; a push returns when the piece was taken,
 * so that a slow `write` slows the pushing. One failure is told by all later calls. */
typedef struct dare_stream dare_stream;
DARE_API dare_status dare_seal_begin(dare_client *client, const char *key, dare_write write,
                                     void *user, dare_stream **stream);
DARE_API dare_status dare_open_begin(dare_client *client, dare_write write, void *user,
                                     dare_stream **stream);
DARE_API dare_status dare_stream_push(dare_stream *stream, const void *bytes, size_t size);
/* The end of the input: waits until all is written. Only DARE_OK says that nothing is missing. */
DARE_API dare_status dare_stream_finish(dare_stream *stream);
/* Before it was finished: gives up, and waits until `write` is no longer called. */
DARE_API void dare_stream_free(dare_stream *stream);

/* Files appear under their name only when they are complete and synced. Without `replace` an
 * existing file is left alone and the call fails. */
DARE_API dare_status dare_seal_file(dare_client *client, const char *key, const char *in,
                                    const char *out, int replace);
DARE_API dare_status dare_open_file(dare_client *client, const char *in, const char *out,
                                    int replace);
/* Puts the file's block key under `key`, and the recovery keys of the configuration, in place of
 * the keys it is under. The data is not touched; a crash leaves a file that opens. DARE_USAGE when
 * the file opens with a recovery key that the configuration does not name: it would lose that. */
DARE_API dare_status dare_rewrap_file(dare_client *client, const char *key, const char *file);

/* ---- Values: pieces of data of up to 16 MiB in memory, each sealed by itself: a column of a row,
 * a message (docs/formats/sealed-value.md). */

/* What a value is for, as public pairs: names of a-z, 0-9 and "-", not beginning with "dare-" or
 * "aws-crypto-". They are bound into what is sealed: it opens with the same pairs only. */
typedef struct dare_pair {
  const char *name;
  const char *value;
} dare_pair;

/* Memory of the library, wiped when it is freed. */
typedef struct dare_buffer {
  unsigned char *data;
  size_t size;
} dare_buffer;
/* Also sets it to {NULL, 0}, which it may be already. */
DARE_API void dare_buffer_free(dare_buffer *buffer);

DARE_API dare_status dare_seal_value(dare_client *client, const char *key, const dare_pair *context,
                                     size_t pairs, const void *plain, size_t size,
                                     dare_buffer *sealed);
DARE_API dare_status dare_open_value(dare_client *client, const dare_pair *context, size_t pairs,
                                     const void *sealed, size_t size, dare_buffer *plain);

/* ---- A cache of keys, so that many values need few requests. */

typedef struct dare_cache_limits {
  size_t struct_size; /* sizeof(dare_cache_limits) */
  /* A kept key is used for less than so long after the key server was asked for it. So long a
   * revocation may go unnoticed, unless somebody listens. */
  uint32_t seconds;
  uint32_t refresh_seconds; /* a key in use is replaced in the background so long before; 0: not */
  uint64_t uses;            /* a kept key seals at most so many values ... */
  uint64_t bytes; /* ... with so many bytes together; larger ones get a key of their own */
  size_t entries; /* keys kept at most, up to 10,000 */
  /* From here on left out by a struct_size that ends here. Not 0: from its first use on the cache
   * listens, with a thread and a connection of its own, and drops what a key wraps at once when a
   * key server says that the key was revoked or destroyed. Needs KMIP 2.0 (kmip_version). */
  uint32_t listen;
  /* While that connection is not there, a kept key is used for less than so long after it last was,
   * or after the key server was asked for the key; not at all where key servers refuse us. */
  uint32_t deaf_seconds;
} dare_cache_limits;

/* To begin with: 300 s, replaced 30 s before; 2^20 values, 2^36 bytes; 1,000 keys; nobody listens,
 * and when `listen` is set, 30 s. */
#define DARE_CACHE_LIMITS \
  { sizeof(dare_cache_limits), 300, 30, 1u << 20, UINT64_C(1) << 36, 1000, 0, 30 }

/* A handle with the connections of `client`, and with a cache of its own for values, data keys and
 * what opens files. A limit of 0 (but refresh_seconds) keeps nothing: every call asks. Handles
 * without a cache ask for every value. Sealing and rewrapping files and streams always asks. */
DARE_API dare_status dare_client_with_cache(dare_client *client, const dare_cache_limits *limits,
                                            dare_client **caching);

/* Forgets all kept keys: no later call uses one that was asked for before. */
DARE_API dare_status dare_cache_flush(dare_client *client);

typedef struct dare_cache_counts {
  size_t struct_size; /* sizeof(dare_cache_counts) */
  size_t entries;     /* keys kept now */
  uint64_t hits;      /* keys taken from the cache */
  uint64_t misses;    /* keys a key server was asked for */
  uint64_t refreshes; /* keys replaced in the background */
  /* From here on not given to a struct_size that ends here. */
  uint64_t recalls; /* keys dropped because a key server said that what wraps them has ended */
  uint64_t listens; /* 1 while the cache listens and would hear that; else 0 */
} dare_cache_counts;
DARE_API dare_status dare_cache_count(dare_client *client, dare_cache_counts *counts);

/* ---- Data keys: for programs that encrypt by themselves. The key is kept in locked memory, which
 * is wiped when it is freed; its wrapped form is for your data, and opens with the same pairs. */

typedef struct dare_data_key dare_data_key;

/* A fresh key of 32 bytes. */
DARE_API dare_status dare_data_key_generate(dare_client *client, const char *key,
                                            const dare_pair *context, size_t pairs,
                                            dare_data_key **data_key);
/* A key that you have, of 16 to 1,024 bytes. */
DARE_API dare_status dare_data_key_wrap(dare_client *client, const char *key,
                                        const dare_pair *context, size_t pairs, const void *bytes,
                                        size_t size, dare_data_key **data_key);
DARE_API dare_status dare_data_key_unwrap(dare_client *client, const dare_pair *context,
                                          size_t pairs, const void *wrapped, size_t size,
                                          dare_data_key **data_key);
/* The same key in a new wrapped form, under another `key` or other pairs. */
DARE_API dare_status dare_data_key_rewrap(dare_client *client, const char *key,
                                          const dare_pair *context, size_t pairs,
                                          const dare_data_key *old, dare_data_key **data_key);
/* Both live until dare_data_key_free(). */
DARE_API const void *dare_data_key_wrapped(const dare_data_key *data_key, size_t *size);
/* The key itself. Where you copy it, you wipe it. */
DARE_API const void *dare_data_key_reveal(const dare_data_key *data_key, size_t *size);
DARE_API void dare_data_key_free(dare_data_key *data_key);

/* ---- Reading a sealed file at any place. */

typedef struct dare_reader dare_reader;

/* Asks the key server once. The size is authentic from then on. The file must not change while it
 * is open; `client` may be freed before the reader. */
DARE_API dare_status dare_reader_open(dare_client *client, const char *path, dare_reader **reader);
DARE_API uint64_t dare_reader_size(const dare_reader *reader);
/* *got bytes from `offset` on; fewer than `size` only at the end, 0 behind it. Only what was
 * checked comes out; damage elsewhere in the file is not noticed. */
DARE_API dare_status dare_reader_pread(const dare_reader *reader, void *buffer, size_t size,
                                       uint64_t offset, size_t *got);
DARE_API void dare_reader_close(dare_reader *reader);

#ifdef __cplusplus
}
#endif

#endif /* DARE_DARE_H */
