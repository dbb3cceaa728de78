#include "secret_input.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "base/file.h"
#include "envelope/io.h"
#include "session.h"

namespace dare::cli {
namespace {

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

Error TooLong(std::size_t most) {
  return Error(Code::kTooLarge, "the input is longer than " + std::to_string(most) + " bytes");
}

}  // namespace

Result<WipingBytes> ReadStandardInput(std::size_t most) {
  envelope::FdSource source(STDIN_FILENO, "standard input", &Session::cancelled());
  WipingBytes text(most + 1);
  text.resize(TRY(source.Read(text)));
  if (text.size() > most) return TooLong(most);
  return text;
}

Result<WipingBytes> ReadHiddenLine(const char* prompt, std::size_t most) {
  const Silence silence;  // first: it throws away what was typed before
  (void)std::fputs(prompt, stderr);
  WipingBytes line;
  for (;;) {
    std::uint8_t c = 0;
    const ssize_t n = ::read(STDIN_FILENO, &c, 1);
    if (n < 0) return IoError("cannot read the terminal", errno);
    if (n == 0 || c == '\n') return line;
    if (line.size() == most) return TooLong(most);
    line.push_back(c);
  }
}

}  // namespace dare::cli
