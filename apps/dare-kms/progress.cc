#include "progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace dare::kms {
namespace {

constexpr std::size_t kBarWidth = 30;

}  // namespace

Progress::Progress(std::string doing)
    : doing_(std::move(doing)), on_terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (on_screen_) (void)std::fputs("\r\x1b[K", stderr);
}

void Progress::Show(std::uint64_t done, std::uint64_t total) {
  const auto now = SteadyClock::now();
  if (!on_terminal_ || total == 0 || now < next_) return;
  next_ = now + std::chrono::milliseconds(200);
  const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto filled = static_cast<std::size_t>(part * kBarWidth);
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double left = part > 0 ? seconds / part - seconds : 0;
  const std::string bar = std::string(filled, '#') + std::string(kBarWidth - filled, '.');
  (void)std::fprintf(stderr, "\r%s  [%s] %d %%  %.0f s left\x1b[K", doing_.c_str(), bar.c_str(),
                     static_cast<int>(part * 100), left);
  on_screen_ = true;
}

}  // namespace dare::kms
