#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/secret_bytes.h"
#include "kmip/identifier.h"
#include "kmip/key_block.h"

namespace dare::kmip {

// Get (kmip-2.1 6.1.19; kmip-1.4 4.11): the object itself, as it is or in another format or wrapped
// for the way.
struct GetRequest {
  static constexpr Operation kOperation = Operation::kGet;
  Identifier id;
  std::optional<KeyFormatType> format;
  std::optional<KeyWrapType> wrap_type;  // 1.4
  std::optional<KeyCompressionType> compression;
  std::optional<KeyWrapping> wrapping;  // a Key Wrapping Specification

  static Result<GetRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

// Move-only. `object` is the whole structure (Symmetric Key {…}, …); it borrows, from what the
// server has opened or from `storage`, and stays valid when the response moves.
struct GetResponse {
  ObjectType type{};
  std::string id;
  ttlv::Item object;
  WipingBytes storage;  // the object's bytes when they belong to this response, else empty

  GetResponse() = default;
  GetResponse(GetResponse&&) = default;
  GetResponse& operator=(GetResponse&&) = default;
  GetResponse(const GetResponse&) = delete;
  GetResponse& operator=(const GetResponse&) = delete;

  // `encoded` is one object structure that was made for this answer. kMalformed when it is none.
  static Result<GetResponse> Owning(ObjectType type, std::string id, WipingBytes encoded);

  // Copies the object into `storage`, so the response may outlive the message.
  static Result<GetResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
