/* filter seal|open CONFIG <IN >OUT: a stream of any size in bounded memory.
 *
 * The library calls back for input and with output, from its own threads, one call at a time for
 * each of the two. All that reaches the output was checked, but only DARE_OK at the end says that
 * nothing is missing: a program that acts on what it got must wait for it. */
#include <dare/dare.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static ptrdiff_t read_input(void *user, void *buffer, size_t size) {
  ssize_t n;
  (void)user;
  do {
    n = read(STDIN_FILENO, buffer, size);
  } while (n < 0 && errno == EINTR);
  return n; /* 0 at the end, negative to give up */
}

static int write_output(void *user, const void *bytes, size_t size) {
  const char *at = bytes;
  (void)user;
  while (size > 0) {
    const ssize_t n = write(STDOUT_FILENO, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return 1; /* give up */
    at += n;
    size -= (size_t)n;
  }
  return 0;
}

int main(int argc, char **argv) {
  dare_client *client = NULL;
  dare_status status;
  if (argc != 3 || (strcmp(argv[1], "seal") != 0 && strcmp(argv[1], "open") != 0)) {
    fprintf(stderr, "usage: filter seal|open CONFIG <IN >OUT\n");
    return DARE_USAGE;
  }
  status = dare_client_new(argv[2], &client);
  if (status == DARE_OK) {
    status = strcmp(argv[1], "seal") == 0
                 ? dare_seal_stream(client, NULL, read_input, write_output, NULL)
                 : dare_open_stream(client, read_input, write_output, NULL);
  }
  if (status != DARE_OK) fprintf(stderr, "filter: %s\n", dare_last_error());
  dare_client_free(client);
  return (int)status; /* statuses are fit for exit codes */
}
