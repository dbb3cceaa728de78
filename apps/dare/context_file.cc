#include "context_file.h"

#include <boost/json.hpp>

#include "base/file.h"

namespace dare::cli {
namespace {

constexpr std::size_t kMostBytes = 1u << 20;

}  // namespace

Result<envelope::EncryptionContext> ReadContextFile(const std::string& path) {
  const Bytes text = TRY(ReadFile(path, kMostBytes));
  boost::system::error_code error;
  const boost::json::value value =
      boost::json::parse(boost::json::string_view(AsText(text).data(), text.size()), error);
  const auto bad = [&](const std::string& what) {
    return Error(Code::kInvalidArgument, path + ": " + what);
  };
  if (error || !value.is_object()) return bad("not a JSON object");
  envelope::EncryptionContext context;
  for (const auto& [key, pair] : value.get_object()) {
    if (!pair.is_string()) return bad("the value of \"" + std::string(key) + "\" is no text");
    const Result<void> added = context.Add(std::string(key), std::string(pair.get_string()));
    if (!added) return bad(added.error().message);
  }
  return context;
}

}  // namespace dare::cli
