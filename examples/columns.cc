// columns CONFIG [ROWS]: the columns of a database, sealed one by one under cached keys.
//
// Each cell is a value: sealed by itself, for the table and column it belongs to, so that a cell
// moved into another column does not open. A cache lets thousands of cells share one key, within
// limits: the key server is asked once a key, and a revocation is noticed within `seconds`.
//
// The row is not part of the context, for then each row would need a key of its own. Where a cell
// must not be moved to another row either, its row number stands before the text, as here.
#include <dare/client.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using dare::lib::Buffer;
using dare::lib::Client;
using dare::lib::Limits;
using dare::lib::Result;
using dare::lib::Status;

// A table whose second column nobody reads in the database.
struct Row {
  int number;
  Buffer name;
};

class People {
 public:
  explicit People(Client& client) : client_(client) {}

  Status Insert(int number, const std::string& name) {
    const std::string text = std::to_string(number) + ":" + name;
    Result<Buffer> cell = client_.SealValue("", kColumn, dare::lib::AsBytes(text));
    if (!cell) return cell.status();
    rows_.push_back({number, std::move(*cell)});
    return {};
  }

  Result<std::string> NameOf(const Row& row) {
    const Result<Buffer> cell = client_.OpenValue(kColumn, row.name.bytes());
    if (!cell) return cell.status();
    const std::string prefix = std::to_string(row.number) + ":";
    if (!cell->text().starts_with(prefix)) return Status{DARE_DAMAGED, "a cell of another row"};
    return std::string(cell->text().substr(prefix.size()));
  }

  const std::vector<Row>& rows() const { return rows_; }

 private:
  static constexpr dare_pair kColumn[] = {{"table", "people"}, {"column", "name"}};
  Client& client_;
  std::vector<Row> rows_;
};

int Fail(const Status& status) {
  std::fprintf(stderr, "columns: %s\n", status.message.c_str());
  return status.code;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: columns CONFIG [ROWS]\n", stderr), DARE_USAGE;
  const int rows = argc > 2 ? std::atoi(argv[2]) : 1000;

  Client client;
  if (const Status status = client.Open(argv[1]); !status) return Fail(status);
  Limits limits;               // sensible ones
  limits.seconds = 60;         // so long a revoked key may be used at most
  limits.refresh_seconds = 6;  // replaced in the background before, so that nobody waits
  Result<Client> caching = client.WithCache(limits);
  if (!caching) return Fail(caching.status());

  People people(*caching);
  for (int i = 1; i <= rows; ++i) {
    if (const Status status = people.Insert(i, "person " + std::to_string(i)); !status) {
      return Fail(status);
    }
  }
  std::size_t bytes = 0;
  for (const Row& row : people.rows()) {
    const Result<std::string> name = people.NameOf(row);
    if (!name) return Fail(name.status());
    bytes += row.name.size();
  }
  const Result<dare_cache_counts> counts = caching->CacheCounts();
  if (!counts) return Fail(counts.status());
  std::printf("%d cells of %zu bytes; keys asked for: %llu, taken from the cache: %llu\n", rows,
              bytes / people.rows().size(), static_cast<unsigned long long>(counts->misses),
              static_cast<unsigned long long>(counts->hits));
  return 0;
}
