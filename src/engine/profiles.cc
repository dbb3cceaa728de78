#include "engine/profiles.h"

#include <utility>

#include "crypto/random_source.h"
#include "kmip/names.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::ProfileName;

// What a profile's cases ask of the configuration.
enum Needs : unsigned {
  kNothing = 0,
  kLegacy = 1,  // algorithms that should no longer be used: 3DES, ECB, …
  kX931 = 2,    // keys that name ANSI X9.31 as their generator
  kHttps = 4,   // /kmip on the HTTPS listener
};

struct Row {
  ProfileName name;
  unsigned needs;
};

// Until 1.4 the name of a profile ends in the version of the standard whose cases it means; from
// 2.0 on there is one name, whatever the version. Not claimed: Complete Server, and Quantum Safe,
// which asks for algorithms that nobody here has.
constexpr Row kClaimed[] = {
    {ProfileName::kBaselineServerBasicKMIPV1_2, kNothing},
    {ProfileName::kBaselineServerTLSV1_2KMIPV1_2, kNothing},
    {ProfileName::kBaselineServerBasicKMIPV1_3, kNothing},
    {ProfileName::kBaselineServerTLSV1_2KMIPV1_3, kNothing},
    {ProfileName::kBaselineServerBasicKMIPV1_4, kNothing},
    {ProfileName::kBaselineServerTLSV1_2KMIPV1_4, kNothing},
    {ProfileName::kSymmetricKeyLifecycleServerKMIPV1_0, kNothing},
    {ProfileName::kSymmetricKeyLifecycleServerKMIPV1_1, kNothing},
    {ProfileName::kSymmetricKeyLifecycleServerKMIPV1_2, kNothing},
    {ProfileName::kSymmetricKeyLifecycleServerKMIPV1_3, kNothing},
    {ProfileName::kSymmetricKeyLifecycleServerKMIPV1_4, kNothing},
    {ProfileName::kAsymmetricKeyLifecycleServerKMIPV1_0, kNothing},
    {ProfileName::kAsymmetricKeyLifecycleServerKMIPV1_1, kNothing},
    {ProfileName::kAsymmetricKeyLifecycleServerKMIPV1_2, kNothing},
    {ProfileName::kAsymmetricKeyLifecycleServerKMIPV1_3, kNothing},
    {ProfileName::kAsymmetricKeyLifecycleServerKMIPV1_4, kX931},
    {ProfileName::kBasicCryptographicServerKMIPV1_2, kLegacy},
    {ProfileName::kBasicCryptographicServerKMIPV1_3, kLegacy},
    {ProfileName::kBasicCryptographicServerKMIPV1_4, kLegacy},
    {ProfileName::kAdvancedCryptographicServerKMIPV1_2, kLegacy},
    {ProfileName::kAdvancedCryptographicServerKMIPV1_3, kLegacy},
    {ProfileName::kAdvancedCryptographicServerKMIPV1_4, kLegacy},
    {ProfileName::kRNGCryptographicServerKMIPV1_2, kNothing},
    {ProfileName::kRNGCryptographicServerKMIPV1_3, kNothing},
    {ProfileName::kRNGCryptographicServerKMIPV1_4, kNothing},
    {ProfileName::kSymmetricKeyFoundryServerKMIPV1_0, kLegacy},
    {ProfileName::kSymmetricKeyFoundryServerKMIPV1_1, kLegacy},
    {ProfileName::kSymmetricKeyFoundryServerKMIPV1_2, kLegacy},
    {ProfileName::kSymmetricKeyFoundryServerKMIPV1_3, kLegacy},
    {ProfileName::kSymmetricKeyFoundryServerKMIPV1_4, kLegacy | kX931},
    {ProfileName::kOpaqueManagedObjectStoreServerKMIPV1_0, kNothing},
    {ProfileName::kOpaqueManagedObjectStoreServerKMIPV1_1, kNothing},
    {ProfileName::kOpaqueManagedObjectStoreServerKMIPV1_2, kNothing},
    {ProfileName::kOpaqueManagedObjectStoreServerKMIPV1_3, kNothing},
    {ProfileName::kOpaqueManagedObjectStoreServerKMIPV1_4, kNothing},
    {ProfileName::kSuiteBMinLOS_128ServerKMIPV1_0, kNothing},
    {ProfileName::kSuiteBMinLOS_128ServerKMIPV1_1, kNothing},
    {ProfileName::kSuiteBMinLOS_128ServerKMIPV1_2, kNothing},
    {ProfileName::kSuiteBMinLOS_128ServerKMIPV1_3, kNothing},
    {ProfileName::kSuiteBMinLOS_128ServerKMIPV1_4, kNothing},
    {ProfileName::kSuiteBMinLOS_192ServerKMIPV1_0, kNothing},
    {ProfileName::kSuiteBMinLOS_192ServerKMIPV1_1, kNothing},
    {ProfileName::kSuiteBMinLOS_192ServerKMIPV1_2, kNothing},
    {ProfileName::kSuiteBMinLOS_192ServerKMIPV1_3, kNothing},
    {ProfileName::kSuiteBMinLOS_192ServerKMIPV1_4, kNothing},
    {ProfileName::kTapeLibraryServerKMIPV1_0, kNothing},
    {ProfileName::kTapeLibraryServerKMIPV1_1, kNothing},
    {ProfileName::kTapeLibraryServerKMIPV1_2, kNothing},
    {ProfileName::kTapeLibraryServerKMIPV1_3, kNothing},
    {ProfileName::kTapeLibraryServerKMIPV1_4, kX931},
    {ProfileName::kHTTPSServerKMIPV1_0, kHttps},
    {ProfileName::kHTTPSServerKMIPV1_1, kHttps},
    {ProfileName::kHTTPSServerKMIPV1_2, kHttps},
    {ProfileName::kHTTPSServerKMIPV1_3, kHttps},
    {ProfileName::kHTTPSServerKMIPV1_4, kHttps},
    {ProfileName::kJSONServerKMIPV1_0, kHttps},
    {ProfileName::kJSONServerKMIPV1_1, kHttps},
    {ProfileName::kJSONServerKMIPV1_2, kHttps},
    {ProfileName::kJSONServerKMIPV1_3, kHttps},
    {ProfileName::kJSONServerKMIPV1_4, kHttps},
    {ProfileName::kXMLServerKMIPV1_0, kHttps},
    {ProfileName::kXMLServerKMIPV1_1, kHttps},
    {ProfileName::kXMLServerKMIPV1_2, kHttps},
    {ProfileName::kXMLServerKMIPV1_3, kHttps},
    {ProfileName::kXMLServerKMIPV1_4, kHttps},
    {ProfileName::kBaselineServer, kLegacy},
    {ProfileName::kSymmetricKeyLifecycleServer, kNothing},
    {ProfileName::kAsymmetricKeyLifecycleServer, kX931},
    {ProfileName::kBasicCryptographicServer, kLegacy},
    {ProfileName::kAdvancedCryptographicServer, kLegacy},
    {ProfileName::kRNGCryptographicServer, kNothing},
    {ProfileName::kSymmetricKeyFoundryServer, kLegacy | kX931},
    {ProfileName::kOpaqueManagedObjectStoreServer, kNothing},
    {ProfileName::kTapeLibraryServer, kX931},
    {ProfileName::kHTTPSServer, kHttps},
    {ProfileName::kJSONServer, kHttps},
    {ProfileName::kXMLServer, kHttps},
    {ProfileName::kAESXTSServer, kNothing},
    {ProfileName::kPKCS_11Server, kNothing},
};

unsigned Have(const OperationContext& context) {
  unsigned have = kNothing;
  if (context.algorithms().allow_legacy) have |= kLegacy;
  if (context.random().generator() == crypto::RandomGenerator::kAnsiX931) have |= kX931;
  if (context.facts().https) have |= kHttps;
  return have;
}

}  // namespace

std::vector<kmip::ProfileInformation> ClaimedProfiles(const OperationContext& context) {
  std::vector<kmip::ProfileInformation> profiles;
  for (const Row& row : kClaimed) {
    const auto number = static_cast<std::uint32_t>(row.name);
    if (!kmip::EnumExists(kmip::Tag::kProfileName, number, context.version())) continue;
    if ((row.needs & ~Have(context)) != 0) continue;
    kmip::ProfileInformation profile;
    profile.name = row.name;
    if ((row.needs & kHttps) != 0) profile.server_port = context.facts().https_port;
    profiles.push_back(std::move(profile));
  }
  return profiles;
}

}  // namespace dare::engine
