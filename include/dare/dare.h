/* libdare: seal and open files and streams from C and from everything that can call C.
 * Link with -ldare. C++ programs may prefer dare/client.h.
 *
 * The library uses the key servers that a client configuration names (client.toml(5)); keys that
 * wrap never come here. SIGPIPE is held back during a call, callbacks included: a closed pipe is an
 * error of write(). Callbacks may come from other threads than the caller's, one at a time.
 * Statuses are the exit codes of dare(1).
 */
#ifndef DARE_DARE_H
#define DARE_DARE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DARE_API __attribute__((visibility("default")))
#else
#define DARE_API
#endif

typedef enum dare_status {
  DARE_OK = 0,
  DARE_FAILED = 1,      /* the disk, the system or a callback said no */
  DARE_USAGE = 2,       /* the arguments or the configuration make no sense */
  DARE_DENIED = 3,      /* by the key server */
  DARE_UNREACHABLE = 4, /* no key server, or no HSM behind it */
  DARE_DAMAGED = 5      /* not a sealed file, damaged, or not authentic */
} dare_status;

/* A client of the key servers. One may be used by several threads at once. */
typedef struct dare_client dare_client;

/* What the last call of this thread that did not return DARE_OK has to say; never NULL, valid until
 * the next call. */
DARE_API const char *dare_last_error(void);

/* The version of the library, "0.1.0". */
DARE_API const char *dare_version(void);

/* Reads the configuration at `config_path`, or at /etc/dare/client.toml when it is NULL. Talks to
 * no server yet. On DARE_OK *client is yours until dare_client_free(); otherwise it is NULL. */
DARE_API dare_status dare_client_new(const char *config_path, dare_client **client);
DARE_API void dare_client_free(dare_client *client);

/* Reads up to `size` bytes and returns how many, 0 at the end, negative to give up. */
typedef ptrdiff_t (*dare_read)(void *user, void *buffer, size_t size);
/* Takes all `size` bytes and returns 0, anything else to give up. */
typedef int (*dare_write)(void *user, const void *bytes, size_t size);

/* `key` is the name or id of the key to seal under; NULL takes default_key of the configuration.
 * The callbacks come from threads of the library, one at a time each. */
DARE_API dare_status dare_seal_stream(dare_client *client, const char *key, dare_read read,
                                      dare_write write, void *user);
/* Every byte that reaches `write` is authentic; only DARE_OK says that they are all there. */
DARE_API dare_status dare_open_stream(dare_client *client, dare_read read, dare_write write,
                                      void *user);

/* Files appear under their name only when they are complete and synced. Without `replace` an
 * existing file is left alone and the call fails. */
DARE_API dare_status dare_seal_file(dare_client *client, const char *key, const char *in,
                                    const char *out, int replace);
DARE_API dare_status dare_open_file(dare_client *client, const char *in, const char *out,
                                    int replace);
/* Puts the file's block key under `key` in place of the keys it is under. The data is not touched;
 * a crash leaves a file that opens. */
DARE_API dare_status dare_rewrap_file(dare_client *client, const char *key, const char *file);

#ifdef __cplusplus
}
#endif

#endif /* DARE_DARE_H */
