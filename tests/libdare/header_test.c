/* The C header is C. */
#include <dare/dare.h>

dare_status dare_header_test(dare_client *client);
dare_status dare_header_test(dare_client *client) {
  const dare_cache_limits limits = DARE_CACHE_LIMITS;
  dare_client *caching = NULL;
  const dare_status status = dare_client_with_cache(client, &limits, &caching);
  dare_client_free(caching);
  return status;
}
