#include "envelope/algorithm_suite.h"

#include <gtest/gtest.h>

#include <sstream>

namespace dare::envelope {
namespace {

// A golden snapshot: what we read is a promise to stored files; a change must be approved here.
TEST(AlgorithmSuite, TableIsTheOneOfTheFormat) {
  std::ostringstream table;
  for (std::uint32_t id = 0; id <= 0xFFFF; ++id) {
    const AlgorithmSuite* suite = FindSuite(static_cast<std::uint16_t>(id));
    if (suite == nullptr) continue;
    table << std::hex << id << std::dec << " v" << int{suite->header_version} << " key "
          << suite->key_length << " hash " << (suite->kdf ? crypto::HashSize(*suite->kdf) : 0)
          << (suite->commits ? " commits" : "") << " signature "
          << static_cast<int>(suite->signature) << "\n";
  }
  EXPECT_EQ(table.str(),
            "14 v1 key 16 hash 0 signature 0\n"
            "46 v1 key 24 hash 0 signature 0\n"
            "78 v1 key 32 hash 0 signature 0\n"
            "114 v1 key 16 hash 32 signature 0\n"
            "146 v1 key 24 hash 32 signature 0\n"
            "178 v1 key 32 hash 32 signature 0\n"
            "214 v1 key 16 hash 32 signature 1\n"
            "346 v1 key 24 hash 48 signature 2\n"
            "378 v1 key 32 hash 48 signature 2\n"
            "478 v2 key 32 hash 64 commits signature 0\n"
            "578 v2 key 32 hash 64 commits signature 2\n");
}

TEST(AlgorithmSuite, SuitesOfOtherAwsClientsAreUnknown) {
  for (const std::uint16_t id : {0x0000, 0x0070, 0x0072, 0x0073, 0x0074, 0x6700, 0x6701}) {
    EXPECT_EQ(FindSuite(id), nullptr) << id;
  }
}

}  // namespace
}  // namespace dare::envelope
