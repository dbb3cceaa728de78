#pragma once

#include <string>
#include <vector>

// How the server's databases keep a list of names in one column: a line each. The names have no
// control characters; who adds them sees to it.
namespace dare::server {

std::string JoinLines(const std::vector<std::string>& names);
std::vector<std::string> SplitLines(const std::string& lines);

}  // namespace dare::server
