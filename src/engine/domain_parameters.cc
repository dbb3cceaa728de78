#include "engine/domain_parameters.h"

#include "kmip/tags.h"
#include "ttlv/reader.h"

namespace dare::engine {
namespace {

using kmip::Tag;

Result<DomainParameters> Read(const kmip::Attribute& attribute) {
  DomainParameters read;
  ttlv::Reader members = TRY(attribute.View().Members());
  read.q_bits = TRY(members.OptionalInteger(Tag::kQlength));
  read.curve = TRY(members.OptionalEnum<kmip::RecommendedCurve>(Tag::kRecommendedCurve));
  return read;
}

}  // namespace

DomainParameters DomainParametersOf(const kmip::AttributeSet& attributes) {
  const kmip::Attribute* attribute = attributes.Find(Tag::kCryptographicDomainParameters);
  if (attribute == nullptr) return {};
  return Read(*attribute).value_or(DomainParameters());
}

}  // namespace dare::engine
