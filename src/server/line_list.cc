#include "server/line_list.h"

#include <cstddef>

namespace dare::server {

std::string JoinLines(const std::vector<std::string>& names) {
  std::string lines;
  for (const std::string& name : names) lines += name + "\n";
  return lines;
}

std::vector<std::string> SplitLines(const std::string& lines) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    names.push_back(lines.substr(at, end - at));
    if (end == std::string::npos) break;
    at = end + 1;
  }
  return names;
}

}  // namespace dare::server
