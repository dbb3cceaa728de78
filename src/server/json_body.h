#pragma once

#include <boost/json/object.hpp>
#include <initializer_list>
#include <string>
#include <string_view>

#include "server/https.h"

// The JSON bodies of requests to the administration's routes.
namespace dare::server {

// The body as an object with texts under `names`, and nothing else. No body is an empty object.
// kInvalidArgument.
Result<boost::json::object> ReadJsonBody(const HttpRequest& request,
                                         std::initializer_list<std::string_view> names);
// The text under `name`; empty when there is none.
std::string TextOf(const boost::json::object& object, std::string_view name);

}  // namespace dare::server
