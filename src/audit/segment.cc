#include "audit/segment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>

namespace dare::audit {
namespace {

constexpr std::string_view kPrefix = "audit-";
constexpr std::string_view kSuffix = ".jsonl";

// 0 for the name of anything else.
std::uint64_t NumberOf(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return 0;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(std::min(name.size(), kSuffix.size()));
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == name.data() + name.size();
  return whole && name.size() >= 6 ? number : 0;
}

struct Tail {
  std::uint64_t size = 0;  // of the file
  std::string bytes;       // its end
};

Result<Tail> ReadTail(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return IoError("cannot open " + path, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return IoError("cannot stat " + path, errno);
  Tail tail{.size = static_cast<std::uint64_t>(status.st_size)};
  tail.bytes.resize(std::min<std::uint64_t>(tail.size, 2 * kMostLineBytes));
  std::uint64_t at = tail.size - tail.bytes.size();
  for (std::size_t have = 0; have < tail.bytes.size();) {
    const ssize_t n = ::pread(fd.get(), tail.bytes.data() + have, tail.bytes.size() - have,
                              static_cast<off_t>(at + have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return IoError("cannot read " + path, n < 0 ? errno : EIO);
    have += static_cast<std::size_t>(n);
  }
  return tail;
}

// False when there is no whole line in the segment.
Result<bool> ReadLastLine(const std::string& path, LogEnd& end, bool may_be_torn) {
  const Tail tail = TRY(ReadTail(path));
  const std::size_t newline = tail.bytes.rfind('\n');
  const std::size_t whole = newline == std::string::npos ? 0 : newline + 1;
  const std::uint64_t torn = tail.bytes.size() - whole;
  if (torn != 0 && !may_be_torn) return Error(Code::kDamaged, path + " ends inside a line");
  if (whole == 0 && torn > kMostLineBytes) return Error(Code::kDamaged, path + " has no lines");
  if (may_be_torn) {
    end.torn_bytes = torn;
    end.segment_size = tail.size - torn;
  }
  if (whole == 0) return false;
  const std::size_t before = newline == 0 ? std::string::npos : tail.bytes.rfind('\n', newline - 1);
  const std::size_t start = before == std::string::npos ? 0 : before + 1;
  const std::string_view line = std::string_view(tail.bytes).substr(start, newline - start);
  Result<LineLink> link = ParseLink(line);
  if (!link) return link.error().In(path + ", last line");
  end.sequence = link->sequence;
  end.hash = HashOf(line);
  return true;
}

}  // namespace

std::string SegmentName(std::uint64_t number) {
  char name[48];
  std::snprintf(name, sizeof name, "audit-%06llu.jsonl", static_cast<unsigned long long>(number));
  return name;
}

Result<std::vector<std::uint64_t>> ListSegments(const std::string& folder) {
  std::error_code failed;
  std::vector<std::uint64_t> numbers;
  std::filesystem::directory_iterator it(folder, failed);
  for (; !failed && it != std::filesystem::directory_iterator(); it.increment(failed)) {
    if (const std::uint64_t number = NumberOf(it->path().filename().string()); number != 0) {
      numbers.push_back(number);
    }
  }
  if (failed) return IoError("cannot list " + folder, failed.value());
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<LogEnd> FindEnd(const std::string& folder) {
  const std::vector<std::uint64_t> segments = TRY(ListSegments(folder));
  LogEnd end{.hash = HashBeforeFirst()};
  if (segments.empty()) return end;
  end.segment = segments.back();
  // A crash can leave a new segment without its first line; the chain then goes on from the one
  // before.
  for (auto it = segments.rbegin(); it != segments.rend(); ++it) {
    if (TRY(ReadLastLine(folder + "/" + SegmentName(*it), end, *it == end.segment))) return end;
  }
  return end;
}

}  // namespace dare::audit
