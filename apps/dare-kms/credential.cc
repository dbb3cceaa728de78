#include "kmip/credential.h"

#include <iostream>
#include <utility>

#include "base/clock.h"
#include "base/file.h"
#include "commands.h"
#include "crypto/password_verifier.h"
#include "records.h"
#include "server/config.h"

namespace dare::kms {
namespace {

constexpr std::size_t kMostSecretBytes = 1024;
constexpr std::size_t kLeastPasswordBytes = 8;

// From a private file, or one line of standard input ("-").
Result<SecretBytes> ReadSecret(const std::string& path) {
  if (path != "-") return ReadSecretFile(path, true, kMostSecretBytes);
  WipingBytes line;
  for (int c = std::cin.get(); c != EOF && c != '\n'; c = std::cin.get()) {
    if (line.size() == kMostSecretBytes) return Error(Code::kTooLarge, "the password is too long");
    line.push_back(static_cast<std::uint8_t>(c));
  }
  return SecretBytes::CopyOf(line);
}

std::optional<std::string_view> Given(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

// The user, or the name that a device's fields make.
Result<std::string> LoginOf(const CredentialOptions& options) {
  const kmip::DeviceCredential device{.serial_number = Given(options.serial_number),
                                      .password = {},
                                      .device = Given(options.device),
                                      .network = Given(options.network),
                                      .machine = Given(options.machine),
                                      .media = Given(options.media)};
  const std::string name = device.Name();
  if (name.empty() == options.user.empty()) {
    return Error(Code::kInvalidArgument, "give --user, or the fields that a device shows");
  }
  return name.empty() ? options.user : name;
}

Result<RecordsWithKeys> Open(const std::string& path) {
  return OpenRecordsForVerb(TRY(server::LoadConfig(path)));
}

}  // namespace

Result<void> CredentialAdd(const CredentialOptions& options) {
  const std::string login = TRY(LoginOf(options));
  if (options.user.empty() && options.principal.empty()) {
    return Error(Code::kInvalidArgument, "a device needs --principal: who it is to the policy");
  }
  RecordsWithKeys opened = TRY(Open(options.config));
  const SecretBytes password = TRY(ReadSecret(options.password_file));
  if (password.size() < kLeastPasswordBytes) {
    return Error(Code::kInvalidArgument, "a password has 8 bytes or more");
  }
  SecretBytes one_time_secret;
  if (!options.one_time_secret_file.empty()) {
    one_time_secret = TRY(ReadSecret(options.one_time_secret_file));
  }
  const crypto::PasswordVerifier verifier =
      TRY(crypto::MakePasswordVerifier(login, password.Reveal(), one_time_secret.Reveal()));
  server::StoredCredential credential;
  credential.login = login;
  credential.principal = options.principal.empty() ? login : options.principal;
  credential.groups = options.groups;
  credential.verifier = verifier.Serialize();
  TRY(opened.records.credentials().Put(credential));
  std::cout << "added " << login << " as " << credential.principal << std::endl;
  return {};
}

Result<void> CredentialList(const std::string& config) {
  RecordsWithKeys opened = TRY(Open(config));
  for (const server::StoredCredential& one : TRY(opened.records.credentials().List())) {
    std::cout << one.login << "\t" << one.principal;
    for (const std::string& group : one.groups) std::cout << "\t" << group;
    std::cout << "\n";
  }
  std::cout.flush();
  return {};
}

Result<void> CredentialRemove(const CredentialOptions& options) {
  const std::string login = TRY(LoginOf(options));
  RecordsWithKeys opened = TRY(Open(options.config));
  if (!TRY(opened.records.credentials().Remove(login))) {
    return Error(Code::kNotFound, "there is no credential of '" + login + "'");
  }
  std::cout << "removed " << login << std::endl;
  return {};
}

}  // namespace dare::kms
