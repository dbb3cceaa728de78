// What a folder, a witness or a stranger hands to an auditor as a checkpoint.
#include <cstddef>
#include <cstdint>

#include "audit/checkpoint.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = dare::AsText({data, size});
  const auto parsed = dare::audit::ParseCheckpoint(text);
  if (parsed) CHECK(dare::audit::TextOf(*parsed) == text);  // one text for one checkpoint
  dare::audit::CheckpointKeys keys;
  (void)keys.AddPem(text);
  return 0;
}
