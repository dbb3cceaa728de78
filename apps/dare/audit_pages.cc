#include "audit_pages.h"

#include <utility>

#include "administration.h"

namespace dare::cli {
namespace {

namespace json = boost::json;

Error Strange(std::string_view name) {
  return Error(Code::kMalformed, "the server's answer has no '" + std::string(name) + "'");
}

}  // namespace

Result<std::uint64_t> NumberIn(const json::object& answer, std::string_view name) {
  const json::value* const value = answer.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0) return Strange(name);
  return static_cast<std::uint64_t>(value->get_int64());
}

Result<std::string> TextIn(const json::object& answer, std::string_view name) {
  const json::value* const value = answer.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return Strange(name);
  return std::string(value->get_string());
}

Result<AuditPage> AuditPages::Next() {
  const json::object answer = TRY(AskServer(session_, "POST", "/audit/entries", question_));
  AuditPage page;
  page.next = TRY(NumberIn(answer, "next"));
  page.size = TRY(NumberIn(answer, "size"));
  const json::value* const whole = answer.if_contains("whole");
  page.whole = whole != nullptr && whole->is_bool() && whole->get_bool();
  const json::value* const entries = answer.if_contains("entries");
  if (entries == nullptr || !entries->is_array()) return Strange("entries");
  for (const json::value& line : entries->get_array()) {
    if (!line.is_string()) return Strange("entries");
    page.lines.emplace_back(line.get_string());
  }
  question_.erase("last");
  question_["from"] = std::to_string(page.next);
  question_["reading"] = TRY(TextIn(answer, "reading"));
  return page;
}

}  // namespace dare::cli
