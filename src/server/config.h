#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/secret_bytes.h"
#include "crypto/fips_policy.h"
#include "server/identity_config.h"

namespace dare::server {

// The configuration of dare-kms: one TOML file, every key described in kms.toml(5). Plain data with
// the defaults in place; unknown keys, wrong types and values out of range are refused with their
// line. Paths are absolute, or relative to the folder of the configuration file.

struct ListenConfig {
  std::string address = "0.0.0.0";  // numeric; "::" takes IPv4 too
  std::uint16_t port = 0;           // 0: any free port, told on start
  bool enabled = true;              // KMIP always is
};

struct TlsConfig {
  std::string certificate_file;         // PEM chain, leaf first
  std::string key_file;                 // PEM, 0600
  std::string client_ca_file;           // PEM; who may sign client certificates
  std::vector<std::string> crl_files;   // revocation lists of those, PEM or DER
  std::string crl_issuers_file;         // PEM; authorities below those that sign lists, too
  std::string crl_stale = "refuse";     // or "allow": clients whose authority's list has ended
  std::string minimum_version = "1.2";  // "1.2" or "1.3"
  bool rsa_cbc_suites = false;  // TLS_RSA_WITH_AES_{128,256}_CBC_SHA256 of the KMIP 1.x profiles
};

struct CaConfig {
  std::string certificate_file;       // PEM; our own CA. Empty: no enrolment here
  std::string key_label = "dare-ca";  // of the CA key pair in the token
  std::int64_t client_days = 7;       // life of the certificates it issues
  std::int64_t crl_hours = 24;        // life of its revocation list
  std::string crl_url;                // of that list, for the certificates; empty: they name none
};

// KMIP's Certify: an authority of its own, apart from whoever vouches for clients.
struct CertifyConfig {
  std::string certificate_file;            // PEM; empty: Certify and Re-certify are not supported
  std::string key_label = "dare-certify";  // of its key pair in the token
  std::int64_t days = 365;                 // life of the certificates at most
  std::vector<std::string> clients;        // who may have certificates made; "*": every client
  std::vector<std::string> extended_key_usage = {"serverAuth"};
};

// A token that holds a master key: of a PKCS#11 module, or a TPM 2.0.
struct TokenConfig {
  std::string name = "primary";  // what administrators and the custody record call it
  std::string module = "/usr/lib/softhsm/libsofthsm2.so";  // PKCS#11 module
  std::string init_args;                                   // for its C_Initialize; NSS needs one
  std::string token_label = "dare";                        //
  std::string token_serial;  // decides where several tokens have the label
  std::string pin;           // where it is: a file, or "credential:NAME"; never the PIN itself
  std::string mek_label = "dare-mek";    //
  std::uint32_t sessions = 4;            // size of the session pool
  std::uint32_t call_timeout_ms = 2000;  // then a call is given up, and the token left alone
  std::string bounded_calls = "auto";    // "auto" or "always" (docs/decisions/hsm-calls.md)
  bool tpm = false;                      // a TPM: of the above only the name is its own
  std::string tcti;                      // how to reach the TPM, "device:/dev/tpmrm0"
  friend bool operator==(const TokenConfig&, const TokenConfig&) = default;
};

// The [hsm] table is the first token, and holds the keys of the audit log and the authorities.
struct HsmConfig : TokenConfig {
  std::string sealing = "direct";              // "direct" or "root" (kms.toml(5))
  std::string softhsm2_conf;                   // exported as SOFTHSM2_CONF when not empty
  std::string audit_key_label = "dare-audit";  //
  std::uint32_t reseal_per_second = 1000;      // records at most, in a rotation; 0: no bound
  bool resident_keys = false;                  // keys may be made that stay in the HSM
  std::uint32_t most_resident_keys = 1000;     // in one token
  std::vector<TokenConfig> tokens;             // further ones, [[hsm.tokens]]

  // The token with this name, the first one among them; null when there is none.
  const TokenConfig* Find(std::string_view token_name) const;
};

struct StoreConfig {
  std::string backend = "sqlite";  // "sqlite", "postgresql" or "memory" (tests: forgets everything)
  std::string path;                // sqlite: of the database file
  std::string connection;          // postgresql: libpq's string, without a password
  std::string password;  // where it is: a file, or "credential:NAME"; empty: none is needed
  std::uint32_t connections = 8;        // postgresql: for reading, at most
  std::uint32_t patience_seconds = 10;  // for a database that cannot be reached
};

// How the audit log is kept (docs/formats/audit.md).
struct AuditConfig {
  std::uint32_t sync_interval_ms =
      100;                        // how long a read's entry may be written but not yet synced
  std::string reads = "batched";  // or "strict": synced before the answer
  std::uint32_t checkpoint_seconds = 60;       // after so long, when there are new entries,
  std::uint32_t checkpoint_entries = 100'000;  // or after so many: a signed checkpoint
  std::vector<std::string> witness;            // "file:/PATH": where checkpoints are written, too
  // To a witness "node:https://HOST:PORT": who we are there, and whom we trust (empty: our own CA).
  std::string witness_certificate, witness_key, witness_ca;
  std::vector<std::string> witness_for;  // nodes whose checkpoints are kept here, by their names
  std::vector<std::string> syslog;       // "tcp:HOST:PORT": where entries are sent, too
  std::uint32_t file_kib = 65536;        // past this size a new file is begun
};

// A group whose keys the server makes when a client asks for a fresh one and there is none.
struct GroupConfig {
  std::string name;               // the Object Group
  std::string algorithm = "AES";  // "AES", "ChaCha20" or "HMAC_SHA256"
  std::int32_t bits = 256;
};

struct LimitsConfig {
  std::uint32_t message_bytes = (1u << 20) + (64u << 10);  // one KMIP request
  std::uint32_t connections = 4096;                        // in all
  std::uint32_t connections_per_address = 1024;
  std::uint32_t half_open = 1024;              // handshakes under way; the oldest gives way
  std::uint32_t handshakes_per_address = 300;  // a second; 0: no bound. Ten seconds' worth at once
  std::uint32_t bad_per_address = 10;          // failed ones, likewise; then it is turned away
  std::uint32_t requests_per_client = 0;       // a second; 0: no bound. A second's worth at once
  std::uint32_t kilobytes_per_client = 0;      // likewise, of requests and answers
  std::uint32_t handshake_seconds = 10;
  std::uint32_t message_seconds = 10;  // from a message's first byte to its last
  std::uint32_t idle_seconds = 600;
  std::uint32_t write_seconds = 30;                  // a client that does not read its answers
  std::uint32_t shutdown_seconds = 10;               // to finish what is in flight
  std::uint32_t buffered_answer_bytes = 256u << 10;  // per connection; reading pauses above
  std::uint32_t clock_skew_seconds = 0;              // of a request's Time Stamp; 0: any
};

// What messages may show of who asks, beside the certificate (docs/decisions/credentials.md).
struct CredentialsConfig {
  std::vector<std::string> gateways;    // certificates on whose connections a credential decides
  std::uint32_t ticket_seconds = 3600;  // the longest life of a Login's ticket
};

// Whom the server tells of changes without being asked.
struct PushConfig {
  std::vector<std::string> clients;  // who get Notify on connections where they ask
  std::vector<std::string> put;      // whose new objects are sent to them, too
};

// For test cases only; each key needs `insecure` beside it.
struct ConformanceConfig {
  bool insecure = false;         // says that one knows
  bool interop = false;          // the operation Interop
  bool accept_any_user = false;  // users nobody added
};

struct CacheConfig {
  std::uint32_t entries = 10000;  // opened KEKs
  std::uint32_t seconds = 300;    // time to live
  // Of a database that other nodes change, too: how long one is used before the database is asked
  // whether it changed, in milliseconds; `strict`: asked each time.
  std::uint32_t fresh_ms = 500;
  bool strict = false;
};

// When a principal uses more different keys than it is used to.
struct AlarmConfig {
  std::string action = "log";          // "log", "lockout" or "off"
  std::uint32_t window_seconds = 600;  //
  std::uint32_t keys = 1000;           // so many in a window never alarm
  std::uint32_t factor = 5;            // nor so many times the most of the windows before
};

// Objects that ask to be replaced by the server itself (KMIP's Rotate Automatic).
struct RotationConfig {
  bool automatic = true;
  std::uint32_t look_seconds = 60;        // how often it is looked what is due
  std::uint32_t shortest_seconds = 3600;  // of a Rotate Interval
};

// What clients are told through the PKCS#11 operation: CK_INFO's texts.
struct Pkcs11Config {
  std::string manufacturer = "OpenDaRE";
  std::string description = "OpenDaRE KMIP";
};

// What the kernel forbids the process (dare-kms: system_calls.h).
struct ProcessConfig {
  std::string seccomp = "on";          // "on", "log" or "off"
  std::string secret_memory = "auto";  // memfd_secret: "auto", where the kernel has it, or "off"
};

struct Config {
  std::string file;  // where it was read from
  std::string node;  // of several on one database; default: the host's name
  ListenConfig kmip{.port = 5696};
  bool kmip_3_0 = false;  // speak the draft, too
  ListenConfig https{.port = 5697};
  bool https_kmip = true;     // the path /kmip, for clients with a certificate
  std::uint32_t threads = 0;  // loop threads; 0: one a core
  TlsConfig tls;
  CaConfig ca;
  CertifyConfig certify;
  HsmConfig hsm;
  StoreConfig store;
  std::string enrolment_path;    // enrolment.db; default: beside store.path
  std::string credentials_path;  // credentials.db; default: beside store.path
  std::string audit_folder;      // of the audit log's files
  AuditConfig audit;
  LimitsConfig limits;
  CacheConfig cache;
  CredentialsConfig credentials;
  ConformanceConfig conformance;
  std::vector<PrincipalRuleConfig> principals;
  OidcConfig oidc;
  PushConfig push;
  AlarmConfig alarm;
  RotationConfig rotation;
  Pkcs11Config pkcs11;
  ProcessConfig process;
  std::uint32_t secure_heap_bytes = 4u << 20;  // power of two
  std::vector<std::string> administrators;     // common names
  bool allow_legacy_algorithms = false;
  crypto::PolicyChoice crypto_policy;
  std::string random_generator = "drbg";  // or "ansi-x9.31", of the keys that are made for clients
  std::vector<GroupConfig> groups;
  // Name spaces for which the server makes up Application Data that a client leaves out.
  std::vector<std::string> application_namespaces;
  log::Level log_level = log::Level::kInfo;
};

// kInvalidArgument with "FILE:LINE: …" for whatever is wrong in the text; kIo when unreadable.
Result<Config> LoadConfig(const std::string& path);
// The same for a text; `path` names it in messages and anchors relative paths.
Result<Config> ParseConfig(std::string_view text, const std::string& path);

// Reads the database's password, in the same way.
Result<SecretBytes> LoadPassword(const StoreConfig& store);
// Reads the HSM's PIN: a private file, or "credential:NAME" of systemd's LoadCredential=.
Result<SecretBytes> LoadPin(const TokenConfig& token);

}  // namespace dare::server
