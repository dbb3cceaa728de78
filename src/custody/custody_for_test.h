#pragma once

#include <memory>
#include <string>

#include "custody/custody.h"
#include "custody/tokens_for_test.h"
#include "store/memory_store.h"

namespace dare::custody {

// A store in memory with tokens in memory, and what the engine's vault would keep there: a sealed
// record key, whose hash with the content stands for the keyed check.
struct CustodyBenchForTest {
  explicit CustodyBenchForTest(std::vector<std::string> tokens);

  Result<std::unique_ptr<Custody>> Open(SealingMode mode = SealingMode::kDirect,
                                        const std::string& node = "one",
                                        std::vector<std::shared_ptr<hsm::Sealer>> at_hand = {});
  void Put(const std::string& key, ByteView value);

  std::unique_ptr<store::ObjectStore> store = store::MakeMemoryStore();
  std::shared_ptr<TokensForTest> tokens;
  ManualClockForTest clock;
};

}  // namespace dare::custody
