#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

// The verbs of dare-kms. Each prints its results to standard output and gives back what went wrong;
// main.cc turns that into a message and an exit code.
namespace dare::kms {

inline constexpr char kDefaultConfig[] = "/etc/dare/kms.toml";
inline constexpr std::int64_t kServerCertificateDays = 825;

// Who holds a key's shares, and how they get them.
struct Quorum {
  unsigned shares = 0;
  unsigned threshold = 0;
  std::string folder;  // a file for each share; empty: printed one by one
};

struct InitOptions {
  std::string folder;                     // everything goes there; empty: /etc/dare, /var/lib/dare
  std::vector<std::string> server_names;  // beside localhost, 127.0.0.1 and ::1
  std::string address = "0.0.0.0";
  std::uint16_t kmip_port = 5696;
  std::uint16_t https_port = 5697;
  std::string module;     // PKCS#11; empty: SoftHSM2 with a token of our own
  std::string init_args;  // a text for the module's C_Initialize
  std::string token_label = "dare";
  std::string pin_file;  // of an existing token; needed with a module
  std::vector<std::string> administrators;
  std::string sealing = "direct";  // or "root"
  std::string origin = "token";    // or "ceremony", of the MEK
  Quorum quorum;                   // of a ceremony
};
Result<void> Init(const InitOptions& options);

struct ServeOptions {
  std::string config = kDefaultConfig;
  int ready_fd = -1;  // one line is written to it when the ports are open
};
Result<void> Serve(const ServeOptions& options);

struct EnrollTokenOptions {
  std::string config = kDefaultConfig;
  std::string name;
  std::string role = "client";
  std::vector<std::string> groups;
  std::int64_t seconds = 3600;
  std::int64_t uses = 1;
};
Result<void> EnrollToken(const EnrollTokenOptions& options);

struct RevokeOptions {
  std::string config = kDefaultConfig;
  std::string serial;
  std::string name;
};
Result<void> RevokeCertificate(const RevokeOptions& options);

// The way back for who locked out everybody who could unlock. Exactly one is given.
struct UnlockOptions {
  std::string config = kDefaultConfig;
  std::string name;
  std::string group;
  std::string domain;
  bool seal = false;
};
Result<void> Unlock(const UnlockOptions& options);

Result<void> Certificates(const std::string& config, bool json);
struct RenewServerOptions {
  std::string config = kDefaultConfig;
  std::vector<std::string> server_names;  // beside those in the present certificate
};
Result<void> RenewServerCertificate(const RenewServerOptions& options);

struct MakeCertifyAuthorityOptions {
  std::string config = kDefaultConfig;
  std::string name;  // CN=…,O=…
  bool rsa = false;  // of 2048 bits, not on P-256
  std::string out;   // PEM; empty: certify.pem beside the configuration
  std::int64_t days = 3650;
};
Result<void> MakeCertifyAuthority(const MakeCertifyAuthorityOptions& options);

struct CredentialOptions {
  std::string config = kDefaultConfig;
  std::string user;                                            // or, of a device:
  std::string serial_number, device, network, machine, media;  // the fields it shows
  std::string principal;                                       // empty: the user's name
  std::vector<std::string> groups;
  std::string password_file = "-";   // "-": standard input
  std::string one_time_secret_file;  // of RFC 6238; empty: no one-time passwords
};
Result<void> CredentialAdd(const CredentialOptions& options);
Result<void> CredentialList(const std::string& config);
Result<void> CredentialRemove(const CredentialOptions& options);

struct HsmCheckOptions {
  std::string config = kDefaultConfig;
  std::string tcti;  // of a TPM; empty: those of the configuration
  bool as_json = false;
  std::string module;  // PKCS#11, tried instead
  std::string init_args;
  std::string token_label = "dare";
  std::string token_serial;
  std::string pin_file;
};
// Uses HSMs with throw-away objects and prints what works; false when one of them is of no use.
Result<bool> HsmCheck(const HsmCheckOptions& options);

// Ceremonies over the store's keys, on the server's machine.
struct HsmInitOptions {
  std::string config = kDefaultConfig;
  std::string origin = "token";
  Quorum quorum;  // of a ceremony
};
Result<void> HsmInit(const HsmInitOptions& options);

struct HsmBackupOptions {
  std::string config = kDefaultConfig;
  Quorum quorum;
  std::vector<std::string> share_files;  // of an earlier ceremony, to split a MEK anew
};
Result<void> HsmBackup(const HsmBackupOptions& options);

struct HsmRestoreOptions {
  std::string config = kDefaultConfig;
  std::string backup_file;               // empty: the one in the store
  std::vector<std::string> share_files;  // none: typed or piped
  std::uint64_t sample = 0;              // drill: so many records; 0: all
};
Result<void> HsmRestore(const HsmRestoreOptions& options);
Result<void> HsmDrill(const HsmRestoreOptions& options);

struct ResidentKeysOptions {
  std::string config = kDefaultConfig;
  std::string remove;  // the CKA_ID of one, in hexadecimal; empty: lists them
  bool json = false;
};
Result<void> ResidentKeys(const ResidentKeysOptions& options);

Result<void> CheckConfig(const std::string& config);

struct VerifyOptions {
  std::string config = kDefaultConfig;
  std::vector<std::string> audit;  // folders; empty: the configured one, where there is a log
  bool without_audit = false;
  unsigned threads = 0;  // 0: one a core
  bool deep = false;
  bool json = false;
  bool adopt = false;
};
Result<void> Verify(const VerifyOptions& options);

struct BackupOptions {
  std::string config = kDefaultConfig;
  std::string out;
};
Result<void> Backup(const BackupOptions& options);

struct RestoreOptions {
  std::string config = kDefaultConfig;
  std::string file;
  bool print_config = false;
};
Result<void> Restore(const RestoreOptions& options);

struct MigrateOptions {
  std::string from, to;  // configuration files
};
Result<void> Migrate(const MigrateOptions& options);

}  // namespace dare::kms
