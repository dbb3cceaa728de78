#include "event_object.h"

#include "base/bytes.h"

namespace dare::cli {

boost::json::object EventObject(const char* event, const std::string& path) {
  boost::json::object object{{"event", event}};
  if (IsValidUtf8(AsBytes(path))) {
    object["path"] = path;
  } else {
    object["path_base64"] = ToBase64(AsBytes(path));
  }
  return object;
}

}  // namespace dare::cli
