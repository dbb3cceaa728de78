#include "server/config.h"

#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <functional>
#include <set>

#include "base/file.h"
#include "settings/table_reader.h"

namespace dare::server {
namespace {

using settings::TableReader;

constexpr std::string_view kCredential = "credential:";
constexpr std::size_t kLargestFile = 1u << 20;

void ReadListen(TableReader& table, ListenConfig& out) {
  table.Text("address", out.address);
  table.Number("port", out.port, 0, 65535);
}

void ReadKmip(TableReader table, Config& config) {
  ReadListen(table, config.kmip);
  table.Flag("kmip_3_0", config.kmip_3_0);
  table.Names("application_namespaces", config.application_namespaces);
  table.RefuseOthers();
}

void ReadHttps(TableReader table, Config& config) {
  table.Flag("enabled", config.https.enabled);
  table.Flag("kmip", config.https_kmip);
  ReadListen(table, config.https);
  table.RefuseOthers();
}

void ReadPkcs11(TableReader table, Pkcs11Config& out) {
  constexpr std::size_t kMost = 32;  // CK_UTF8CHAR[32]
  for (auto [key, text] :
       {std::pair("manufacturer", &out.manufacturer), std::pair("description", &out.description)}) {
    table.Text(key, *text);
    if (text->size() > kMost) {
      table.Complain(*table.At(key), std::string("pkcs11.") + key + " may have 32 bytes at most");
    }
  }
  table.RefuseOthers();
}

void ReadTls(TableReader table, TlsConfig& out) {
  table.Text("certificate", out.certificate_file);
  table.Text("key", out.key_file);
  table.Text("client_ca", out.client_ca_file);
  table.Names("crl_files", out.crl_files);
  table.Text("crl_issuers", out.crl_issuers_file);
  table.Choice("crl_stale", out.crl_stale, {"refuse", "allow"});
  constexpr std::size_t kMostFiles = 64;
  if (out.crl_files.size() > kMostFiles) {
    table.Complain(*table.At("crl_files"),
                   "tls.crl_files may be " + std::to_string(kMostFiles) + " at most");
  }
  table.Choice("minimum_version", out.minimum_version, {"1.2", "1.3"});
  table.Flag("rsa_cbc_suites", out.rsa_cbc_suites);
  table.RefuseOthers();
}

void ReadCa(TableReader table, CaConfig& out) {
  table.Text("certificate", out.certificate_file);
  table.Text("key_label", out.key_label);
  table.Number("client_days", out.client_days, 1, 825);
  table.Number("crl_hours", out.crl_hours, 1, 8760);
  table.Text("crl_url", out.crl_url);
  // It becomes an entry of a list in OpenSSL's text form and must not add others.
  const bool lawful = (out.crl_url.starts_with("http://") || out.crl_url.starts_with("https://")) &&
                      out.crl_url.size() <= 1024 &&
                      std::ranges::all_of(out.crl_url, [](unsigned char c) {
                        return c > 0x20 && c < 0x7f && c != ',' && c != ';';
                      });
  if (!out.crl_url.empty() && !lawful) {
    table.Complain(*table.At("crl_url"), "'" + out.crl_url + "' is no http or https URL");
  }
  table.RefuseOthers();
}

void ReadCertify(TableReader table, CertifyConfig& out) {
  table.Text("certificate", out.certificate_file);
  table.Text("key_label", out.key_label);
  table.Number("days", out.days, 1, 3650);
  table.Names("clients", out.clients);
  table.Names("extended_key_usage", out.extended_key_usage);
  const std::initializer_list<std::string_view> known = {
      "serverAuth", "clientAuth", "codeSigning", "emailProtection", "timeStamping", "OCSPSigning"};
  for (const std::string& usage : out.extended_key_usage) {
    if (std::find(known.begin(), known.end(), usage) == known.end()) {
      table.Complain(*table.At("extended_key_usage"), "'" + usage + "' is no extended key usage");
    }
  }
  table.RefuseOthers();
}

// What the tokens of PKCS#11 modules have; [hsm] itself is one.
void ReadToken(TableReader& table, TokenConfig& out) {
  table.Text("name", out.name);
  table.Text("module", out.module);
  table.Text("init_args", out.init_args);
  table.Text("token_label", out.token_label);
  table.Text("token_serial", out.token_serial);
  table.Text("pin", out.pin);
  table.Text("mek_label", out.mek_label);
  table.Number("sessions", out.sessions, 1, 256);
  table.Number("call_timeout_ms", out.call_timeout_ms, 100, 60'000);
  table.Choice("bounded_calls", out.bounded_calls, {"auto", "always"});
}

// Names go into the custody record and onto command lines.
bool IsTokenName(std::string_view name) {
  constexpr std::size_t kMost = 32;
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !name.empty() && name.size() <= kMost && name.front() != '-' &&
         name.find_first_not_of(kLetters) == std::string_view::npos;
}

void CheckName(TableReader& table, const HsmConfig& hsm, const std::string& name) {
  if (!IsTokenName(name)) {
    table.ComplainOfAll("the name of a token has 1 to 32 letters, digits, '.', '_' and '-', and '" +
                        name + "' does not");
  }
  if (hsm.Find(name) != nullptr) table.ComplainOfAll("two tokens are named '" + name + "'");
}

void ReadTpm(TableReader& table, const HsmConfig& hsm, TokenConfig& out) {
  out.tcti = "device:/dev/tpmrm0";
  table.Text("tcti", out.tcti);
  for (const char* key : {"module", "init_args", "token_label", "token_serial", "pin", "mek_label",
                          "sessions", "call_timeout_ms", "bounded_calls"}) {
    if (const toml::node* node = table.At(key)) {
      table.Complain(*node, std::string("a TPM has no hsm.tokens.") + key);
    }
  }
  if (hsm.sealing != "root") {
    table.ComplainOfAll(
        "a TPM is too slow to seal records; it can wrap a root key, with "
        "hsm.sealing = \"root\"");
  }
}

TokenConfig ReadFurtherToken(TableReader& table, const HsmConfig& hsm) {
  TokenConfig token;
  token.name.clear();
  ReadToken(table, token);
  table.Flag("tpm", token.tpm);
  CheckName(table, hsm, token.name);
  if (token.tpm) {
    ReadTpm(table, hsm, token);
  } else if (token.pin.empty()) {
    table.ComplainOfAll("hsm.tokens.pin is missing");
  }
  table.RefuseOthers();
  return token;
}

void ReadHsm(TableReader table, HsmConfig& out) {
  ReadToken(table, out);
  table.Choice("sealing", out.sealing, {"direct", "root"});
  table.Text("softhsm2_conf", out.softhsm2_conf);
  table.Text("audit_key_label", out.audit_key_label);
  table.Number("reseal_per_second", out.reseal_per_second, 0, 1'000'000);
  table.Flag("resident_keys", out.resident_keys);
  table.Number("most_resident_keys", out.most_resident_keys, 1, 50'000);
  if (!IsTokenName(out.name)) {
    table.Complain(*table.At("name"),
                   "hsm.name may have 1 to 32 letters, digits, '.', '_' and '-'");
  }
  for (TableReader& further : table.Tables("tokens")) {
    out.tokens.push_back(ReadFurtherToken(further, out));
  }
  table.RefuseOthers();
}

void ReadStore(TableReader table, Config& config) {
  table.Choice("backend", config.store.backend, {"sqlite", "postgresql", "memory"});
  table.Text("path", config.store.path);
  if (config.store.backend == "postgresql") {
    table.Text("connection", config.store.connection);
    table.Text("password", config.store.password);
    table.Number("connections", config.store.connections, 1, 1000);
    table.Number("patience_seconds", config.store.patience_seconds, 1, 600);
  }
  table.Text("enrolment_path", config.enrolment_path);
  table.Text("credentials_path", config.credentials_path);
  table.RefuseOthers();
}

void ReadAudit(TableReader table, Config& config) {
  table.Text("folder", config.audit_folder);
  AuditConfig& out = config.audit;
  table.Number("sync_interval_ms", out.sync_interval_ms, 1, 10'000);
  table.Choice("reads", out.reads, {"batched", "strict"});
  table.Number("checkpoint_seconds", out.checkpoint_seconds, 1, 86400);
  table.Number("checkpoint_entries", out.checkpoint_entries, 1, 1'000'000'000);
  table.Names("witness", out.witness);
  table.Text("witness_certificate", out.witness_certificate);
  table.Text("witness_key", out.witness_key);
  table.Text("witness_ca", out.witness_ca);
  table.Names("witness_for", out.witness_for);
  table.Names("syslog", out.syslog);
  table.Number("file_kib", out.file_kib, 16, 1u << 22);
  table.RefuseOthers();
}

void ReadLimits(TableReader table, LimitsConfig& out) {
  constexpr std::int64_t kDay = 86400;
  table.Number("message_bytes", out.message_bytes, 1024, 64 << 20);
  table.Number("connections", out.connections, 1, 1'000'000);
  table.Number("connections_per_address", out.connections_per_address, 1, 1'000'000);
  table.Number("half_open", out.half_open, 1, 1'000'000);
  table.Number("handshakes_per_address", out.handshakes_per_address, 0, 1'000'000);
  table.Number("bad_per_address", out.bad_per_address, 0, 1'000'000);
  table.Number("requests_per_client", out.requests_per_client, 0, 1'000'000'000);
  table.Number("kilobytes_per_client", out.kilobytes_per_client, 0, 1'000'000'000);
  table.Number("handshake_seconds", out.handshake_seconds, 1, kDay);
  table.Number("message_seconds", out.message_seconds, 1, kDay);
  table.Number("idle_seconds", out.idle_seconds, 1, 30 * kDay);
  table.Number("write_seconds", out.write_seconds, 1, kDay);
  table.Number("shutdown_seconds", out.shutdown_seconds, 0, kDay);
  table.Number("buffered_answer_bytes", out.buffered_answer_bytes, 1024, 64 << 20);
  table.Number("clock_skew_seconds", out.clock_skew_seconds, 0, 365 * kDay);
  table.RefuseOthers();
}

void ReadAlarm(TableReader table, AlarmConfig& out) {
  table.Choice("action", out.action, {"log", "lockout", "off"});
  table.Number("window_seconds", out.window_seconds, 1, 86400);
  table.Number("keys", out.keys, 1, 1'000'000'000);
  table.Number("factor", out.factor, 1, 1'000'000);
  table.RefuseOthers();
}

void ReadRotation(TableReader table, RotationConfig& out) {
  table.Flag("automatic", out.automatic);
  table.Number("look_seconds", out.look_seconds, 1, 86400);
  table.Number("shortest_seconds", out.shortest_seconds, 1, 366 * 86400);
  table.RefuseOthers();
}

void ReadCredentials(TableReader table, CredentialsConfig& out) {
  table.Names("gateways", out.gateways);
  table.Number("ticket_seconds", out.ticket_seconds, 1, 30 * 86400);
  table.RefuseOthers();
}

void ReadConformance(TableReader table, ConformanceConfig& out) {
  table.Flag("insecure", out.insecure);
  table.Flag("interop", out.interop);
  table.Flag("accept_any_user", out.accept_any_user);
  for (const char* key : {"interop", "accept_any_user"}) {
    const toml::node* node = table.At(key);
    if (node == nullptr || out.insecure || !node->value<bool>().value_or(false)) continue;
    table.Complain(*node, std::string("conformance.") + key +
                              " is not for a server with real keys: it needs conformance.insecure");
  }
  table.RefuseOthers();
}

void ReadGroups(TableReader table, std::vector<GroupConfig>& groups) {
  for (const std::string& name : table.Keys()) {
    GroupConfig group;
    group.name = name;
    TableReader rules = table.Table(name);
    rules.Choice("algorithm", group.algorithm, {"AES", "ChaCha20", "HMAC_SHA256"});
    rules.Number("bits", group.bits, 128, 512);
    rules.RefuseOthers();
    groups.push_back(std::move(group));
  }
}

void ReadLevel(TableReader& root, log::Level& out) {
  std::string level = "info";
  root.Choice("log_level", level, {"debug", "info", "warning", "error"});
  if (level == "debug") out = log::Level::kDebug;
  if (level == "warning") out = log::Level::kWarning;
  if (level == "error") out = log::Level::kError;
}

// What approved algorithms leave no room for is refused here and not at the first request.
void CheckPolicy(TableReader& table, const Config& config) {
  const bool chacha20 = std::ranges::any_of(
      config.groups, [](const GroupConfig& group) { return group.algorithm == "ChaCha20"; });
  const std::pair<bool, const char*> refused[] = {
      {config.allow_legacy_algorithms, "allow_legacy_algorithms"},
      {config.tls.rsa_cbc_suites, "tls.rsa_cbc_suites"},
      {chacha20, "a group of ChaCha20 keys"},
      {!config.credentials.gateways.empty(), "credentials.gateways, whose passwords scrypt keeps"}};
  for (const auto& [given, what] : refused) {
    if (given) {
      table.Complain(*table.At("policy"),
                     std::string("crypto.policy \"fips\" does not go with ") + what);
    }
  }
}

void ReadPolicy(TableReader& table, Config& config) {
  std::string policy = "default";
  table.Choice("policy", policy, {"default", "fips"});
  table.Flag("require_provider", config.crypto_policy.require_provider);
  config.crypto_policy.fips = policy == "fips";
  if (config.crypto_policy.fips) return CheckPolicy(table, config);
  if (config.crypto_policy.require_provider) {
    table.Complain(*table.At("require_provider"),
                   "crypto.require_provider needs crypto.policy = \"fips\"");
  }
}

void ReadCrypto(TableReader& root, Config& config) {
  TableReader table = root.Table("crypto");
  table.Choice("random_generator", config.random_generator, {"drbg", "ansi-x9.31"});
  if (config.random_generator == "ansi-x9.31" && !config.allow_legacy_algorithms) {
    table.Complain(*table.At("random_generator"),
                   "crypto.random_generator \"ansi-x9.31\" needs allow_legacy_algorithms: NIST "
                   "withdrew it");
  }
  ReadPolicy(table, config);
  table.RefuseOthers();
}

// Part of keys in the store, where '/' ends it.
bool IsNodeName(const std::string& name) {
  const bool plain = std::ranges::all_of(name, [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '-' || c == '_';
  });
  return plain && !name.empty() && name.size() <= 64;
}

std::string HostName() {
  char name[65] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || !IsNodeName(name)) return "node";
  return name;
}

void ReadNode(TableReader& root, std::string& node) {
  root.Text("node", node);
  if (root.At("node") == nullptr) {
    node = HostName();
  } else if (!IsNodeName(node)) {
    root.Complain(*root.At("node"), "node must be 1 to 64 letters, digits, '.', '-' or '_'");
  }
}

void ReadRoot(TableReader& root, Config& config) {
  ReadNode(root, config.node);
  root.Number("threads", config.threads, 0, 1024);
  root.Names("administrators", config.administrators);
  root.Flag("allow_legacy_algorithms", config.allow_legacy_algorithms);
  root.Number("secure_heap_bytes", config.secure_heap_bytes, 64 << 10, 1 << 30);
  if (!std::has_single_bit(config.secure_heap_bytes)) {
    root.Complain(*root.At("secure_heap_bytes"), "secure_heap_bytes must be a power of two");
  }
  ReadLevel(root, config.log_level);
  ReadKmip(root.Table("kmip"), config);
  ReadHttps(root.Table("https"), config);
  ReadPkcs11(root.Table("pkcs11"), config.pkcs11);
  ReadTls(root.Table("tls"), config.tls);
  ReadCa(root.Table("ca"), config.ca);
  ReadPrincipals(root, config.principals);
  ReadOidc(root, config.oidc);
  ReadCertify(root.Table("certify"), config.certify);
  ReadHsm(root.Table("hsm"), config.hsm);
  ReadStore(root.Table("store"), config);
  ReadAudit(root.Table("audit"), config);
  ReadGroups(root.Table("groups"), config.groups);
  ReadLimits(root.Table("limits"), config.limits);
  ReadCredentials(root.Table("credentials"), config.credentials);
  ReadCrypto(root, config);  // what other tables say may not go with its policy
  ReadConformance(root.Table("conformance"), config.conformance);
  TableReader process = root.Table("process");
  process.Choice("seccomp", config.process.seccomp, {"on", "log", "off"});
  process.Choice("secret_memory", config.process.secret_memory, {"auto", "off"});
  process.RefuseOthers();
  TableReader push = root.Table("push");
  push.Names("clients", config.push.clients);
  push.Names("put", config.push.put);
  push.RefuseOthers();
  ReadAlarm(root.Table("alarm"), config.alarm);
  ReadRotation(root.Table("rotation"), config.rotation);
  TableReader cache = root.Table("cache");
  cache.Number("entries", config.cache.entries, 0, 10'000'000);
  cache.Number("seconds", config.cache.seconds, 1, 86400);
  cache.Number("fresh_ms", config.cache.fresh_ms, 0, 900);
  cache.Flag("strict", config.cache.strict);
  cache.RefuseOthers();
  root.RefuseOthers();
}

Result<void> RequireKeys(const Config& config) {
  const std::pair<const char*, const std::string*> required[] = {
      {"tls.certificate", &config.tls.certificate_file},
      {"tls.key", &config.tls.key_file},
      {"tls.client_ca", &config.tls.client_ca_file},
      {"hsm.pin", &config.hsm.pin},
      {"audit.folder", &config.audit_folder},
      config.store.backend == "postgresql" ? std::pair{"store.connection", &config.store.connection}
                                           : std::pair{"store.path", &config.store.path},
  };
  for (const auto& [key, value] : required) {
    if (!value->empty()) continue;
    return Error(Code::kInvalidArgument, config.file + ": " + key + " is missing");
  }
  return {};
}

void AnchorPin(std::string& pin, const std::string& folder) {
  if (pin.empty() || pin.starts_with(kCredential) || pin.starts_with('/')) return;
  pin = folder + "/" + pin;
}

void Anchor(Config& config) {
  const std::string folder = FolderOf(config.file);
  std::string* const paths[] = {
      &config.tls.certificate_file,     &config.tls.key_file,        &config.tls.client_ca_file,
      &config.ca.certificate_file,      &config.hsm.softhsm2_conf,   &config.store.path,
      &config.enrolment_path,           &config.credentials_path,    &config.audit_folder,
      &config.certify.certificate_file, &config.tls.crl_issuers_file};
  for (std::string* path : paths) {
    if (!path->empty() && path->front() != '/') *path = folder + "/" + *path;
  }
  for (std::string& path : config.tls.crl_files) {
    if (!path.empty() && path.front() != '/') path = folder + "/" + path;
  }
  for (PrincipalRuleConfig& rule : config.principals) {
    std::string& path = rule.issuer_file;
    if (!path.empty() && path.front() != '/') path = folder + "/" + path;
  }
  for (std::string* path :
       {&config.oidc.jwks_file, &config.oidc.jwks_ca_file, &config.audit.witness_certificate,
        &config.audit.witness_key, &config.audit.witness_ca}) {
    if (!path->empty() && path->front() != '/') *path = folder + "/" + *path;
  }
  AnchorPin(config.hsm.pin, folder);
  AnchorPin(config.store.password, folder);
  for (TokenConfig& token : config.hsm.tokens) AnchorPin(token.pin, folder);
}

}  // namespace

const TokenConfig* HsmConfig::Find(std::string_view token_name) const {
  if (name == token_name) return this;
  const auto found = std::ranges::find(tokens, token_name, &TokenConfig::name);
  return found == tokens.end() ? nullptr : &*found;
}

Result<Config> ParseConfig(std::string_view text, const std::string& path) {
  toml::table parsed;
  try {
    parsed = toml::parse(text, path);
  } catch (const toml::parse_error& e) {
    return Error(Code::kInvalidArgument, path + ":" + std::to_string(e.source().begin.line) + ": " +
                                             std::string(e.description()));
  }
  Config config;
  config.file = path;
  std::optional<Error> mistake;
  TableReader root(&parsed, "", path, mistake);
  ReadRoot(root, config);
  if (mistake) return std::move(*mistake);
  TRY(RequireKeys(config));
  Anchor(config);
  const std::string beside = FolderOf(config.store.path.empty() ? path : config.store.path);
  if (config.enrolment_path.empty()) config.enrolment_path = beside + "/enrolment.db";
  if (config.credentials_path.empty()) config.credentials_path = beside + "/credentials.db";
  return config;
}

Result<Config> LoadConfig(const std::string& path) {
  const Bytes text = TRY(ReadFile(path, kLargestFile));
  return ParseConfig(AsText(text), path);
}

namespace {

// `what` it is, for messages: "PIN".
Result<SecretBytes> LoadSecret(const std::string& where, const std::string& what) {
  std::string path = where;
  if (path.starts_with(kCredential)) {
    const std::string name = path.substr(kCredential.size());
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr) {
      return Error(Code::kNotFound, "the " + what + " is the credential '" + name +
                                        "', but systemd passed none ($CREDENTIALS_DIRECTORY)");
    }
    if (name.empty() || name.find('/') != std::string::npos) {
      return Error(Code::kInvalidArgument, "'" + name + "' is not the name of a credential");
    }
    path = std::string(folder) + "/" + name;
  }
  SecretBytes secret = TRY(ReadSecretFile(path, true, 256));
  if (secret.empty()) {
    return Error(Code::kInvalidArgument, path + " is empty, but should hold a " + what);
  }
  return secret;
}

}  // namespace

Result<SecretBytes> LoadPin(const TokenConfig& token) { return LoadSecret(token.pin, "PIN"); }

Result<SecretBytes> LoadPassword(const StoreConfig& store) {
  return LoadSecret(store.password, "password");
}

}  // namespace dare::server
