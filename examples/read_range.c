/* read_range CONFIG FILE OFFSET SIZE: some bytes out of the middle of a sealed file.
 *
 * Opening asks the key server once and authenticates the size; each read opens only the frames that
 * it needs. One reader may be used by several threads at once. */
#include <dare/dare.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  dare_client *client = NULL;
  dare_reader *reader = NULL;
  dare_status status;
  uint64_t offset;
  size_t left, got = 1;
  if (argc != 5) {
    fprintf(stderr, "usage: read_range CONFIG FILE OFFSET SIZE\n");
    return DARE_USAGE;
  }
  offset = strtoull(argv[3], NULL, 10);
  left = strtoull(argv[4], NULL, 10);

  status = dare_client_new(argv[1], &client);
  if (status == DARE_OK) status = dare_reader_open(client, argv[2], &reader);
  if (status == DARE_OK) {
    fprintf(stderr, "%llu bytes in all\n", (unsigned long long)dare_reader_size(reader));
  }
  while (status == DARE_OK && left > 0 && got > 0) { /* 0 bytes: the end of the file */
    char buffer[65536];
    const size_t want = left < sizeof buffer ? left : sizeof buffer;
    status = dare_reader_pread(reader, buffer, want, offset, &got);
    if (status != DARE_OK || fwrite(buffer, 1, got, stdout) != got) break;
    offset += got;
    left -= got;
  }
  if (status != DARE_OK) fprintf(stderr, "read_range: %s\n", dare_last_error());
  dare_reader_close(reader);
  dare_client_free(client);
  return (int)status;
}
