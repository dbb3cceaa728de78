#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/admin.h"
#include "server/https.h"

namespace dare::server {

// A question about the policy, all of it texts as they were asked; empty: not said.
struct PolicyQuestion {
  std::string principal, certificate_groups;  // names, with commas between
  std::string operation;
  std::string object;              // the Unique Identifier of a stored one, or
  std::string owner, name, group;  // what one would be like
  std::string address, at;
};

// What an administrator asks of the policy, and somebody behind the routes does. Answers are JSON
// texts. Any thread.
class PolicyOffice {
 public:
  virtual ~PolicyOffice() = default;
  virtual Result<std::string> InForce() = 0;
  virtual Result<std::string> Version(std::uint64_t number) = 0;
  virtual Result<std::string> History() = 0;
  virtual Result<std::string> Check(const std::string& text) = 0;
  virtual Result<std::string> Apply(const std::string& text, const std::string& comment,
                                    std::uint64_t base, const std::string& who) = 0;
  // `who` asks: it must learn nothing of objects that it may not see.
  virtual Result<std::string> Explain(const PolicyQuestion& question, const Peer& who) = 0;
};

// Serves a request to /admin/v1/policy… or /admin/v1/explain; nothing where it is to neither. Where
// the event is not permitted, it is only named.
std::optional<Result<std::string>> ServePolicy(const HttpRequest& request, AdminEvent& event,
                                               PolicyOffice& office);

}  // namespace dare::server
