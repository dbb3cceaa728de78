#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "envelope/algorithm_suite.h"
#include "envelope/encryption_context.h"
#include "envelope/io.h"
#include "envelope/keyring.h"

namespace dare::envelope {

enum class ContentType : std::uint8_t { kNonFramed = 1, kFramed = 2 };

// What a reader accepts at most; checked before memory is taken for it.
struct MessageLimits {
  std::size_t header_bytes = 256 << 10;
  std::size_t edks = 16;
  std::uint32_t frame_length = 64u << 20;
  std::uint64_t non_framed_bytes = 64u << 20;  // must be held back until the one tag was checked
};

// A message header as it stands in the file. Nothing in it may be trusted before message_opener has
// checked commitment and tag. A plain value.
struct MessageHeader {
  const AlgorithmSuite* suite = nullptr;
  Bytes message_id;
  EncryptionContext context;
  std::vector<EncryptedDataKey> edks;
  ContentType content_type = ContentType::kFramed;
  std::uint32_t frame_length = 0;
  Bytes commitment;
  std::array<std::uint8_t, 12> iv{};
  std::array<std::uint8_t, 16> tag{};
  Bytes body;  // the bytes the tag covers

  std::size_t size() const { return body.size() + (suite->header_version == 1 ? 28 : 16); }
};

// Reads one header, versions 1 and 2, and stops right behind it. kDamaged for whatever does not
// follow the format or exceeds a limit; the text says what (all of it is public). Errors of `in`
// pass.
Result<MessageHeader> ReadHeader(ByteSource& in, const MessageLimits& limits);

// The bytes of a version 2, framed header body. MessageSealer is the only caller: a
// message id gets exactly one header.
Result<Bytes> EncodeHeaderBody(const MessageHeader& header);

}  // namespace dare::envelope
