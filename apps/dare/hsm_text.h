#pragma once

#include <boost/json.hpp>
#include <cstdint>

namespace dare::cli {

// What a person reads of the server's answers (dare-kms(8), "ADMINISTRATION").
void PrintKeys(const boost::json::object& status);
void PrintTokens(const boost::json::object& status);
void PrintRotation(const boost::json::object& begun);

struct RotationProgress {
  bool finished = true;  // no rotation is under way
  std::uint64_t done = 0;
  std::uint64_t of = 0;
};
RotationProgress ProgressOf(const boost::json::object& status);

}  // namespace dare::cli
