// The C++ header stands alone.
#include <dare/client.h>

dare::lib::Status HeaderTest(dare::lib::Client& client);
dare::lib::Status HeaderTest(dare::lib::Client& client) {
  return client.OpenStream([](std::span<std::byte>) { return std::ptrdiff_t{0}; },
                           [](std::span<const std::byte>) { return true; });
}
