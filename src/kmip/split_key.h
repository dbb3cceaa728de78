#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "kmip/enums.h"
#include "kmip/key_block.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// What stands in a Split Key before its Key Block (kmip-2.1 2.8; kmip-1.4 2.2.5).
struct SplitKeyHead {
  std::int32_t parts = 0;
  std::int32_t identifier = 0;  // of this part, from 1
  std::int32_t threshold = 0;
  SplitKeyMethod method{};
  Bytes prime;  // Prime Field Size as a number without sign; empty where absent

  friend bool operator==(const SplitKeyHead&, const SplitKeyHead&) = default;
};

// At Split Key Parts. kInvalidArgument where the numbers cannot be.
Result<SplitKeyHead> ReadSplitKeyHead(ttlv::Reader& members);
void WriteSplitKeyHead(ttlv::Writer& out, const SplitKeyHead& head);

// Encodes Split Key { head, Key Block { like `original`, with `part` as its material } }.
Result<SecretBytes> MakeSplitKey(const SplitKeyHead& head, const KeyBlock& original, ByteView part);

}  // namespace dare::kmip
