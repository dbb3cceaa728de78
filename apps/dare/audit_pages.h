#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "session.h"

namespace dare::cli {

// One part of a server's audit log.
struct AuditPage {
  std::vector<std::string> lines;  // byte for byte
  std::uint64_t next = 1;          // the entry that the next page begins with
  std::uint64_t size = 0;          // how many entries the log has
  bool whole = false;              // the server gives all entries, not those of one domain alone
};

// The entries that fit a question, page by page, over the network. To the server it is one reading,
// and recorded as one. One thread.
class AuditPages {
 public:
  // `question`: as dare-kms(8) describes it, without "reading".
  AuditPages(Session& session, boost::json::object question)
      : session_(session), question_(std::move(question)) {}
  // The next one; empty where there is nothing (yet). kMalformed: not what a server answers.
  Result<AuditPage> Next();

 private:
  Session& session_;
  boost::json::object question_;
};

// Numbers and texts of a server's answer. kMalformed where they are not there.
Result<std::uint64_t> NumberIn(const boost::json::object& answer, std::string_view name);
Result<std::string> TextIn(const boost::json::object& answer, std::string_view name);

}  // namespace dare::cli
