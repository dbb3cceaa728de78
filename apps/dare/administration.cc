#include "administration.h"

#include "client/admin_client.h"
#include "token_input.h"

namespace dare::cli {

namespace json = boost::json;

std::string& TokenFile() {
  static std::string file;
  return file;
}

Result<json::object> AskServer(Session& session, const std::string& method, const std::string& path,
                               const json::object& body) {
  const client::Config* const config = TRY(session.Config());
  // Read once: standard input ends.
  static SecretBytes token;
  if (!TokenFile().empty() && token.empty()) token = TRY(ReadToken(TokenFile()));
  const std::string text = TRY(client::Administer(
      *config, method, "/admin/v1" + path, body.empty() ? "" : json::serialize(body), token));
  boost::system::error_code failure;
  json::value value = json::parse(text, failure);
  if (failure || !value.is_object()) {
    return Error(Code::kMalformed, "the server's answer is not JSON");
  }
  return std::move(value.get_object());
}

}  // namespace dare::cli
