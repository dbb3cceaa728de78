#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conformance/bindings.h"

namespace dare::conformance {

// A known slip of a published file, one row of quirks.csv.
struct Quirk {
  std::string file;  // path below the folder of the cases
  std::string oddity;
  std::string advice;
  Slip slip{};
};

// Quirks are the only exceptions for single cases the judge knows of. It understands the kinds of
// Slip; rows of another kind are kept apart and change nothing.
class Quirks {
 public:
  // Columns by their names: file, oddity, advice. kMalformed without them.
  static Result<Quirks> Parse(std::string_view csv);
  static Result<Quirks> Load(const std::filesystem::path& path);

  // The rows of a case: its name may lie deeper than the file's ("testcases/1.4/…").
  std::vector<const Quirk*> Of(std::string_view case_name) const;
  // Oddities of rows that were not understood.
  const std::vector<std::string>& unknown() const { return unknown_; }

 private:
  std::vector<Quirk> rows_;
  std::vector<std::string> unknown_;
};

}  // namespace dare::conformance
