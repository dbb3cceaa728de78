#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>
#include <memory>

#include "base/file.h"
#include "client/enrolment.h"
#include "session.h"
#include "text.h"
#include "token_input.h"

namespace dare::cli {
namespace {

struct EnrollCommand {
  client::EnrolmentOptions options;
  std::vector<std::string> servers;
  std::string token_file;
  bool renew = false;
  bool json = false;
};

void Print(const client::Enrolled& enrolled, bool json) {
  if (json) {
    std::cout << boost::json::object{{"name", enrolled.name},
                                     {"config", enrolled.config_file},
                                     {"not_after", TimeText(enrolled.not_after)}}
              << "\n";
  } else {
    std::cout << "enrolled as " << enrolled.name << " until " << TimeText(enrolled.not_after)
              << "\nconfiguration: " << enrolled.config_file << "\n";
  }
}

Result<client::Enrolled> Enroll(Session& session, const EnrollCommand& command) {
  if (command.renew) {
    const client::Config* config = TRY(session.Config());
    return client::RenewMachine(*config);
  }
  client::EnrolmentOptions options = command.options;
  if (options.url.empty()) {
    return Error(Code::kInvalidArgument, "enroll needs the URL of the key server, or --renew");
  }
  if (options.folder.empty()) options.folder = FolderOf(session.config_path);
  for (const std::string& server : command.servers) {
    options.servers.push_back(TRY(client::ParseEndpoint(server)));
  }
  const SecretBytes token = TRY(ReadToken(command.token_file));
  return client::EnrolMachine(options, token);
}

Result<void> EnrollAndPrint(Session& session, const EnrollCommand& command) {
  Print(TRY(Enroll(session, command)), command.json);
  return {};
}

}  // namespace

void AddEnroll(CLI::App& app, Session& session) {
  const auto command = std::make_shared<EnrollCommand>();
  client::EnrolmentOptions& options = command->options;
  CLI::App* verb =
      app.add_subcommand("enroll", "Get this machine a certificate and write its configuration");
  verb->add_option("URL", options.url, "Of the key server: https://HOST:5697");
  verb->add_option("--token-file", command->token_file,
                   "Where the one-time token is, a private file; - is standard input. Default: "
                   "asks on the terminal")
      ->type_name("FILE");
  auto* ca_file = verb->add_option("--ca-file", options.ca_file, "The server's CA, PEM");
  ca_file->type_name("FILE");
  verb->add_option("--ca-fingerprint", options.ca_fingerprint, "SHA-256 of the CA's certificate")
      ->type_name("HEX")
      ->excludes(ca_file);
  verb->add_option("--dir", options.folder,
                   "Where key, certificate and configuration go; default: the folder of --config")
      ->type_name("DIR");
  verb->add_option("--server", command->servers,
                   "A key server; may be repeated. Default: the host of URL, port 5696")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
  verb->add_option("--default-key", options.default_key, "default_key of the new configuration")
      ->type_name("KEY");
  verb->add_flag("-f,--force", options.replace, "Take the place of an earlier enrolment");
  verb->add_flag("--renew", command->renew,
                 "Get a new certificate with the one in the configuration instead");
  verb->add_flag("--json", command->json, "As a JSON object");
  verb->callback([&session, command] {
    session.action = [&session, command] { return EnrollAndPrint(session, *command); };
  });
}

}  // namespace dare::cli
