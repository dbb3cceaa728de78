// Any bytes as a conversation of enrolled clients with the whole engine (engine_key.h: its form),
// through batch, policy, operations, vault and store: nothing may crash, hang, leak, or answer
// anything but one whole response message (EngineForTest looks at that). What an answer tells,
// later messages of the same conversation can use.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine_for_test.h"
#include "engine/issuer_for_test.h"
#include "engine_key.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Tag;

constexpr int kInputsForOneEngine = 1000;  // the store and the audit log grow
constexpr int kMostMessages = 16;          // of one conversation
constexpr std::size_t kMostIds = 255;
const std::size_t kIdLength = std::string(kKeyForFuzz).size();
const std::size_t kCorrelationLength = std::string(kCorrelationForFuzz).size();

struct World {
  World() { engine.UseIssuer(&issuer); }

  const IssuerForTest issuer{ManualClockForTest().Now()};
  EngineForTest engine{/*allow_legacy=*/true,
                       {.newest_version = kmip::kVersion3_0, .interop = true}};
  std::string key = engine.AddAesKey(
      Bytes(32, 7), {kmip::Attribute::OfInteger(Tag::kCryptographicUsageMask, 0xFFF)});
  int inputs = 0;
};

class Conversation {
 public:
  explicit Conversation(World& world) : world_(world) {}

  void Run(ByteView input) {
    for (int messages = 0; !input.empty() && messages < kMostMessages; ++messages) {
      if (input.front() != 0x42) {
        Choose(input.front());
        input = input.subspan(1);
        if (input.empty() && messages > 0) return;
      }
      const std::size_t length = LengthOf(input);
      WipingBytes message(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(length));
      input = input.subspan(length);
      PutWhatIsKnown(message);
      Learn(world_.engine.Exchange(message, speaker_, speaker_ == "root"));
    }
  }

 private:
  void Choose(std::uint8_t choice) {
    constexpr const char* kSpeakers[] = {"alice", "bob", "root", "alice"};
    speaker_ = kSpeakers[choice & 3];
    if ((choice & kAMinuteLater) != 0) world_.engine.clock().Advance(61);
    if ((choice & kADayLater) != 0) world_.engine.clock().Advance(86'400);
  }

  // Of the message at the front, as its own header tells it.
  static std::size_t LengthOf(ByteView input) {
    if (input.size() < 8) return input.size();
    return std::min<std::size_t>(input.size(), std::size_t{8} + GetU32(input.data() + 4));
  }

  void PutWhatIsKnown(WipingBytes& message) const {
    Replace(message, kKeyForFuzz, world_.key);
    for (std::size_t n = 0; n < ids_.size(); ++n) {
      Replace(message, AnsweredIdForFuzz(n + 1), ids_[n]);
    }
    if (!correlation_.empty()) Replace(message, kCorrelationForFuzz, correlation_);
  }

  static void Replace(WipingBytes& message, const std::string& word, const std::string& by) {
    for (auto at = message.begin();; at += static_cast<std::ptrdiff_t>(by.size())) {
      at = std::search(at, message.end(), word.begin(), word.end());
      if (at == message.end()) return;
      std::copy(by.begin(), by.end(), at);
    }
  }

  // Items begin at multiples of 8. What looks like one inside of a value does no harm.
  void Learn(ByteView answer) {
    for (std::size_t at = 0; at + 8 <= answer.size(); at += 8) {
      const auto tag = static_cast<Tag>(GetU32(answer.data() + at) >> 8);
      const std::size_t length = GetU32(answer.data() + at + 4);
      if (length > answer.size() - at - 8) continue;
      const std::string value(AsText(answer.subspan(at + 8, length)));
      switch (tag) {
        case Tag::kUniqueIdentifier:
        case Tag::kPrivateKeyUniqueIdentifier:
        case Tag::kPublicKeyUniqueIdentifier:
          if (length == kIdLength && ids_.size() < kMostIds) ids_.push_back(value);
          break;
        case Tag::kCorrelationValue:
        case Tag::kAsynchronousCorrelationValue:
          if (length == kCorrelationLength) correlation_ = value;
          break;
        default:
          break;
      }
    }
  }

  World& world_;
  std::string speaker_ = "alice";
  std::vector<std::string> ids_;
  std::string correlation_;
};

}  // namespace
}  // namespace dare::engine

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using dare::engine::World;
  static std::unique_ptr<World> world;
  if (!world || ++world->inputs > dare::engine::kInputsForOneEngine) {
    world.reset();
    world = std::make_unique<World>();
  }
  dare::engine::Conversation(*world).Run({data, size});
  return 0;
}
