#include "progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "text.h"

namespace dare::cli {
namespace {

constexpr std::chrono::milliseconds kQuiet{1000};
constexpr std::chrono::milliseconds kPause{100};
constexpr std::size_t kBarWidth = 24;

std::size_t TerminalWidth() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

ProgressBar::ProgressBar(std::string doing, Unit unit)
    : doing_(std::move(doing)), unit_(unit), terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() { Clear(); }

envelope::Progress ProgressBar::Callback() {
  if (!terminal_) return {};
  return [this](std::uint64_t done, std::optional<std::uint64_t> total) { Show(done, total); };
}

void ProgressBar::Show(std::uint64_t done, std::optional<std::uint64_t> total) {
  const auto now = SteadyClock::now();
  if (now - start_ < kQuiet || now - shown_ < kPause) return;
  shown_ = now;
  on_screen_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const std::string line = Line(done, total, seconds).substr(0, TerminalWidth() - 1);
  (void)std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
}

std::string ProgressBar::Line(std::uint64_t done, std::optional<std::uint64_t> total,
                              double seconds) const {
  const double speed = static_cast<double>(done) / seconds;
  std::string line = doing_ + "  ";
  if (total && *total > 0) {
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(*total));
    const auto filled = static_cast<std::size_t>(part * kBarWidth);
    line += "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] " +
            std::to_string(static_cast<int>(part * 100)) + " %  ";
  }
  line += Amount(done);
  if (total) line += " of " + Amount(*total);
  line += "  " + Amount(static_cast<std::uint64_t>(speed)) + "/s";
  if (total && *total > done && speed > 0) {
    const double left = static_cast<double>(*total - done) / speed;
    line += "  " + std::to_string(static_cast<std::int64_t>(left) + 1) + " s left";
  }
  return line;
}

std::string ProgressBar::Amount(std::uint64_t amount) const {
  return unit_ == Unit::kBytes ? SizeText(amount) : std::to_string(amount);
}

void ProgressBar::Clear() {
  if (on_screen_) (void)std::fputs("\r\x1b[K", stderr);
  on_screen_ = false;
}

}  // namespace dare::cli
