#include "server/issued_chain.h"

#include <charconv>
#include <utility>

namespace dare::server {
namespace {

constexpr char kNobody = '-';  // an issuer that is none of ours

Result<IssuedChain::Link> ParseLink(std::string_view text) {
  const Error malformed(Code::kMalformed, "not the mark of a certificate");
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return malformed;
  IssuedChain::Link link;
  const std::string_view issuer = text.substr(0, colon);
  if (issuer != std::string_view(&kNobody, 1)) {
    std::size_t number = 0;
    const auto [end, failure] =
        std::from_chars(issuer.data(), issuer.data() + issuer.size(), number);
    if (failure != std::errc() || end != issuer.data() + issuer.size()) return malformed;
    link.issuer = number;
  }
  link.serial = TRY(FromHex(text.substr(colon + 1)));
  return link;
}

}  // namespace

std::string CertificateMark::Text() const {
  std::string text = serial;
  for (const IssuedChain::Link& link : chain.links) {
    text += ' ';
    text += link.issuer ? std::to_string(*link.issuer) : std::string(1, kNobody);
    text += ':';
    text += ToHex(link.serial);
  }
  return text;
}

Result<CertificateMark> CertificateMark::Parse(std::string_view text) {
  CertificateMark mark;
  std::size_t space = text.find(' ');
  mark.serial = text.substr(0, space);
  while (space != std::string_view::npos) {
    text.remove_prefix(space + 1);
    space = text.find(' ');
    mark.chain.links.push_back(TRY(ParseLink(text.substr(0, space))));
  }
  return mark;
}

}  // namespace dare::server
