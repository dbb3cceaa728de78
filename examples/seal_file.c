/* seal_file CONFIG FILE: makes FILE.dare, which nobody reads without the key server's consent, and
 * then FILE.copy out of it.
 *
 * Every call gives a status; the text of the last failure is dare_last_error(). Both files appear
 * under their names only when they are whole and on the disk. */
#include <dare/dare.h>
#include <stdio.h>

static int failed(dare_status status, const char *what) {
  if (status == DARE_OK) return 0;
  fprintf(stderr, "%s: %s\n", what, dare_last_error());
  switch (status) {
    case DARE_DENIED:
      fprintf(stderr, "the key is revoked, or this machine may not use it\n");
      break;
    case DARE_UNREACHABLE:
      fprintf(stderr, "no key server answers; trying again later may help\n");
      break;
    case DARE_DAMAGED:
      fprintf(stderr, "these are not the bytes that were sealed\n");
      break;
    default:
      break;
  }
  return 1;
}

int main(int argc, char **argv) {
  char sealed[4096], copy[4096];
  dare_client *client = NULL;
  int result = 1;
  if (argc != 3) {
    fprintf(stderr, "usage: seal_file CONFIG FILE\n");
    return DARE_USAGE;
  }
  snprintf(sealed, sizeof sealed, "%s.dare", argv[2]);
  snprintf(copy, sizeof copy, "%s.copy", argv[2]);

  if (failed(dare_client_new(argv[1], &client), argv[1])) return 1;
  /* The key is NULL: default_key of the configuration. The last argument: replace what is there. */
  if (!failed(dare_seal_file(client, NULL, argv[2], sealed, 1), argv[2]) &&
      !failed(dare_open_file(client, sealed, copy, 1), sealed)) {
    printf("%s\n%s\n", sealed, copy);
    result = 0;
  }
  dare_client_free(client);
  return result;
}
