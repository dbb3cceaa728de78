#include "text_difference.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace dare::cli {
namespace {

constexpr std::size_t kAround = 3;
// Of the table that finds what the middle parts have in common; beyond it they are taken whole.
constexpr std::size_t kMostCells = 16u << 20;

using Lines = std::vector<std::string_view>;

Lines Split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

struct Change {
  char sign = ' ';
  std::string_view line;
};

// The longest common subsequence of what is left when equal ends are taken away.
void Middle(const Lines& a, const Lines& b, std::vector<Change>& out) {
  const std::size_t width = b.size() + 1;
  if ((a.size() + 1) * width > kMostCells) {
    for (const auto line : a) out.push_back({'-', line});
    for (const auto line : b) out.push_back({'+', line});
    return;
  }
  std::vector<std::uint32_t> longest((a.size() + 1) * width, 0);
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      longest[i * width + j] =
          a[i] == b[j] ? longest[(i + 1) * width + j + 1] + 1
                       : std::max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  std::size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      out.push_back({' ', a[i++]});
      ++j;
    } else if (j == b.size() ||
               (i < a.size() && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      out.push_back({'-', a[i++]});
    } else {
      out.push_back({'+', b[j++]});
    }
  }
}

std::vector<Change> Compare(const Lines& a, const Lines& b) {
  std::size_t head = 0, tail = 0;
  const std::size_t least = std::min(a.size(), b.size());
  while (head < least && a[head] == b[head]) ++head;
  while (tail < least - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::vector<Change> changes;
  for (std::size_t i = 0; i < head; ++i) changes.push_back({' ', a[i]});
  const auto cut = [&](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(head),
                 lines.end() - static_cast<std::ptrdiff_t>(tail));
  };
  Middle(cut(a), cut(b), changes);
  for (std::size_t i = a.size() - tail; i < a.size(); ++i) changes.push_back({' ', a[i]});
  return changes;
}

}  // namespace

std::string TextDifference(std::string_view before, std::string_view after) {
  const Lines a = Split(before), b = Split(after);
  const std::vector<Change> changes = Compare(a, b);
  std::vector<bool> shown(changes.size(), false);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].sign == ' ') continue;
    const std::size_t end = std::min(changes.size(), i + kAround + 1);
    for (std::size_t near = i - std::min(i, kAround); near < end; ++near) shown[near] = true;
  }
  std::string out;
  std::size_t line = 1;  // of the second text
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (shown[i]) {
      if (i == 0 || !shown[i - 1]) out += "@@ " + std::to_string(line) + " @@\n";
      out += changes[i].sign + std::string(changes[i].line) + "\n";
    }
    if (changes[i].sign != '-') ++line;
  }
  return out;
}

}  // namespace dare::cli
