#include "token_input.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/file.h"

namespace dare::cli {
namespace {

constexpr std::size_t kMostToken = 4096;

// Turns the terminal's echo off while it lives.
class Silence {
 public:
  Silence() : on_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!on_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~Silence() {
    if (!on_) return;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    (void)std::fputs("\n", stderr);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  termios before_{};
  const bool on_;
};

// One line from a terminal, everything else up to its end.
Result<WipingBytes> ReadInput(bool one_line) {
  WipingBytes text;
  for (;;) {
    std::uint8_t c = 0;
    const ssize_t n = ::read(STDIN_FILENO, &c, 1);
    if (n < 0) return IoError("cannot read the token", errno);
    if (n == 0 || (one_line && c == '\n')) return text;
    if (text.size() == kMostToken) return Error(Code::kInvalidArgument, "the token is too long");
    text.push_back(c);
  }
}

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
  if (!terminal) {
    const WipingBytes text = TRY(ReadInput(false));
    return Trimmed(text);
  }
  (void)std::fputs("enrolment token: ", stderr);
  const Silence silence;
  const WipingBytes text = TRY(ReadInput(true));
  return Trimmed(text);
}

}  // namespace dare::cli
