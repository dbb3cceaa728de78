#include "server/json_body.h"

#include <algorithm>
#include <boost/json.hpp>

namespace dare::server {

namespace json = boost::json;

namespace {
constexpr std::size_t kDeepest = 4;
}  // namespace

Result<json::object> ReadJsonBody(const HttpRequest& request,
                                  std::initializer_list<std::string_view> names) {
  if (request.body.empty()) return json::object();
  if (!HasMediaType(request.content_type, "application/json")) {
    return Error(Code::kInvalidArgument, "the body must be application/json");
  }
  json::parse_options options;
  options.max_depth = kDeepest;
  boost::system::error_code failure;
  const json::value value =
      json::parse({request.body.data(), request.body.size()}, failure, {}, options);
  if (failure || !value.is_object()) {
    return Error(Code::kInvalidArgument, "the body must be a JSON object");
  }
  for (const auto& member : value.get_object()) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return Error(Code::kInvalidArgument, "unknown member '" + std::string(name) + "'");
    }
    if (!member.value().is_string()) {
      return Error(Code::kInvalidArgument, "member '" + std::string(name) + "' must be a text");
    }
  }
  return value.get_object();
}

std::string TextOf(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains({name.data(), name.size()});
  if (value == nullptr) return {};
  const json::string& text = value->get_string();
  return {text.data(), text.size()};
}

}  // namespace dare::server
