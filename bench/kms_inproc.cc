// One thread of the engine, from the bytes of a request to the bytes of its answer: no sockets, no
// TLS, a memory store, keys in the cache, the audit log on. Beside it a memcpy of the same request
// and answer. Prints both rates as JSON.
#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "engine/engine_for_test.h"
#include "engine/kms.h"
#include "kms_requests.h"

namespace dare::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kKeysInTurn = 64;
constexpr int kAnswersAFlush = 64;  // of the audit log's buffer, as a busy server does

[[noreturn]] void Fail(const std::string& why) {
  fmt::print(stderr, "kms_inproc: {}\n", why);
  std::exit(1);
}

// Calls `work` for `seconds`; returns calls a second.
template <typename Work>
double Rate(double seconds, Work&& work) {
  constexpr int kAtOnce = 64;
  std::uint64_t calls = 0;
  double passed = 0;
  for (const auto begin = SteadyClock::now(); passed < seconds;) {
    for (int i = 0; i < kAtOnce; ++i) work(calls++);
    passed = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  }
  return static_cast<double>(calls) / passed;
}

// Identifiers, or names, of some of `objects` keys made here.
std::vector<std::string> MakeKeys(engine::EngineForTest& engine, std::size_t objects, bool names) {
  std::vector<std::string> chosen;
  const std::size_t step = std::max<std::size_t>(1, objects / kKeysInTurn);
  for (std::size_t i = 0; i < objects; ++i) {
    const std::string name = "bench-" + std::to_string(i);
    const WipingBytes answer = engine.Exchange(MakeNamedCreate(name));
    if (!Succeeded(answer)) Fail("Create was refused");
    if (i % step == 0 && chosen.size() < kKeysInTurn) {
      chosen.push_back(names ? name : IdOf(answer));
    }
  }
  return chosen;
}

int Run(const std::string& operation, double seconds, std::size_t objects) {
  engine::EngineForTest engine;
  const auto requests = MakeRequests(operation, MakeKeys(engine, objects, operation == "locate"));
  engine::Caller caller;
  caller.principal.name = "alice";
  caller.address = "192.0.2.1";
  WipingBytes answer;
  const auto ask = [&](std::uint64_t call) {
    const auto answered = engine.kms().Answer(requests[call % requests.size()], caller, answer);
    if (!answered) Fail(answered.error().message);
    if (!*answered) Fail("a question went to the writer");
    if (call % kAnswersAFlush == 0 && !engine.kms().Flush()) Fail("the audit log refused");
  };
  // The first Get of a key changes it (Fresh), which is the writer's business.
  for (const WipingBytes& request : requests) {
    if (!Succeeded(engine.Exchange(request))) Fail("a request was refused");
  }
  const double operations = Rate(seconds, ask);
  const WipingBytes reply = answer;
  WipingBytes request_copy(requests[0].size()), reply_copy(reply.size());
  const double copies = Rate(seconds / 5, [&](std::uint64_t call) {
    const WipingBytes& request = requests[call % requests.size()];
    std::memcpy(request_copy.data(), request.data(), request_copy.size());
    std::memcpy(reply_copy.data(), reply.data(), reply_copy.size());
    // What was copied is used, as far as the compiler knows.
    asm volatile("" : : "r"(request_copy.data()), "r"(reply_copy.data()) : "memory");
  });
  fmt::print(
      "{{\"ops_per_second\": {:.1f}, \"memcpy_per_second\": {:.1f}, \"request_bytes\": {}, "
      "\"reply_bytes\": {}}}\n",
      operations, copies, requests[0].size(), reply.size());
  return 0;
}

}  // namespace
}  // namespace dare::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "kms_inproc get|locate|encrypt-1k SECONDS OBJECTS\n");
    return 2;
  }
  if (auto heap = dare::StartSecureHeap(16u << 20); !heap) return 1;
  return dare::bench::Run(argv[1], std::atof(argv[2]), std::strtoul(argv[3], nullptr, 10));
}
