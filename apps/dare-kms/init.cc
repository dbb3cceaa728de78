#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "audit/checkpoint.h"
#include "base/file.h"
#include "commands.h"
#include "hsm/master_key.h"
#include "hsm/signing_key.h"
#include "hsm/token_profile.h"
#include "hsm/token_sealer.h"
#include "hsm/token_setup.h"
#include "process.h"
#include "server/ca.h"
#include "server/config.h"
#include "server/sqlite_enrolment_store.h"
#include "token.h"

namespace dare::kms {
namespace {

constexpr std::int64_t kRootDays = 3650;
constexpr mode_t kPrivate = 0600;
constexpr mode_t kPublic = 0644;

// Where everything goes.
struct Places {
  std::string config;
  std::string data;
  std::string At(const std::string& name) const { return data + "/" + name; }
};

Result<Places> Choose(const InitOptions& options) {
  Places places;
  if (options.folder.empty()) {
    places.config = kDefaultConfig;
    places.data = "/var/lib/dare";
  } else {
    std::string folder = options.folder;
    if (folder.front() != '/') {
      char* const here = ::get_current_dir_name();
      if (here == nullptr) return IoError("cannot tell the current folder", errno);
      folder = std::string(here) + "/" + folder;
      ::free(here);
    }
    while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
    places.config = folder + "/kms.toml";
    places.data = folder;
  }
  return places;
}

// Nothing is ever overwritten: what is there may be somebody's only key.
Result<void> RefuseExisting(const Places& places) {
  for (const std::string& path : {places.config, places.At("ca.pem"), places.At("server.key"),
                                  places.At("kms.db"), places.At("hsm-pin"), places.At("tokens")}) {
    if (!FileExists(path)) continue;
    return Error(Code::kAlreadyExists,
                 path +
                     " exists; nothing was changed. Choose another folder with --dir, or remove "
                     "what is there if you are sure that no data depends on it");
  }
  return {};
}

Result<void> MakePrivateFolder(const std::string& path) {
  const bool there = FileExists(path);
  TRY(MakeFolders(path, 0700));
  if (!there) return {};
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return IoError("cannot look at " + path, errno);
  if ((status.st_mode & 022) != 0) {
    return Error(Code::kDenied, "others may write to " + path + "; chmod 700 it");
  }
  return {};
}

Result<SecretBytes> NewPin() {
  const SecretBytes random = TRY(SecretBytes::Random(16));
  std::string hex = ToHex(random.Reveal());
  auto pin = SecretBytes::CopyOf(AsBytes(hex));
  Wipe({reinterpret_cast<std::uint8_t*>(hex.data()), hex.size()});
  return pin;
}

// A SoftHSM2 token in a folder of ours, with PINs that no person needs to know.
Result<void> MakeSoftToken(const Places& places, const server::HsmConfig& hsm) {
  TRY(MakePrivateFolder(places.At("tokens")));
  const std::string conf = "directories.tokendir = " + places.At("tokens") +
                           "\nobjectstore.backend = file\nlog.level = ERROR\n";
  TRY(WriteFileDurably(hsm.softhsm2_conf, AsBytes(conf), kPrivate, false));
  SecretBytes officer_pin = TRY(NewPin());
  SecretBytes user_pin = TRY(NewPin());
  hsm::TokenPins pins{std::move(officer_pin), std::move(user_pin)};
  TRY(WriteFileDurably(hsm.pin, pins.user.Reveal(), kPrivate, false));
  TRY(WriteFileDurably(places.At("hsm-so-pin"), pins.security_officer.Reveal(), kPrivate, false));
  auto module = TRY(LoadModule(hsm, hsm.softhsm2_conf));
  TRY(hsm::InitialiseToken(*module, hsm.token_label, pins));
  return {};
}

Result<void> MakeCertificates(const Places& places, const InitOptions& options,
                              hsm::SigningKey& ca_key) {
  const server::DigestSigner sign = [&](ByteView digest) { return ca_key.Sign(digest); };
  server::Certificate root = TRY(server::CertificateAuthority::MakeRoot(
      "OpenDaRE CA", ca_key.PublicKeyDer(), kRootDays, sign));
  TRY(WriteFileDurably(places.At("ca.pem"), AsBytes(server::ToPem(root)), kPublic, false));
  auto authority = TRY(server::CertificateAuthority::Open(std::move(root), sign));
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
  for (const std::string& name : options.server_names) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  const server::NewKey key = TRY(server::MakeP256Key());
  const server::Certificate certificate =
      TRY(authority.IssueServer(names, key.public_der, kServerCertificateDays));
  TRY(WriteFileDurably(places.At("server.key"), key.private_pem.Reveal(), kPrivate, false));
  TRY(WriteFileDurably(places.At("server.pem"), AsBytes(server::ToPem(certificate)), kPublic,
                       false));
  return {};
}

// TOML basic string.
std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string ConfigText(const Places& places, const InitOptions& options,
                       const server::HsmConfig& hsm) {
  std::string administrators;
  for (const std::string& name : options.administrators) {
    administrators += (administrators.empty() ? "" : ", ") + Quoted(name);
  }
  std::string text =
      "# Written by dare-kms init. Every key is described in kms.toml(5).\n"
      "administrators = [" +
      administrators +
      "]\n\n"
      "[kmip]\naddress = " +
      Quoted(options.address) + "\nport = " + std::to_string(options.kmip_port) +
      "\n\n"
      "[https]\naddress = " +
      Quoted(options.address) + "\nport = " + std::to_string(options.https_port) +
      "\n\n"
      "[tls]\ncertificate = " +
      Quoted(places.At("server.pem")) + "\nkey = " + Quoted(places.At("server.key")) +
      "\nclient_ca = " + Quoted(places.At("ca.pem")) +
      "\n\n"
      "[ca]\ncertificate = " +
      Quoted(places.At("ca.pem")) +
      "\n\n"
      "[hsm]\nmodule = " +
      Quoted(hsm.module) + "\ntoken_label = " + Quoted(hsm.token_label) +
      "\npin = " + Quoted(hsm.pin) + "\n";
  if (hsm.sealing != "direct") text += "sealing = " + Quoted(hsm.sealing) + "\n";
  if (!hsm.init_args.empty()) text += "init_args = " + Quoted(hsm.init_args) + "\n";
  if (!hsm.softhsm2_conf.empty()) text += "softhsm2_conf = " + Quoted(hsm.softhsm2_conf) + "\n";
  text += "\n[store]\npath = " + Quoted(places.At("kms.db")) +
          "\n\n[audit]\nfolder = " + Quoted(places.At("audit")) + "\n";
  return text;
}

void Report(const Places& places, const server::HsmConfig& hsm, const hsm::MasterKey* mek) {
  const auto line = [](const std::string& what, const std::string& where) {
    std::cout << "  " << what << std::string(what.size() < 22 ? 22 - what.size() : 1, ' ') << where
              << "\n";
  };
  std::cout << "made:\n";
  if (mek != nullptr) {
    line("master key (MEK)", "'" + mek->info().label + "' in token '" + hsm.token_label +
                                 "', never leaves it (check value " +
                                 ToHex(mek->info().check_value) + ")");
  }
  line("audit and CA keys", "'" + hsm.audit_key_label + "', 'dare-ca' in the same token");
  line("audit public key", places.At("audit") + "/audit.pub");
  line("CA certificate", places.At("ca.pem"));
  line("server certificate", places.At("server.pem"));
  line("server key", places.At("server.key"));
  line("HSM PIN", hsm.pin);
  line("enrolment records", places.At("enrolment.db"));
  line("configuration", places.config);
  std::cout << "next:\n  dare-kms serve --config " << places.config
            << "\n  dare-kms enroll-token --config " << places.config << " --name NAME"
            << std::endl;
}

}  // namespace

Result<void> Init(const InitOptions& options) {
  TRY(HardenProcess(1u << 18, {}));
  const Places places = TRY(Choose(options));
  server::HsmConfig hsm;
  hsm.token_label = options.token_label;
  hsm.sealing = options.sealing;
  const bool ceremony = options.origin == "ceremony";
  if (ceremony && options.sealing == "root") {
    return Error(Code::kInvalidArgument,
                 "a ceremony is for --sealing direct; under a root key each HSM makes its own MEK, "
                 "and dare-kms hsm backup splits the root key");
  }
  if (ceremony &&
      (options.quorum.threshold < 2 || options.quorum.threshold > options.quorum.shares)) {
    return Error(Code::kInvalidArgument,
                 "a ceremony needs --shares, and --threshold from 2 to their number");
  }
  const bool own_token = options.module.empty();
  if (own_token) {
    hsm.pin = places.At("hsm-pin");
    hsm.softhsm2_conf = places.At("softhsm2.conf");
  } else {
    hsm.module = options.module;
    hsm.init_args = options.init_args;
    hsm.pin = options.pin_file;
    if (hsm.pin.empty()) {
      return Error(Code::kInvalidArgument, "--module needs --pin-file with the token's user PIN");
    }
  }
  TRY(RefuseExisting(places));
  TRY(MakePrivateFolder(places.data));
  TRY(MakeFolders(FolderOf(places.config), 0755));
  if (own_token) TRY(MakeSoftToken(places, hsm));
  auto pool = TRY(OpenToken(hsm));
  std::shared_ptr<hsm::MasterKey> mek;
  if (!ceremony) {
    const hsm::SealingMechanism best = TRY(hsm::ChooseMechanism(*pool));
    mek = TRY(hsm::MasterKey::Create(pool, hsm.mek_label, best));
    TRY(hsm::OpenTokenSealer(mek));  // proves that the token can seal with it
  }
  const auto audit_key = TRY(hsm::SigningKey::CreateBest(pool, hsm.audit_key_label));
  auto ca_key = TRY(hsm::SigningKey::CreateBest(pool, server::CaConfig().key_label));
  TRY(MakeCertificates(places, options, *ca_key));
  TRY(MakePrivateFolder(places.At("audit")));
  TRY(audit::WritePublicKey(places.At("audit"), audit_key->PublicKeyDer()));
  TRY(server::SqliteEnrolmentStore::Open(places.At("enrolment.db")));
  // Last: with the configuration there, everything is.
  TRY(WriteFileDurably(places.config, AsBytes(ConfigText(places, options, hsm)), kPrivate, false));
  Report(places, hsm, mek.get());
  if (!ceremony) return {};
  return HsmInit({places.config, "ceremony", options.quorum});
}

}  // namespace dare::kms
