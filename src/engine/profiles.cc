#include "engine/profiles.h"

#include "kmip/names.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::ProfileName;

// Until 1.4 the name of a profile ends in the version of the standard whose cases it means; from
// 2.0 on there is one name, whatever the version.
constexpr ProfileName kClaimed[] = {
    // Over TTLV.
    ProfileName::kSymmetricKeyLifecycleServerKMIPV1_0,
    ProfileName::kSymmetricKeyLifecycleServerKMIPV1_1,
    ProfileName::kSymmetricKeyLifecycleServerKMIPV1_2,
    ProfileName::kSymmetricKeyLifecycleServerKMIPV1_3,
    ProfileName::kSymmetricKeyLifecycleServerKMIPV1_4,
    ProfileName::kBasicCryptographicServerKMIPV1_2,
    ProfileName::kBasicCryptographicServerKMIPV1_3,
    ProfileName::kBasicCryptographicServerKMIPV1_4,
    ProfileName::kSymmetricKeyLifecycleServer,
    ProfileName::kBasicCryptographicServer,
};

}  // namespace

std::vector<kmip::ProfileInformation> ClaimedProfiles(kmip::ProtocolVersion version,
                                                      const ServerFacts&) {
  std::vector<kmip::ProfileInformation> profiles;
  for (const ProfileName name : kClaimed) {
    if (!kmip::EnumExists(kmip::Tag::kProfileName, static_cast<std::uint32_t>(name), version)) {
      continue;
    }
    profiles.push_back({.name = name, .version = {}, .server_uri = {}, .server_port = {}});
  }
  return profiles;
}

}  // namespace dare::engine
