// The store alone: durable inserts of rows like those Create makes, 8 a commit. Prints rows a
// second.
#include <fmt/core.h>

#include <chrono>
#include <cstdlib>

#include "base/uuid.h"
#include "store/object_store.h"
#include "store/sqlite_store.h"

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "store_insert DATABASE SECONDS ROWS_A_COMMIT RECORD_BYTES\n");
    return 2;
  }
  dare::store::SqliteOptions options;
  options.path = argv[1];
  const double seconds = std::atof(argv[2]);
  const int rows_a_commit = std::atoi(argv[3]);
  const auto record_bytes = static_cast<std::size_t>(std::atoi(argv[4]));
  auto store = dare::store::OpenSqliteStore(options);
  if (!store) {
    fmt::print(stderr, "{}\n", store.error().message);
    return 1;
  }
  dare::store::ObjectRecord record;
  record.object_type = 2;
  record.state = 2;
  record.owner = "bench";
  record.created = 1'700'000'000;
  record.attributes.assign(record_bytes, 0x42);
  record.material.assign(240, 0x24);
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t rows = 0;
  double passed = 0;
  while (passed < seconds) {
    auto transaction = (*store)->Begin();
    for (int i = 0; i < rows_a_commit; ++i, ++rows) {
      record.id = *dare::NewUuid();
      if (auto put = (*transaction)->Insert(record); !put) {
        fmt::print(stderr, "{}\n", put.error().message);
        return 1;
      }
    }
    if (auto done = (*transaction)->Commit(); !done) {
      fmt::print(stderr, "{}\n", done.error().message);
      return 1;
    }
    passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  fmt::print("{:.1f}\n", static_cast<double>(rows) / passed);
  return 0;
}
