#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/create_key_pair.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/register.h"

// What the tests about key pairs make and look at, in a few words.
namespace dare::engine {

inline kmip::Attribute CurveForTest(kmip::RecommendedCurve curve) {
  ttlv::Writer out;
  out.Structure(kmip::Tag::kCryptographicDomainParameters,
                [&] { out.Enum(kmip::Tag::kRecommendedCurve, curve); });
  return kmip::Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
}

// Create Key Pair of `algorithm`; `common` joins the common attributes.
inline kmip::CreateKeyPairRequest PairRequestForTest(
    kmip::CryptographicAlgorithm algorithm, std::optional<std::int32_t> bits = std::nullopt,
    const std::vector<kmip::Attribute>& common = {}) {
  kmip::CreateKeyPairRequest request;
  request.attributes.common = AttributesForTest(common);
  request.attributes.common.attributes.Add(
      EnumForTest(kmip::Tag::kCryptographicAlgorithm, algorithm));
  if (bits) {
    request.attributes.common.attributes.Add(
        kmip::Attribute::OfInteger(kmip::Tag::kCryptographicLength, *bits));
  }
  return request;
}

// A P-256 pair: fast.
inline kmip::CreateKeyPairResponse EcPairForTest(EngineForTest& engine) {
  return engine.Must<kmip::CreateKeyPairResponse>(
      PairRequestForTest(kmip::CryptographicAlgorithm::kEC, 256));
}

struct GivenKeyForTest {
  WipingBytes object;  // the whole structure
  kmip::KeyFormatType format{};
  std::optional<std::uint32_t> compression;
  std::string material;  // Key Material, in hexadecimal
};
inline GivenKeyForTest DissectForTest(const kmip::GetResponse& response) {
  GivenKeyForTest given;
  given.object.assign(response.object.whole.begin(), response.object.whole.end());
  ttlv::Reader members = *response.object.Members();
  const kmip::KeyBlock block = *kmip::ReadKeyBlock(members);
  given.format = block.format;
  given.compression = block.compression;
  if (block.key_material) given.material = ToHex(block.key_material->whole);
  return given;
}
inline GivenKeyForTest GetForTest(
    EngineForTest& engine, const std::string& id,
    std::optional<kmip::KeyFormatType> format = std::nullopt,
    std::optional<kmip::KeyCompressionType> compression = std::nullopt,
    kmip::ProtocolVersion version = kmip::kVersion2_1) {
  kmip::GetRequest request;
  request.id = kmip::Identifier(id);
  request.format = format;
  request.compression = compression;
  return DissectForTest(engine.Must<kmip::GetResponse>(request, version));
}

// Register of a whole object structure.
inline ItemForTest RegisterForTest(EngineForTest& engine, kmip::ObjectType type, ByteView object,
                                   const std::vector<kmip::Attribute>& attributes = {},
                                   kmip::ProtocolVersion version = kmip::kVersion2_1) {
  kmip::RegisterRequest request;
  request.object_type = type;
  request.attributes = AttributesForTest(attributes);
  const ttlv::Item item = *ttlv::ParseItem(object);
  request.object = item;
  return engine.Do(request, version);
}
inline std::string RegisteredForTest(const ItemForTest& item) {
  ttlv::Reader in = item.in();
  return std::string(*in.Text(kmip::Tag::kUniqueIdentifier));
}

}  // namespace dare::engine
