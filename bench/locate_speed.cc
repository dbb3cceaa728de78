// Locate among a million objects of one owner: an SQLite store filled in bulk, then one thread of
// the engine answering without network. Every question is asked of the records as a server would:
// index, keyed check of each match, policy, audit entry. Prints microseconds a question as JSON,
// beside those of a Get of one of the same keys.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "audit/audit_log.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "engine/kms.h"
#include "engine/vault.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/managed_object.h"
#include "kmip/message.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/locate.h"
#include "kmip/tags.h"
#include "store/sqlite_store.h"

namespace dare::bench {
namespace {

using kmip::Attribute;
using kmip::Tag;
using SteadyClock = std::chrono::steady_clock;

constexpr char kOwner[] = "bench";
constexpr std::size_t kRowsACommit = 2000;
constexpr std::size_t kGroupMembers = 100;
constexpr std::int64_t kFirstDate = 1'700'000'000;

[[noreturn]] void Fail(const std::string& why) {
  fmt::print(stderr, "locate_speed: {}\n", why);
  std::exit(1);
}
template <typename T>
T Need(Result<T> result) {
  if (!result) Fail(result.error().message);
  return std::move(*result);
}
void Need(Result<void> result) {
  if (!result) Fail(result.error().message);
}

template <typename E>
Attribute Enum(Tag tag, E value) {
  return Attribute::OfEnumeration(tag, static_cast<std::uint32_t>(value));
}

Attribute Structure(Tag tag, const std::function<void(ttlv::Writer&)>& write) {
  ttlv::Writer out;
  out.Structure(tag, [&] { write(out); });
  return Attribute::OfItem(Need(ttlv::ParseItem(out.bytes())));
}
Attribute Custom(std::size_t n) {
  return Structure(Tag::kAttribute, [&](ttlv::Writer& out) {
    out.Text(Tag::kVendorIdentification, "x");
    out.Text(Tag::kAttributeName, "ID");
    out.Text(Tag::kAttributeValue, fmt::format("custom-{}", n));
  });
}
Attribute Alias(std::size_t n) {
  return Structure(Tag::kAlternativeName, [&](ttlv::Writer& out) {
    out.Text(Tag::kAlternativeNameValue, fmt::format("alias-{}", n));
    out.Enumeration(Tag::kAlternativeNameType, 1);
  });
}
Attribute Application(std::size_t n) {
  return Structure(Tag::kApplicationSpecificInformation, [&](ttlv::Writer& out) {
    out.Text(Tag::kApplicationNamespace, "bench");
    out.Text(Tag::kApplicationData, fmt::format("data-{}", n));
  });
}
Attribute Name(std::size_t n) { return Attribute::OfName(fmt::format("key-{}", n)); }
Attribute Group(std::size_t n) {
  return Attribute::OfText(Tag::kObjectGroup, fmt::format("group-{}", n / kGroupMembers));
}
Attribute Link(std::size_t n) { return Attribute::OfLink(0x101, fmt::format("target-{}", n)); }
// One date a second for a thousand objects.
std::int64_t DateOf(std::size_t n) { return kFirstDate + static_cast<std::int64_t>(n / 1000); }

// Every tenth object is Pre-Active, every ten-thousandth Secret Data.
kmip::ManagedObject Object(std::size_t n, const SecretBytes& material) {
  kmip::ManagedObject object;
  object.id = Need(NewUuid());
  object.type = n % 10'000 == 7 ? kmip::ObjectType::kSecretData : kmip::ObjectType::kSymmetricKey;
  object.owner = kOwner;
  object.material = Need(SecretBytes::CopyOf(material.Reveal()));
  kmip::AttributeSet& all = object.attributes;
  all.Set(Attribute::OfText(Tag::kUniqueIdentifier, object.id));
  all.Set(Enum(Tag::kObjectType, object.type));
  all.Set(Enum(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kAES));
  all.Set(Attribute::OfInteger(Tag::kCryptographicLength, 256));
  all.Set(Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x0C));
  all.Set(Enum(Tag::kState, n % 10 == 0 ? kmip::State::kPreActive : kmip::State::kActive));
  all.Set(Attribute::OfDate(Tag::kInitialDate, DateOf(n)));
  for (const Attribute& attribute :
       {Name(n), Group(n), Link(n), Custom(n), Alias(n), Application(n)}) {
    all.Add(attribute);
  }
  return object;
}

// Returns the identifiers of some of the objects.
std::vector<std::string> Fill(store::ObjectStore& store, const engine::Vault& vault,
                              std::size_t objects) {
  const SecretBytes key = Need(SecretBytes::Random(32));
  const SecretBytes material =
      Need(kmip::MakeSymmetricKey(key.Reveal(), kmip::CryptographicAlgorithm::kAES));
  std::vector<std::string> some;
  for (std::size_t n = 0; n < objects;) {
    const auto transaction = Need(store.Begin());
    for (std::size_t i = 0; i < kRowsACommit && n < objects; ++i, ++n) {
      const kmip::ManagedObject object = Object(n, material);
      Need(vault.Insert(*transaction, object));
      if (n % (objects / 64 + 1) == 0) some.push_back(object.id);
    }
    Need(transaction->Commit());
  }
  return some;
}

template <typename Request>
WipingBytes Message(const Request& request) {
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    kmip::RequestHeader header;
    header.version = kmip::kVersion2_1;
    header.batch_count = 1;
    kmip::WriteRequestHeader(out, header);
    out.Structure(Tag::kBatchItem, [&] {
      out.Enum(Tag::kOperation, Request::kOperation);
      out.Structure(Tag::kRequestPayload, [&] { request.Encode(out, kmip::kVersion2_1); });
    });
  });
  return out.Take();
}

WipingBytes Question(const std::vector<Attribute>& attributes,
                     std::optional<std::int32_t> most = {}) {
  kmip::LocateRequest request;
  for (const Attribute& attribute : attributes) request.attributes.Add(attribute);
  request.maximum_items = most;
  return Message(request);
}

struct Probe {
  std::string name;
  std::size_t matches;                               // identifiers that an answer has
  std::function<WipingBytes(std::size_t)> question;  // about the n-th object
};

std::vector<Probe> Probes(std::size_t objects) {
  const std::size_t rare = std::min<std::size_t>(10, (objects + 9'992) / 10'000);
  const auto date = [](std::int64_t seconds) {
    return Attribute::OfDate(Tag::kInitialDate, seconds);
  };
  return {
      {"name", 1, [](std::size_t n) { return Question({Name(n)}); }},
      {"custom", 1, [](std::size_t n) { return Question({Custom(n)}); }},
      {"link", 1, [](std::size_t n) { return Question({Link(n)}); }},
      {"alternative-name", 1, [](std::size_t n) { return Question({Alias(n)}); }},
      {"application-data", 1, [](std::size_t n) { return Question({Application(n)}); }},
      {"name+group+type", 1,
       [](std::size_t n) {
         return Question({Group(n), Name(n),
                          Enum(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kAES)});
       }},
      {"group-100", kGroupMembers, [](std::size_t n) { return Question({Group(n)}); }},
      {"newest-10-active-keys", 10,
       [](std::size_t) {
         return Question({Enum(Tag::kObjectType, kmip::ObjectType::kSymmetricKey),
                          Enum(Tag::kState, kmip::State::kActive)},
                         10);
       }},
      {"rare-type", rare,
       [](std::size_t) {
         return Question({Enum(Tag::kObjectType, kmip::ObjectType::kSecretData)}, 10);
       }},
      {"dates-10", 10,
       [=](std::size_t n) {
         return Question({date(DateOf(n)), date(DateOf(n) + 1)}, 10);
       }},
  };
}

int Run(std::size_t objects, double seconds) {
  char folder[] = "/tmp/dare-locate-speed.XXXXXX";
  if (::mkdtemp(folder) == nullptr) Fail("no temporary folder");
  const std::string home = folder;
  {
    const auto sealer = hsm::MemorySealerForTest::Make();
    const auto store = Need(store::OpenSqliteStore({.path = home + "/kms.db"}));
    const auto audit = Need(audit::AuditLog::Open({.folder = home + "/audit"}, SystemClock::Get()));
    const auto kms = Need(engine::Kms::Open({}, *store, *sealer, *audit, SystemClock::Get()));
    const auto vault = Need(engine::Vault::Open(*store, *sealer));
    const auto begin = SteadyClock::now();
    const std::vector<std::string> ids = Fill(*store, *vault, objects);
    const double filled = std::chrono::duration<double>(SteadyClock::now() - begin).count();

    engine::Caller caller;
    caller.principal.name = kOwner;
    caller.address = "192.0.2.1";
    WipingBytes answer;
    const auto ask = [&](const WipingBytes& request, std::size_t matches) {
      if (!Need(kms->Answer(request, caller, answer))) Fail("a question went to the writer");
      auto message = Need(kmip::ResponseMessage::Open(answer));
      const auto item = Need(message.Next());
      if (item.status != kmip::ResultStatus::kSuccess)
        Fail("refused: " + std::string(item.message));
      if (matches == 0) return;
      ttlv::Reader in = ttlv::Reader::Members(item.payload->value);
      const auto located = Need(kmip::LocateResponse::Decode(in, kmip::kVersion2_1));
      if (located.ids.size() != matches) Fail(fmt::format("{} matches", located.ids.size()));
    };
    const auto micros = [&](const std::function<void(std::size_t)>& work) {
      std::size_t calls = 0;
      double passed = 0;
      for (const auto start = SteadyClock::now(); passed < seconds; ++calls) {
        work(calls * 7919 % objects);
        if (calls % 64 == 0) Need(kms->Flush());
        passed = std::chrono::duration<double>(SteadyClock::now() - start).count();
      }
      return 1e6 * passed / static_cast<double>(calls);
    };
    kmip::GetRequest get;
    std::vector<WipingBytes> gets;
    for (const std::string& id : ids) {
      get.id = kmip::Identifier(id);
      gets.push_back(Message(get));
    }
    fmt::print("{{\"objects\": {}, \"fill_per_second\": {:.0f}, \"get\": {:.1f}", objects,
               static_cast<double>(objects) / filled,
               micros([&](std::size_t n) { ask(gets[n % gets.size()], 0); }));
    for (const Probe& probe : Probes(objects)) {
      fmt::print(", \"{}\": {:.1f}", probe.name,
                 micros([&](std::size_t n) { ask(probe.question(n), probe.matches); }));
    }
    fmt::print("}}\n");
  }
  std::filesystem::remove_all(home);
  return 0;
}

}  // namespace
}  // namespace dare::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "locate_speed OBJECTS SECONDS_A_QUESTION\n");
    return 2;
  }
  return dare::bench::Run(static_cast<std::size_t>(std::atoll(argv[1])), std::atof(argv[2]));
}
