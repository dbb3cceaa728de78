#pragma once

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "session.h"

namespace dare::cli {

// One request to the server's /admin/v1/, as the machine's certificate or a person's token says;
// what it answered.
Result<boost::json::object> AskServer(Session& session, const std::string& method,
                                      const std::string& path,
                                      const boost::json::object& body = {});

// The file of --token-file, which the verbs that administer have in common; empty: it was not
// given.
std::string& TokenFile();

// A verb below `noun` that does `act` with `options`, which has `as_json`.
template <typename Options>
CLI::App* AddVerb(CLI::App& noun, Session& session, const std::shared_ptr<Options>& options,
                  const std::string& name, const std::string& text,
                  Result<void> (*act)(Session&, const Options&)) {
  CLI::App* const verb = noun.add_subcommand(name, text);
  verb->add_flag("--json", options->as_json, "One JSON value");
  verb->add_option("--token-file", TokenFile(),
                   "A person's token of OpenID Connect, instead of the certificate; - for stdin");
  verb->callback([&session, options, act] {
    session.action = [&session, options, act] { return act(session, *options); };
  });
  return verb;
}

}  // namespace dare::cli
