// What a stranger hands to an auditor as the proof of an entry.
#include <cstddef>
#include <cstdint>

#include "audit/proof.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto proof = dare::audit::DecodeProof(dare::AsText({data, size}));
  if (!proof) return 0;
  const auto again = dare::audit::DecodeProof(dare::audit::EncodeProof(*proof));
  CHECK(again && *again == *proof);
  CHECK(!dare::audit::CheckProof(*proof, {}));  // without a key nothing is proven
  return 0;
}
