// Fills the store of a configured dare-kms with records like those that Create makes, past the
// server and its network but through the same vault: sealed by the same token, checked by the same
// key. It goes on where an earlier run ended, so one store grows from size to size. The server must
// not run. Prints what was added and the rate, as JSON.
#include <fmt/core.h>
#include <openssl/sha.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>

#include "engine/summed_store.h"
#include "engine/vault.h"
#include "key_station.h"
#include "kmip/enums.h"
#include "kmip/managed_object.h"
#include "kmip/tags.h"
#include "server/config.h"

namespace dare::bench {
namespace {

using kmip::Attribute;
using kmip::Tag;
using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t kRowsACommit = 5000;
constexpr std::int64_t kFirstDate = 1'700'000'000;

template <typename T>
T Need(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "scale_fill: {}\n", result.error().message);
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Random-looking, so that an index on it sees random pages as with Create's; the n-th always the
// same, so that a reader of the store can name it.
std::string IdOf(std::uint64_t n) {
  const std::string text = fmt::format("scale-{}", n);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  const std::string hex = ToHex(ByteView(hash).first(16));
  return fmt::format("{}-{}-4{}-8{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(13, 3),
                     hex.substr(17, 3), hex.substr(20, 12));
}

kmip::ManagedObject Object(std::uint64_t n, const std::string& owner) {
  kmip::ManagedObject object;
  object.id = IdOf(n);
  object.type = kmip::ObjectType::kSymmetricKey;
  object.owner = owner;
  const SecretBytes key = Need(SecretBytes::Random(32));
  object.material = Need(kmip::MakeSymmetricKey(key.Reveal(), kmip::CryptographicAlgorithm::kAES));
  const auto date = kFirstDate + static_cast<std::int64_t>(n / 1000);
  const auto enumeration = [](Tag tag, auto value) {
    return Attribute::OfEnumeration(tag, static_cast<std::uint32_t>(value));
  };
  kmip::AttributeSet& all = object.attributes;
  all.Set(Attribute::OfText(Tag::kUniqueIdentifier, object.id));
  all.Set(enumeration(Tag::kObjectType, object.type));
  all.Set(enumeration(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kAES));
  all.Set(Attribute::OfInteger(Tag::kCryptographicLength, 256));
  all.Set(Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x0C));
  all.Set(enumeration(Tag::kState, kmip::State::kActive));
  all.Set(Attribute::OfDate(Tag::kInitialDate, date));
  all.Set(Attribute::OfDate(Tag::kOriginalCreationDate, date));
  all.Set(Attribute::OfDate(Tag::kActivationDate, date));
  all.Set(Attribute::OfDate(Tag::kLastChangeDate, date));
  // A first Get would change a fresh key: that is a measurement of its own.
  all.Set(Attribute::OfBoolean(Tag::kFresh, false));
  all.Set(Attribute::OfName(fmt::format("scale-{:09}", n)));
  return object;
}

// How many are there already: they were made one after the other, whatever else is in the store.
std::uint64_t FilledBefore(const store::ObjectReader& store, std::uint64_t most) {
  std::uint64_t there = 0;
  while (there < most) {
    const std::uint64_t middle = there + (most - there) / 2;
    const Result<store::ObjectRecord> found = store.Get(IdOf(middle));
    if (!found && found.error().code != Code::kNotFound) Need(Result<void>(found.error()));
    if (found) {
      there = middle + 1;
    } else {
      most = middle;
    }
  }
  return there;
}

int Run(const std::string& config_file, const std::string& owner, std::uint64_t objects) {
  const server::Config config = Need(server::LoadConfig(config_file));
  Need(StartSecureHeap(config.secure_heap_bytes));
  const kms::KeyStation station = Need(kms::OpenKeyStation(config, kms::StoreUse::kServe));
  engine::SummedStore store(*station.store, *station.vault, config.node);

  const std::uint64_t before = FilledBefore(store, objects);
  const auto begin = SteadyClock::now();
  for (std::uint64_t n = before; n < objects;) {
    const auto transaction = Need(store.Begin());
    transaction->MayDefer();  // a row is refused with all of them, and nobody waits for each
    for (std::uint64_t i = 0; i < kRowsACommit && n < objects; ++i, ++n) {
      Need(station.vault->Insert(*transaction, Object(n, owner)));
    }
    Need(transaction->Commit());
  }
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  const std::uint64_t added = objects > before ? objects - before : 0;
  fmt::print("{{\"added\": {}, \"per_second\": {:.0f}}}\n", added,
             static_cast<double>(added) / std::max(seconds, 1e-9));
  return 0;
}

}  // namespace
}  // namespace dare::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "scale_fill CONFIG OWNER OBJECTS\n");
    return 2;
  }
  return dare::bench::Run(argv[1], argv[2], std::strtoull(argv[3], nullptr, 10));
}
