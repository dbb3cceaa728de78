// What an entry of a read costs by itself: made, chained, and written with those of the same tick,
// as the server does it. Prints the CPU time of it, syncing included, as JSON.
#include <fmt/core.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "audit/audit_log.h"

namespace dare::bench {
namespace {

constexpr int kEntriesAFlush = 8;  // what one tick has of eight clients that wait for their answers

double CpuSeconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

int Run(double seconds, const std::string& folder, int entries_a_flush) {
  audit::AuditOptions options;
  options.folder = folder;
  auto log = audit::AuditLog::Open(options, SystemClock::Get());
  if (!log) {
    fmt::print(stderr, "audit_cost: {}\n", log.error().message);
    return 1;
  }
  audit::Entry entry;
  entry.principal = "bench";
  entry.address = "127.0.0.1";
  entry.operation = "Get";
  entry.object_id = "5f0c1d86-5a3b-4f5e-9b0e-3f1f6f0d2b11";
  entry.outcome = audit::Outcome::kAllowed;
  entry.rule = "owner";
  entry.request_id = "0a1b2c3d4e5f6071-123456";
  std::uint64_t entries = 0;
  const double before = CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() <
         seconds) {
    for (int i = 0; i < entries_a_flush; ++i) {
      entry.time = SystemClock::Get().Now();
      if (!(*log)->Append(entry)) return 1;
    }
    if (!(*log)->Flush()) return 1;
    entries += static_cast<std::uint64_t>(entries_a_flush);
  }
  fmt::print("{{\"entries\": {}, \"cpu_us_each\": {:.4f}}}\n", entries,
             (CpuSeconds() - before) * 1e6 / static_cast<double>(entries));
  return 0;
}

}  // namespace
}  // namespace dare::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "audit_cost SECONDS FOLDER\n");
    return 2;
  }
  return dare::bench::Run(std::atof(argv[1]), argv[2], dare::bench::kEntriesAFlush);
}
