#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "base/secure_arena.h"
#include "commands.h"
#include "hsm/call_lanes.h"

namespace dare::kms {
namespace {

enum ExitCode {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kDeniedByPolicy = 3,
  kUnreachable = 4,
  kBad = 5
};

// docs: "exit codes" in dare-kms(8).
int ExitCodeOf(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return kUsage;
    case Code::kUnauthenticated:
    case Code::kRejected:
      return kDeniedByPolicy;
    case Code::kUnavailable:
    case Code::kTimeout:
      return kUnreachable;
    case Code::kMalformed:
    case Code::kDamaged:
      return kBad;
    case Code::kTooLarge:
    case Code::kNotFound:
    case Code::kAlreadyExists:
    case Code::kDenied:
    case Code::kUnsupported:
    case Code::kExhausted:
    case Code::kIo:
    case Code::kConflict:
    case Code::kInternal:
      return kFailed;
  }
  return kFailed;
}

const char* HintFor(const Error& error) {
  const auto says = [&](std::string_view part) {
    return error.message.find(part) != std::string::npos;
  };
  if (says("memlock")) return "under systemd set LimitMEMLOCK=; in a shell, ulimit -l";
  if (error.code == Code::kIo && says("kms.toml"))
    return "make a configuration with: dare-kms init";
  if (says("crypto.require_provider")) {
    return "Debian 12 has no FIPS provider; docs/decisions/fips-policy.md says where one comes "
           "from";
  }
  if (says("unknown key")) return "every key is described in kms.toml(5)";
  if (says("cannot bind")) return "is another dare-kms running? port = 0 takes any free port";
  return nullptr;
}

int Finish(const Result<void>& result) {
  if (result) return kDone;
  std::cerr << "dare-kms: error: " << result.error().message << "\n";
  if (const char* hint = HintFor(result.error())) std::cerr << "dare-kms: hint: " << hint << "\n";
  return ExitCodeOf(result.error().code);
}

void AddQuorum(CLI::App& verb, Quorum& quorum) {
  verb.add_option("--shares", quorum.shares, "so many people get a share")
      ->check(CLI::Range(2, 100));
  verb.add_option("--threshold", quorum.threshold, "so many of them open it")
      ->check(CLI::Range(2, 100));
  verb.add_option("--out", quorum.folder, "folder for a file a share (default: print one by one)");
}

void AddInit(CLI::App& app, int& status) {
  static InitOptions options;
  auto* verb = app.add_subcommand("init", "make keys, certificates and a configuration");
  verb->add_option("--dir", options.folder, "put everything there, not in /etc and /var/lib");
  verb->add_option("--server-name", options.server_names,
                   "a host name or IP address of this server (repeatable)");
  verb->add_option("--address", options.address, "address to listen on");
  verb->add_option("--kmip-port", options.kmip_port, "0: any free port");
  verb->add_option("--https-port", options.https_port, "0: any free port");
  verb->add_option("--module", options.module, "PKCS#11 module of an HSM (default: SoftHSM2)");
  verb->add_option("--init-args", options.init_args, "a text for its C_Initialize; NSS needs one");
  verb->add_option("--token-label", options.token_label, "the token's label");
  verb->add_option("--pin-file", options.pin_file, "file with the user PIN of an existing token");
  verb->add_option("--administrator", options.administrators,
                   "name with the administrator role (repeatable)");
  verb->add_option("--sealing", options.sealing,
                   "direct: the HSM seals each record; root: HSMs wrap a root key that does")
      ->check(CLI::IsMember({"direct", "root"}))
      ->capture_default_str();
  verb->add_option("--origin", options.origin,
                   "of the master key; ceremony: split for a quorum, then imported")
      ->check(CLI::IsMember({"token", "ceremony"}))
      ->capture_default_str();
  AddQuorum(*verb, options.quorum);
  verb->callback([&status] { status = Finish(Init(options)); });
}

void AddHsmCheck(CLI::App& noun, int& status) {
  static HsmCheckOptions options;
  auto* verb = noun.add_subcommand("check", "try what HSMs can do; leaves nothing in them");
  verb->add_option("--config", options.config, "configuration file")->capture_default_str();
  verb->add_option("--tcti", options.tcti, "a TPM, as tpm2-tss writes it: device:/dev/tpmrm0");
  verb->add_flag("--json", options.as_json, "one JSON value");
  verb->add_option("--module", options.module, "PKCS#11 module to try instead");
  verb->add_option("--init-args", options.init_args, "text for its C_Initialize");
  verb->add_option("--token-label", options.token_label, "the token's label")
      ->capture_default_str();
  verb->add_option("--token-serial", options.token_serial, "decides where several have the label");
  verb->add_option("--pin-file", options.pin_file, "private file with the token's user PIN");
  verb->callback([&status] {
    const Result<bool> usable = HsmCheck(options);
    status = !usable ? Finish(usable.error()) : *usable ? kDone : kFailed;
  });
}

void AddHsmInit(CLI::App& noun, int& status) {
  static HsmInitOptions options;
  auto* verb = noun.add_subcommand("init", "make master keys in the configured HSMs");
  verb->add_option("--config", options.config, "configuration file")->capture_default_str();
  verb->add_option("--origin", options.origin,
                   "token: made in it; ceremony: split for a quorum, then imported")
      ->check(CLI::IsMember({"token", "ceremony"}))
      ->capture_default_str();
  AddQuorum(*verb, options.quorum);
  verb->callback([&status] { status = Finish(HsmInit(options)); });
}

void AddHsmBackup(CLI::App& noun, int& status) {
  static HsmBackupOptions options;
  auto* verb = noun.add_subcommand("backup", "split the store's key among a quorum");
  verb->add_option("--config", options.config, "configuration file")->capture_default_str();
  AddQuorum(*verb, options.quorum);
  verb->get_option("--shares")->required();
  verb->get_option("--threshold")->required();
  verb->add_option("--share", options.share_files,
                   "file with a share of an earlier ceremony, to split a MEK anew (repeatable)");
  verb->callback([&status] { status = Finish(HsmBackup(options)); });
}

CLI::App* AddRecovery(CLI::App& noun, const std::string& name, const std::string& text,
                      HsmRestoreOptions& options) {
  auto* verb = noun.add_subcommand(name, text);
  verb->add_option("--config", options.config, "configuration file")->capture_default_str();
  verb->add_option("--share", options.share_files,
                   "file with a share (repeatable; default: standard input)");
  verb->add_option("--backup", options.backup_file, "file with the backup (default: the store's)");
  return verb;
}

void AddHsm(CLI::App& app, int& status) {
  static HsmRestoreOptions restore, drill;
  auto* noun = app.add_subcommand("hsm", "who holds the store's keys; ceremonies on this machine");
  noun->require_subcommand(1);
  AddHsmInit(*noun, status);
  AddHsmCheck(*noun, status);
  AddHsmBackup(*noun, status);
  AddRecovery(*noun, "restore", "bring the store's key back into the configured HSMs", restore)
      ->callback([&status] { status = Finish(HsmRestore(restore)); });
  auto* verb =
      AddRecovery(*noun, "drill", "prove on a scratch token that shares open the store", drill);
  verb->add_option("--sample", drill.sample, "about so many records (default: all)");
  verb->callback([&status] { status = Finish(HsmDrill(drill)); });
}

void AddServe(CLI::App& app, int& status) {
  static ServeOptions options;
  auto* verb = app.add_subcommand("serve", "run the server until SIGTERM");
  verb->add_option("--config", options.config, "configuration file")->capture_default_str();
  verb->add_option("--ready-fd", options.ready_fd, "write a line there when the ports are open");
  verb->callback([&status] { status = Finish(Serve(options)); });
}

void AddEnrollToken(CLI::App& app, int& status) {
  static EnrollTokenOptions options;
  auto* verb = app.add_subcommand("enroll-token", "print a one-time token for `dare enroll`");
  verb->add_option("--config", options.config, "configuration file")->capture_default_str();
  verb->add_option("--name", options.name, "common name of the certificate")->required();
  verb->add_option("--role", options.role)
      ->check(CLI::IsMember({"client", "administrator"}))
      ->capture_default_str();
  verb->add_option("--group", options.groups, "a group of the client (repeatable)");
  verb->add_option("--ttl", options.seconds, "how long it can be used: 90s, 15m, 1h, 7d")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}))
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{366} * 86400))
      ->default_str("1h");
  verb->add_option("--uses", options.uses, "how often it can be used")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  verb->callback([&status] { status = Finish(EnrollToken(options)); });
}

void AddRevokeCertificate(CLI::App& app, int& status) {
  static RevokeOptions options;
  auto* verb = app.add_subcommand("revoke-certificate", "refuse certificates from now on");
  verb->add_option("--config", options.config, "configuration file")->capture_default_str();
  auto* which = verb->add_option_group("which");
  which->add_option("--serial", options.serial, "one certificate, by its serial number (hex)");
  which->add_option("--name", options.name, "all present certificates with this common name");
  which->require_option(1);
  verb->callback([&status] { status = Finish(RevokeCertificate(options)); });
}

void AddUnlock(CLI::App& app, int& status) {
  static UnlockOptions options;
  auto* verb = app.add_subcommand("unlock", "serve again who was locked out, or take the seal off");
  verb->add_option("--config", options.config, "configuration file")->capture_default_str();
  auto* which = verb->add_option_group("which");
  which->add_option("--name", options.name, "one principal");
  which->add_option("--group", options.group, "one group");
  which->add_option("--domain", options.domain, "one domain of the policy");
  which->add_flag("--seal", options.seal, "the seal on the whole cluster");
  which->require_option(1);
  verb->callback([&status] { status = Finish(Unlock(options)); });
}

void AddCertificates(CLI::App& app, int& status) {
  static std::string config = kDefaultConfig;
  static bool json = false;
  auto* verb = app.add_subcommand("certificates", "list the certificates that were issued");
  verb->add_option("--config", config, "configuration file")->capture_default_str();
  verb->add_flag("--json", json, "one JSON object a line");
  verb->callback([&status] { status = Finish(Certificates(config, json)); });
}

void AddRenewServerCertificate(CLI::App& app, int& status) {
  static RenewServerOptions options;
  auto* verb = app.add_subcommand("renew-server-certificate",
                                  "make a new key and certificate for the listeners");
  verb->add_option("--config", options.config, "configuration file")->capture_default_str();
  verb->add_option("--server-name", options.server_names,
                   "a further name of this server (repeatable)");
  verb->callback([&status] { status = Finish(RenewServerCertificate(options)); });
}

void AddMakeCertifyAuthority(CLI::App& app, int& status) {
  static MakeCertifyAuthorityOptions options;
  auto* verb = app.add_subcommand("make-certify-authority",
                                  "make the authority that signs for KMIP's Certify");
  verb->add_option("--config", options.config, "configuration file")->capture_default_str();
  verb->add_option("--name", options.name, "its name, as CN=Example Issuing CA,O=Example")
      ->required();
  verb->add_flag("--rsa", options.rsa, "a key of RSA, 2048 bits, not on P-256");
  verb->add_option("--out", options.out, "where its certificate goes (PEM)");
  verb->add_option("--days", options.days, "life of its certificate")
      ->check(CLI::Range(1, 36500))
      ->capture_default_str();
  verb->callback([&status] { status = Finish(MakeCertifyAuthority(options)); });
}

void AddResidentKeys(CLI::App& app, int& status) {
  static ResidentKeysOptions options;
  auto* verb = app.add_subcommand("resident-keys", "list the keys of clients that stay in the HSM");
  verb->add_option("--config", options.config, "configuration file")->capture_default_str();
  verb->add_option("--remove", options.remove,
                   "remove one that no object refers to, by its id in the list");
  verb->add_flag("--json", options.json, "as a JSON array");
  verb->callback([&status] { status = Finish(ResidentKeys(options)); });
}

void AddCheckConfig(CLI::App& app, int& status) {
  static std::string config = kDefaultConfig;
  auto* verb = app.add_subcommand("check-config", "read a configuration and say what is wrong");
  verb->add_option("--config", config, "configuration file")->capture_default_str();
  verb->callback([&status] { status = Finish(CheckConfig(config)); });
}

void AddLogin(CLI::App& verb, CredentialOptions& options) {
  verb.add_option("--config", options.config, "configuration file")->capture_default_str();
  verb.add_option("--user", options.user, "the Username it shows");
  verb.add_option("--device-serial", options.serial_number, "a device's Device Serial Number");
  verb.add_option("--device-id", options.device, "a device's Device Identifier");
  verb.add_option("--network-id", options.network, "a device's Network Identifier");
  verb.add_option("--machine-id", options.machine, "a device's Machine Identifier");
  verb.add_option("--media-id", options.media, "a device's Media Identifier");
}

void AddCredential(CLI::App& app, int& status) {
  static CredentialOptions options;
  auto* noun = app.add_subcommand("credential", "users and devices that show a password");
  noun->require_subcommand(1);
  auto* add = noun->add_subcommand("add", "add one, or give it another password");
  AddLogin(*add, options);
  add->add_option("--principal", options.principal,
                  "who that is to the policy (default: the user)");
  add->add_option("--group", options.groups, "a group of it (repeatable)");
  add->add_option("--password-file", options.password_file, "private file; -: standard input")
      ->capture_default_str();
  add->add_option("--one-time-secret-file", options.one_time_secret_file,
                  "private file with the secret of its one-time passwords (RFC 6238)");
  add->callback([&status] { status = Finish(CredentialAdd(options)); });
  auto* list = noun->add_subcommand("list", "print logins, principals and groups");
  list->add_option("--config", options.config, "configuration file")->capture_default_str();
  list->callback([&status] { status = Finish(CredentialList(options.config)); });
  auto* remove = noun->add_subcommand("remove", "believe it no longer");
  AddLogin(*remove, options);
  remove->callback([&status] { status = Finish(CredentialRemove(options)); });
}

void AddVerify(CLI::App& app, int& status) {
  static VerifyOptions options;
  auto* verb = app.add_subcommand("verify", "check every row of the key store");
  verb->add_option("--config", options.config, "configuration file")->capture_default_str();
  verb->add_option("--audit", options.audit,
                   "a node's audit log, whole (repeatable; default: the configured one)");
  verb->add_flag("--no-audit", options.without_audit, "look at no audit log");
  verb->add_option("--threads", options.threads, "default: one a core");
  verb->add_flag("--deep", options.deep, "open every key in the HSM, too");
  verb->add_flag("--json", options.json, "print JSON");
  verb->add_flag("--adopt", options.adopt,
                 "if only the sums disagree, take what is there for what is expected");
  verb->callback([&status] { status = Finish(Verify(options)); });
}

void AddBackups(CLI::App& app, int& status) {
  static BackupOptions backup;
  auto* write = app.add_subcommand("backup", "write the key store to a sealed file");
  write->add_option("--config", backup.config, "configuration file")->capture_default_str();
  write->add_option("--out", backup.out, "the file; must not exist")->required();
  write->callback([&status] { status = Finish(Backup(backup)); });

  static RestoreOptions restore;
  auto* read = app.add_subcommand("restore", "fill an empty store from a backup");
  read->add_option("FILE", restore.file, "made by dare-kms backup")->required();
  read->add_option("--config", restore.config, "configuration file")->capture_default_str();
  read->add_flag("--print-config", restore.print_config,
                 "print the configuration in the backup and restore nothing");
  read->callback([&status] { status = Finish(Restore(restore)); });

  static MigrateOptions migrate;
  auto* copy = app.add_subcommand("migrate", "copy a store into an empty one of any kind");
  copy->add_option("--from", migrate.from, "configuration file of the source")->required();
  copy->add_option("--to", migrate.to, "configuration file of the empty store")->required();
  copy->callback([&status] { status = Finish(Migrate(migrate)); });
}

int Main(int argc, char** argv) {
  int status = kDone;
  CLI::App app("OpenDaRE key management server", "dare-kms");
  app.require_subcommand(1);
  AddInit(app, status);
  AddServe(app, status);
  AddHsm(app, status);
  AddEnrollToken(app, status);
  AddRevokeCertificate(app, status);
  AddUnlock(app, status);
  AddCertificates(app, status);
  AddRenewServerCertificate(app, status);
  AddMakeCertifyAuthority(app, status);
  AddCredential(app, status);
  AddResidentKeys(app, status);
  AddCheckConfig(app, status);
  AddVerify(app, status);
  AddBackups(app, status);
  app.add_subcommand("version", "print the version")->callback([] {
    std::cout << "dare-kms " DARE_VERSION << std::endl;
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // --help
    return app.exit(e, std::cout, std::cerr);
  } catch (const CLI::ParseError& e) {
    std::cerr << "dare-kms: error: " << e.what() << "\n"
              << "dare-kms: hint: dare-kms --help, dare-kms VERB --help\n";
    return kUsage;
  }
  return status;
}

}  // namespace
}  // namespace dare::kms

int main(int argc, char** argv) {
  (void)dare::RouteLockedAllocations();  // before OpenSSL has allocated anything
  try {
    const int status = dare::kms::Main(argc, argv);
    // A call may still be inside the HSM's module, whose own end would pull the ground from under
    // it.
    if (!dare::hsm::CallLanes::LeftCallsBehind()) return status;
    std::cout.flush();
    std::_Exit(status);
  } catch (const std::exception& error) {  // the standard library and CLI11 throw; we do not
    std::cerr << "dare-kms: error: " << error.what() << "\n";
    return dare::kms::kFailed;
  }
}
