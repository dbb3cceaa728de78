#pragma once

#include <string>
#include <vector>

#include "engine/engine_for_test.h"
#include "kmip/dialect.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/get_attributes.h"
#include "kmip/payloads/register.h"
#include "kmip/tags.h"

// What the tests of the operations make and look at, in a few words.
namespace dare::engine {

inline kmip::Attribute EnumForTest(kmip::Tag tag, auto value) {
  return kmip::Attribute::OfEnumeration(tag, static_cast<std::uint32_t>(value));
}

inline kmip::AttributesIn AttributesForTest(const std::vector<kmip::Attribute>& attributes) {
  kmip::AttributesIn in;
  for (const kmip::Attribute& attribute : attributes) in.attributes.Add(attribute);
  return in;
}

// x-NAME = value, a client's own attribute.
inline kmip::Attribute CustomForTest(std::string_view name, std::string_view value,
                                     std::string_view vendor = "x") {
  ttlv::Writer out;
  out.Structure(kmip::Tag::kAttribute, [&] {
    out.Text(kmip::Tag::kVendorIdentification, vendor);
    out.Text(kmip::Tag::kAttributeName, name);
    out.Text(kmip::Tag::kAttributeValue, value);
  });
  return kmip::Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
}

// Create of an AES-256 key for Encrypt and Decrypt with `more` attributes.
inline kmip::CreateRequest CreateAesForTest(const std::vector<kmip::Attribute>& more = {}) {
  kmip::CreateRequest request;
  request.object_type = kmip::ObjectType::kSymmetricKey;
  request.attributes = AttributesForTest(more);
  request.attributes.attributes.Add(
      EnumForTest(kmip::Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kAES));
  request.attributes.attributes.Add(
      kmip::Attribute::OfInteger(kmip::Tag::kCryptographicLength, 256));
  request.attributes.attributes.Add(
      kmip::Attribute::OfInteger(kmip::Tag::kCryptographicUsageMask, 0x0C));
  return request;
}

// Creates it, Pre-Active.
inline std::string NewKeyForTest(EngineForTest& engine,
                                 const std::vector<kmip::Attribute>& more = {},
                                 kmip::ProtocolVersion version = kmip::kVersion2_1) {
  return engine.Must<kmip::CreateResponse>(CreateAesForTest(more), version).id;
}

// All attributes of an object as a client sees them.
inline kmip::AttributeSet ReadForTest(EngineForTest& engine, const std::string& id,
                                      kmip::ProtocolVersion version = kmip::kVersion2_1) {
  const auto response = engine.Must<kmip::GetAttributesResponse>(
      kmip::GetAttributesRequest{.id = kmip::Identifier(id)}, version);
  kmip::AttributeSet set;
  for (const kmip::Attribute& attribute : response.attributes) set.Add(attribute);
  return set;
}

inline kmip::State StateForTest(EngineForTest& engine, const std::string& id) {
  return ReadForTest(engine, id).Enum<kmip::State>(kmip::Tag::kState).value_or(kmip::State{});
}

}  // namespace dare::engine
