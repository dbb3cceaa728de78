#include "conformance/families.h"

#include <algorithm>
#include <cctype>

namespace dare::conformance {
namespace {

constexpr std::string_view kChains[] = {"TL-M", "SASED-M", "TC-OTP", "TC-RNG-ATTR", "TC-CREG"};

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

int Rank(std::string_view file) {
  if (file.find("SETUP") != std::string_view::npos) return 0;
  return file.find("CLEANUP") != std::string_view::npos ? 2 : 1;
}

bool InFamily(std::string_view file, std::string_view family) {
  return file.size() > family.size() && file.starts_with(family) && file[family.size()] == '-';
}

}  // namespace

std::string FamilyOf(std::string_view file) {
  std::string_view name = file.substr(0, file.rfind('.'));
  name = name.substr(0, name.rfind('-'));  // the version
  while (!name.empty() && IsDigit(name.back())) name.remove_suffix(1);
  while (!name.empty() && name.back() == '-') name.remove_suffix(1);
  return std::string(name.empty() ? file : name);
}

std::string_view ChainOf(std::string_view file) {
  const auto* found = std::find_if(std::begin(kChains), std::end(kChains),
                                   [&](std::string_view chain) { return InFamily(file, chain); });
  return found != std::end(kChains) ? *found : std::string_view();
}

bool PlayedBefore(std::string_view a, std::string_view b) {
  if (Rank(a) != Rank(b)) return Rank(a) < Rank(b);
  while (!a.empty() && !b.empty()) {
    if (IsDigit(a[0]) && IsDigit(b[0])) {
      const auto number = [](std::string_view& text) {
        const std::size_t digits = std::min(
            text.size(), static_cast<std::size_t>(
                             std::find_if_not(text.begin(), text.end(), IsDigit) - text.begin()));
        std::string_view taken = text.substr(0, digits);
        text.remove_prefix(digits);
        taken.remove_prefix(std::min(taken.find_first_not_of('0'), taken.size()));
        return taken;
      };
      const std::string_view x = number(a);
      const std::string_view y = number(b);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else if (a[0] != b[0]) {
      return a[0] < b[0];
    } else {
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.size() < b.size();
}

std::string_view EncodingName(Encoding encoding) {
  switch (encoding) {
    case Encoding::kTtlv:
      return "ttlv";
    case Encoding::kTtlvOverHttps:
      return "ttlv over https";
    case Encoding::kJson:
      return "json over https";
    case Encoding::kXml:
      return "xml over https";
  }
  return "";
}

std::optional<Encoding> PrescribedEncoding(std::string_view file) {
  if (InFamily(file, "MSGENC-HTTPS")) return Encoding::kTtlvOverHttps;
  if (InFamily(file, "MSGENC-JSON")) return Encoding::kJson;
  if (InFamily(file, "MSGENC-XML")) return Encoding::kXml;
  return std::nullopt;
}

}  // namespace dare::conformance
