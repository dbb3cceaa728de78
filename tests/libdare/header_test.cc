// The C++ header stands alone.
#include <dare/client.h>

dare::lib::Status HeaderTest(dare::lib::Client& client);
dare::lib::Status HeaderTest(dare::lib::Client& client) {
  const std::vector<dare_pair> context{{"table", "people"}};
  const dare::lib::Result<dare::lib::Buffer> sealed = client.SealValue("", context, {});
  if (!sealed) return sealed.status();
  return client.OpenStream([](std::span<std::byte>) { return std::ptrdiff_t{0}; },
                           [](std::span<const std::byte>) { return true; });
}
