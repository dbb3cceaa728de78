#pragma once

#include <boost/json.hpp>
#include <string>

namespace dare::cli {

// What a long run with --json says of one path: {"event": `event`, "path": …}. Names may hold any
// bytes: one that is no UTF-8 stands in "path_base64" instead.
boost::json::object EventObject(const char* event, const std::string& path);

}  // namespace dare::cli
