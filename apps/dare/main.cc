#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "base/secret_bytes.h"
#include "base/secure_arena.h"
#include "client/config.h"
#include "exit_code.h"
#include "session.h"

namespace dare::cli {
namespace {

// Certificates' keys, DEKs, the enrolment token, and an expanded key for each thread that seals.
constexpr std::size_t kSecureHeapBytes = 1u << 20;

std::string DefaultConfigPath() {
  const char* path = std::getenv("DARE_CONFIG");
  return path != nullptr && *path != '\0' ? path : std::string(client::kDefaultConfigFile);
}

void Describe(CLI::App& app, Session& session) {
  app.require_subcommand(1);
  app.fallthrough();  // --config may also stand after the verb
  app.set_help_flag("-h,--help", "Print this help");
  app.set_help_all_flag("--help-all", "Print the help of every verb");
  app.add_option("--config", session.config_path, "Configuration file (also: $DARE_CONFIG)")
      ->type_name("FILE")
      ->capture_default_str();
  app.footer(
      "Exit codes: 0 done, 1 failed, 2 usage, 3 denied, 4 key server unreachable, "
      "5 data damaged.\nMore: man dare, man client.toml");
  AddSeal(app, session);
  AddOpen(app, session);
  AddVerify(app, session);
  AddList(app, session);
  AddRewrap(app, session);
  AddInspect(app, session);
  AddSecret(app, session);
  AddKey(app, session);
  AddShred(app, session);
  AddHsm(app, session);
  AddAdmin(app, session);
  AddPolicy(app, session);
  AddApprovals(app, session);
  AddAudit(app, session);
  AddPing(app, session);
  AddEnroll(app, session);
  AddVersion(app, session);
}

// Plaintext and keys are in our memory: no core dumps, no attaching.
void ForbidDumps() {
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
  (void)::prctl(PR_SET_DUMPABLE, 0);
}

Result<void> StartSecrets() {
  TRY(StartSecureHeap(kSecureHeapBytes));
  TRY(HideSecureArena());
  return {};
}

int Run(int argc, char** argv) {
  Session session;
  session.config_path = DefaultConfigPath();
  CLI::App app("Seals files so that only a key server can open them.", "dare");
  Describe(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::cerr << "dare: error: " << error.what() << "\ndare: hint: see \"dare --help\"\n";
    return kUsage;
  }
  ForbidDumps();
  Session::CatchSignals();
  if (Result<void> heap = StartSecrets(); !heap) {
    PrintError(heap.error());
    return kFailed;
  }
  Result<void> done = session.ApplyCryptoPolicy();
  if (done) done = session.action();
  std::cout.flush();
  if (!done && Session::signal() != 0) {
    std::cerr << "dare: error: interrupted\n";
    return 128 + Session::signal();
  }
  if (!done) {
    PrintError(done.error());
    return ExitCodeOf(done.error().code);
  }
  if (!std::cout) {
    PrintError(Error(Code::kIo, "cannot write to standard output"));
    return kFailed;
  }
  return kDone;
}

}  // namespace
}  // namespace dare::cli

int main(int argc, char** argv) {
  (void)dare::RouteLockedAllocations();  // before OpenSSL has allocated anything
  try {
    return dare::cli::Run(argc, argv);
  } catch (const std::exception& error) {  // CLI11 and the standard library throw; we do not
    std::cerr << "dare: error: " << error.what() << "\n";
    return dare::cli::kFailed;
  }
}
