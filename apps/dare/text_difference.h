#pragma once

#include <string>
#include <string_view>

namespace dare::cli {

// What differs between two texts, line by line: " " before a line of both, "-" before one of the
// first, "+" before one of the second. Lines of both are left out but for three around a
// difference;
// "@@ LINE @@" says where in the second one goes on. Empty where nothing differs.
std::string TextDifference(std::string_view before, std::string_view after);

}  // namespace dare::cli
