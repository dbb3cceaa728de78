#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "client/config.h"
#include "client/kms_client.h"

namespace CLI {
class App;
}

namespace dare::cli {

// One run of the program: what every verb may need, made when it is first asked for. One thread.
class Session {
 public:
  // Set by the options that every verb has.
  std::string config_path;

  // What the chosen verb does; set while the command line is read.
  std::function<Result<void>()> action;

  // Confines this program to approved algorithms where [crypto] of the configuration file, if there
  // is one, says so. Before anything is computed, for every verb.
  Result<void> ApplyCryptoPolicy() const;
  // The configuration; kNotFound, with what to do, when there is none.
  Result<const client::Config*> Config();
  // The key servers; nothing is sent before the first call.
  Result<client::KmsClient*> Kms();

  // Turns true at the first SIGINT or SIGTERM.
  static const std::atomic<bool>& cancelled();
  // The signal that did it, or 0.
  static int signal();
  // From now on those signals only ask to stop; SIGPIPE and SIGXFSZ are errors of
  // write().
  static void CatchSignals();

 private:
  std::unique_ptr<client::Config> config_;
  std::unique_ptr<client::KmsClient> kms_;
};

// Each adds one verb (or noun) to the command line: its options, its help, and what it does.
void AddAudit(CLI::App& app, Session& session);
void AddAuditLog(CLI::App& audit, Session& session);    // under "audit"
void AddAuditPrune(CLI::App& audit, Session& session);  // the same
void AddEnroll(CLI::App& app, Session& session);
void AddHsm(CLI::App& app, Session& session);
void AddAdmin(CLI::App& app, Session& session);
void AddInspect(CLI::App& app, Session& session);
void AddKey(CLI::App& app, Session& session);
void AddKeyExport(CLI::App& key, Session& session);  // under "key"
void AddList(CLI::App& app, Session& session);
void AddOpen(CLI::App& app, Session& session);
void AddPing(CLI::App& app, Session& session);
void AddPolicy(CLI::App& app, Session& session);     // under "admin", after AddAdmin
void AddApprovals(CLI::App& app, Session& session);  // the same
void AddRewrap(CLI::App& app, Session& session);
void AddSeal(CLI::App& app, Session& session);
void AddSecret(CLI::App& app, Session& session);
void AddVerify(CLI::App& app, Session& session);
void AddShred(CLI::App& app, Session& session);
void AddVersion(CLI::App& app, Session& session);

}  // namespace dare::cli
