/* The C header is C. */
#include <dare/dare.h>

dare_status dare_header_test(dare_client *client);
dare_status dare_header_test(dare_client *client) { return dare_open_file(client, "a", "b", 0); }
