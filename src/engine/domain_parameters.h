#pragma once

#include <cstdint>
#include <optional>

#include "kmip/attributes.h"
#include "kmip/enums.h"

namespace dare::engine {

// Cryptographic Domain Parameters (kmip-2.1 4.13; kmip-1.4 3.7).
struct DomainParameters {
  std::optional<std::int32_t> q_bits;  // Qlength, of DSA and DH
  std::optional<kmip::RecommendedCurve> curve;
};
// Empty where the attribute is absent.
DomainParameters DomainParametersOf(const kmip::AttributeSet& attributes);

}  // namespace dare::engine
