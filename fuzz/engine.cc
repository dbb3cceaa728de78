// Any bytes as a KMIP request message of an enrolled client, through batch, policy, operations,
// vault and store: nothing may crash, hang, or answer anything but one whole response message
// (EngineForTest looks at that). Where the input names kKeyForFuzz, it means a key that is there.
#include <algorithm>
#include <memory>

#include "engine/engine_for_test.h"
#include "engine_key.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

constexpr int kInputsForOneEngine = 1000;  // the store and the audit log grow

struct World {
  EngineForTest engine{/*allow_legacy=*/true};
  std::string key = engine.AddAesKey(
      Bytes(32, 7), {kmip::Attribute::OfInteger(kmip::Tag::kCryptographicUsageMask, 0xFFF)});
  int inputs = 0;
};

void PutKey(WipingBytes& message, const std::string& key) {
  const ByteView wanted = AsBytes(kKeyForFuzz);
  for (auto at = message.begin();; at += static_cast<std::ptrdiff_t>(key.size())) {
    at = std::search(at, message.end(), wanted.begin(), wanted.end());
    if (at == message.end()) return;
    std::copy(key.begin(), key.end(), at);
  }
}

}  // namespace
}  // namespace dare::engine

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using dare::engine::World;
  static std::unique_ptr<World> world;
  if (!world || ++world->inputs > dare::engine::kInputsForOneEngine) {
    world.reset();
    world = std::make_unique<World>();
  }
  dare::WipingBytes message(data, data + size);
  dare::engine::PutKey(message, world->key);
  world->engine.Exchange(message);
  return 0;
}
