#include "token_input.h"

#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "secret_input.h"

namespace dare::cli {
namespace {

constexpr std::size_t kMostToken = 8192;

Result<SecretBytes> Trimmed(ByteView text) {
  const auto blank = [](std::uint8_t c) { return c <= ' '; };
  while (!text.empty() && blank(text.front())) text = text.subspan(1);
  while (!text.empty() && blank(text.back())) text = text.first(text.size() - 1);
  if (text.empty()) return Error(Code::kInvalidArgument, "there is no token in the input");
  return SecretBytes::CopyOf(text);
}

}  // namespace

Result<SecretBytes> ReadToken(const std::string& path) {
  if (!path.empty() && path != "-") {
    Result<SecretBytes> file = ReadSecretFile(path, true, kMostToken);
    if (!file && file.error().code == Code::kDenied) {
      return Error(Code::kIo, file.error().message, EACCES);  // not a decision of the server
    }
    const SecretBytes text = TRY(std::move(file));
    return Trimmed(text.Reveal());
  }
  const bool terminal = path.empty() && ::isatty(STDIN_FILENO) == 1;
  const WipingBytes text = TRY(terminal ? ReadHiddenLine("enrolment token: ", kMostToken)
                                        : ReadStandardInput(kMostToken));
  return Trimmed(text);
}

}  // namespace dare::cli
