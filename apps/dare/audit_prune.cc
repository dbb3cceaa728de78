// Removes the oldest part of a key server's audit log, with a signed record of it.
#include <iostream>
#include <memory>

#include "administration.h"
#include "audit_pages.h"
#include "base/clock.h"
#include "session.h"
#include "text.h"
#include "time_input.h"

namespace dare::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string before, keep;
  bool as_json = false;
};

Result<json::object> RequestOf(const Options& options) {
  if (!options.keep.empty()) {
    const std::int64_t seconds = TRY(ParseDuration(options.keep));
    return json::object{{"keep_seconds", std::to_string(seconds)}};
  }
  const std::int64_t moment = TRY(ParseMoment(options.before, SystemClock::Get().Now()));
  return json::object{{"before", TimeText(moment)}};
}

// A server removes a number of files in one request.
Result<void> Prune(Session& session, const Options& options) {
  const json::object request = TRY(RequestOf(options));
  std::uint64_t files = 0, entries = 0, removed = 0;
  bool more = true;
  while (more && !Session::cancelled().load()) {
    const json::object done = TRY(AskServer(session, "POST", "/audit/prune", request));
    files += TRY(NumberIn(done, "files"));
    entries += TRY(NumberIn(done, "entries"));
    removed = TRY(NumberIn(done, "removed"));
    const json::value* const rest = done.if_contains("more");
    more = rest != nullptr && rest->is_bool() && rest->get_bool();
  }
  if (options.as_json) {
    std::cout << json::object{{"files", files}, {"entries", entries}, {"removed", removed}} << "\n";
    return {};
  }
  if (files == 0) {
    std::cout << "nothing was removed: no whole file is old enough and behind a checkpoint\n";
    return {};
  }
  std::cout << files << (files == 1 ? " file" : " files") << " with " << entries
            << " entries were removed; the log begins with entry " << removed + 1 << "\n";
  return {};
}

}  // namespace

void AddAuditPrune(CLI::App& audit, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* const prune = AddVerb(audit, session, options, "prune",
                                  "Remove its oldest files, with a signed record", &Prune);
  CLI::Option_group* const what = prune->add_option_group("what");
  what->add_option("--before", options->before, "What is older: 2027-01-31T12:00:00Z, 2027-01-31");
  what->add_option("--keep", options->keep, "What is older than this: 400d");
  what->require_option(1);
}

}  // namespace dare::cli
