// What a folder hands to an auditor as the record of a removal.
#include <cstddef>
#include <cstdint>

#include "audit/pruning.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = dare::AsText({data, size});
  const auto parsed = dare::audit::ParsePruning(text);
  if (!parsed) return 0;
  CHECK(dare::audit::TextOf(*parsed) == text);  // one text for one removal
  const dare::audit::TreeState state = dare::audit::StateAfter(parsed->pruning);
  CHECK(state.edge.size() != 0 && state.segment > 1);
  return 0;
}
