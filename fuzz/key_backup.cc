// The file of a backup that a quorum opens: any bytes, and any text. What is accepted has one form
// as bytes, and shares that were not made with it open nothing.
#include "custody/key_backup.h"

#include <algorithm>
#include <vector>

#include "base/check.h"

namespace dare::custody {
namespace {

constexpr std::size_t kPartBytes = 32;

// As many shares as it asks for, whose parts are any bytes.
std::vector<KeyShare> Forged(const KeyBackup& backup, std::uint8_t first) {
  std::vector<KeyShare> shares;
  for (unsigned n = 1; n <= backup.threshold; ++n) {
    const Bytes part(kPartBytes, static_cast<std::uint8_t>(first + n));
    shares.push_back({backup.ceremony, backup.threshold, static_cast<std::uint8_t>(n),
                      SecretBytes::CopyOf(part).value()});
  }
  return shares;
}

void Try(const KeyBackup& backup, std::uint8_t first) {
  const std::string text = ToArmour(backup);
  CHECK(FromArmour(text).value() == backup);
  CHECK(FromArmour("# a note before it\n" + text + "and one behind").value() == backup);
  std::vector<KeyShare> shares = Forged(backup, first);
  CHECK(Recover(backup, shares).error().code == Code::kDamaged);
  shares.pop_back();
  CHECK(Recover(backup, shares).error().code == Code::kInvalidArgument);
}

void Read(ByteView bytes) {
  if (const auto backup = DecodeKeyBackup(bytes)) {
    CHECK(std::ranges::equal(Encode(*backup), bytes));
    Try(*backup, bytes.back());
  }
  if (const auto backup = FromArmour(AsText(bytes))) Try(*backup, bytes.front());
}

}  // namespace
}  // namespace dare::custody

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dare::custody::Read({data, size});
  return 0;
}
