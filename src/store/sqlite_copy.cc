#include "store/sqlite_copy.h"

#include <sqlite3.h>

#include <memory>

#include "base/file.h"
#include "store/sqlite_connection.h"

namespace dare::store {
namespace {

struct Free {
  void operator()(unsigned char* bytes) const { sqlite3_free(bytes); }
};

}  // namespace

Result<Bytes> CopySqliteDatabase(const std::string& path) {
  if (!FileExists(path)) return Error(Code::kNotFound, "no file " + path);
  Connection connection = TRY(Connection::Open(path, {.cache_bytes = 1u << 20}));
  TRY(connection.Execute("BEGIN"));
  TRY(connection.QueryInteger("SELECT count(*) FROM sqlite_schema"));  // takes the picture
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, Free> image(
      sqlite3_serialize(connection.handle(), "main", &size, 0));
  if (image == nullptr) return Error(Code::kExhausted, "cannot copy " + path);
  Bytes copy(image.get(), image.get() + size);
  TRY(connection.Execute("ROLLBACK"));
  return copy;
}

}  // namespace dare::store
