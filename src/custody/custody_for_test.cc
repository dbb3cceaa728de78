#include "custody/custody_for_test.h"

#include "base/check.h"
#include "crypto/digest.h"

namespace dare::custody {

CustodyBenchForTest::CustodyBenchForTest(std::vector<std::string> names) {
  CHECK(StartSecureHeap(std::size_t{1} << 20).has_value());
  tokens = std::make_shared<TokensForTest>(std::move(names));
}

Result<std::unique_ptr<Custody>> CustodyBenchForTest::Open(
    SealingMode mode, const std::string& node, std::vector<std::shared_ptr<hsm::Sealer>> at_hand) {
  CustodyOptions options;
  options.mode = mode;
  options.node = node;
  options.patience = std::chrono::seconds(5);
  options.at_hand = std::move(at_hand);
  auto custody = TRY(Custody::Open(*store, tokens, options, clock));
  const auto sealed = store->GetMeta("record-key");
  Bytes key(32, 0x5a);
  if (sealed) {
    const SecretBytes opened = TRY(custody->ring().Open(AsBytes("record key"), *sealed));
    key = ToBytes(opened.Reveal());
  } else {
    const Bytes made = TRY(custody->ring().Seal(AsBytes("record key"), key));
    Put("record-key", made);
  }
  TRY(custody->Trust([key](std::string_view purpose, ByteView content) -> Result<Bytes> {
    Bytes all = key;
    Append(all, AsBytes(purpose));
    Append(all, content);
    const auto digest = crypto::Sha256(all);
    return Bytes(digest.begin(), digest.end());
  }));
  return custody;
}

void CustodyBenchForTest::Put(const std::string& key, ByteView value) {
  const auto transaction = store->Begin();
  CHECK(transaction.has_value());
  CHECK((*transaction)->PutMeta(key, value).has_value());
  CHECK((*transaction)->Commit().has_value());
}

}  // namespace dare::custody
