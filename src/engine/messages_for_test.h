#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/secret_bytes.h"
#include "kmip/message.h"
#include "kmip/payloads/create.h"
#include "kmip/request_identity.h"
#include "kmip/tags.h"

namespace dare::engine {

// A message of KMIP 2.1 with these items, each with the `identity` where there is one.
template <typename Request>
WipingBytes MessageForTest(const std::vector<Request>& requests, ByteView identity = {},
                           kmip::Asynchrony asynchrony = kmip::Asynchrony::kProhibited) {
  using kmip::Tag;
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    kmip::RequestHeader header;
    header.version = kmip::kVersion2_1;
    header.batch_count = static_cast<std::int32_t>(requests.size());
    header.asynchrony = asynchrony;
    kmip::WriteRequestHeader(out, header);
    std::uint8_t number = 0;
    for (const Request& request : requests) {
      out.Structure(Tag::kBatchItem, [&] {
        out.Enum(Tag::kOperation, Request::kOperation);
        if (requests.size() > 1) out.ByteString(Tag::kUniqueBatchItemID, Bytes(4, ++number));
        out.Structure(Tag::kRequestPayload, [&] { request.Encode(out, kmip::kVersion2_1); });
        if (!identity.empty()) kmip::WriteRequestIdentity(out, identity, false);
      });
    }
  });
  return out.Take();
}

// For an AES key that encrypts and decrypts.
inline kmip::CreateRequest CreateAesForTest(const std::string& name = "", std::int32_t bits = 256) {
  using kmip::Attribute;
  using kmip::Tag;
  kmip::CreateRequest request;
  request.object_type = kmip::ObjectType::kSymmetricKey;
  kmip::AttributeSet& wanted = request.attributes.attributes;
  wanted.Add(
      Attribute::OfEnumeration(Tag::kCryptographicAlgorithm,
                               static_cast<std::uint32_t>(kmip::CryptographicAlgorithm::kAES)));
  wanted.Add(Attribute::OfInteger(Tag::kCryptographicLength, bits));
  wanted.Add(Attribute::OfInteger(Tag::kCryptographicUsageMask, 12));
  if (!name.empty()) wanted.Add(Attribute::OfName(name));
  return request;
}

}  // namespace dare::engine
