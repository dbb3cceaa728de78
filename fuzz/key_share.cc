// A share as somebody types it in from paper: any text, and the text of a true share with whatever
// mistakes the input asks for. A mistake is told of, or it changes nothing; it never makes another
// share.
#include <algorithm>

#include "base/check.h"
#include "custody/key_backup.h"

namespace dare::custody {
namespace {

constexpr std::size_t kCeremonyBytes = 8;
constexpr std::size_t kPartBytes = 32;
constexpr std::size_t kFactsBytes = kCeremonyBytes + 2 + kPartBytes;

bool Same(const KeyShare& one, const KeyShare& other) {
  return one.ceremony == other.ceremony && one.threshold == other.threshold &&
         one.number == other.number && one.part == other.part;
}

KeyShare ShareOf(ByteView facts) {
  KeyShare share;
  share.ceremony = ToBytes(facts.first(kCeremonyBytes));
  share.threshold = std::max<std::uint8_t>(facts[kCeremonyBytes], 2);
  share.number = std::max<std::uint8_t>(facts[kCeremonyBytes + 1], 1);
  share.part = SecretBytes::CopyOf(facts.last(kPartBytes)).value();
  return share;
}

// Each mistake is three bytes of the input: where, and what stands there instead. Where the place
// is past the text, the rest of the text is missing from there on.
void Misspell(WipingBytes& text, ByteView mistakes) {
  for (; mistakes.size() >= 3 && !text.empty(); mistakes = mistakes.subspan(3)) {
    const std::size_t place = GetU16(mistakes.data());
    if (place < text.size()) {
      text[place] = mistakes[2];
    } else {
      text.resize(place % text.size());
    }
  }
}

void Copy(ByteView input) {
  const KeyShare share = ShareOf(input.first(kFactsBytes));
  WipingBytes text = ToText(share, share.number);
  CHECK(Same(FromText(AsText(text)).value(), share));
  Misspell(text, input.subspan(kFactsBytes));
  const Result<KeyShare> read = FromText(AsText(text));
  CHECK(read ? Same(*read, share) : read.error().code == Code::kMalformed);
}

void Read(ByteView input) {
  if (const auto share = FromText(AsText(input))) {
    CHECK(Same(FromText(AsText(ToText(*share, share->number))).value(), *share));
  }
  if (input.size() >= kFactsBytes) Copy(input);
}

}  // namespace
}  // namespace dare::custody

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dare::custody::Read({data, size});
  return 0;
}
