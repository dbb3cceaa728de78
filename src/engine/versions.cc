#include "engine/versions.h"

#include <algorithm>

namespace dare::engine {
namespace {
constexpr kmip::ProtocolVersion kVersions[] = {
    kmip::kVersion3_0, kmip::kVersion2_1, kmip::kVersion2_0, kmip::kVersion1_4,
    kmip::kVersion1_3, kmip::kVersion1_2, kmip::kVersion1_1, kmip::kVersion1_0};
}  // namespace

std::span<const kmip::ProtocolVersion> SupportedVersions(kmip::ProtocolVersion newest) {
  std::span<const kmip::ProtocolVersion> versions = kVersions;
  while (versions.size() > 1 && versions.front() > newest) versions = versions.subspan(1);
  return versions;
}

bool IsSupported(kmip::ProtocolVersion version) {
  return std::ranges::count(SupportedVersions(), version) != 0;
}

kmip::ProtocolVersion ClosestSupported(kmip::ProtocolVersion version) {
  for (const kmip::ProtocolVersion& supported : SupportedVersions()) {
    if (supported <= version) return supported;
  }
  return kmip::kVersion1_0;
}

}  // namespace dare::engine
