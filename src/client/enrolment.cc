#include "client/enrolment.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <string_view>

#include "base/file.h"
#include "client/certificate_request.h"
#include "client/est_client.h"

namespace dare::client {
namespace {

constexpr std::string_view kScheme = "https://";

std::string HostName() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "dare-client";
  return std::string(name).substr(0, 64);  // RFC 5280, ub-common-name
}

// "HOST", "HOST:PORT" or "https://HOST[:PORT][/]"; gives the URL and the host in it.
struct ServerUrl {
  std::string url;
  Endpoint endpoint;
};
Result<ServerUrl> ParseUrl(std::string_view text) {
  constexpr std::uint16_t kEnrolmentPort = 5697;
  if (text.starts_with(kScheme)) {
    text.remove_prefix(kScheme.size());
  } else if (text.find("://") != std::string_view::npos) {
    return Error(Code::kInvalidArgument, "enrolment goes over https:// only");
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  ServerUrl server;
  server.endpoint = TRY(ParseEndpoint(text));
  const bool has_port = text.back() != ']' && text.rfind(':') != std::string_view::npos;
  if (!has_port) server.endpoint.port = kEnrolmentPort;
  server.url = std::string(kScheme) + server.endpoint.ToString();
  return server;
}

// Hex in one case, without the colons OpenSSL prints.
Result<std::string> PlainFingerprint(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != ':') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (plain.starts_with("sha256")) plain.erase(0, 6);
  const auto bytes = FromHex(plain);
  if (!bytes || bytes->size() != 32) {
    return Error(Code::kInvalidArgument, "a CA fingerprint is a SHA-256 in hex, 64 digits");
  }
  return plain;
}

// The CA that may vouch for the server. With a fingerprint it is asked for over a connection that
// nobody vouches for yet; the fingerprint decides (RFC 7030, 4.1.1).
Result<std::string> FindCa(const EnrolmentOptions& options, const std::string& url) {
  if (options.ca_file.empty() == options.ca_fingerprint.empty()) {
    return Error(Code::kInvalidArgument, "needs either a CA file or a CA fingerprint");
  }
  if (!options.ca_file.empty()) return std::string(AsText(TRY(ReadFile(options.ca_file))));
  const std::string wanted = TRY(PlainFingerprint(options.ca_fingerprint));
  const EstServer server{.url = url, .ca_pem = {}};
  for (const std::string& pem : TRY(FetchCaCertificates(server, /*trusted=*/false))) {
    if (TRY(FingerprintOf(pem)) == wanted) return pem;
  }
  return Error(Code::kUnauthenticated, url + ": its CA is not the one of the fingerprint");
}

Result<Enrolled> Describe(const std::string& config_file, const std::string& certificate) {
  const CertificateFacts facts = TRY(ReadCertificate(certificate));
  return Enrolled{
      .config_file = config_file, .name = facts.common_name, .not_after = facts.not_after};
}

}  // namespace

Result<Enrolled> EnrolMachine(const EnrolmentOptions& options, const SecretBytes& token) {
  const std::string folder = options.folder.empty() ? "." : options.folder;
  Config config;
  config.path = folder + "/client.toml";
  if (FileExists(config.path) && !options.replace) {
    return Error(Code::kAlreadyExists, "this machine is enrolled already: " + config.path);
  }
  config.crypto_policy = TRY(LoadPolicy(config.path));  // an enrolment does not change it
  const ServerUrl url = TRY(ParseUrl(options.url));
  TRY(MakeFolders(folder));
  if (::access(folder.c_str(), W_OK) != 0) {  // before the token is used up
    return IoError("cannot write to " + folder, errno);
  }
  std::string ca_pem = TRY(FindCa(options, url.url));
  const EstServer server{.url = url.url, .ca_pem = std::move(ca_pem)};
  const CertificateRequest request = TRY(NewCertificateRequest(HostName()));
  const std::string certificate = TRY(Enrol(server, token, request.der));
  if (!CertificateFitsKey(certificate, request.private_pem)) {
    return Error(Code::kRejected, "the server certified another key than ours");
  }
  config.servers = options.servers;
  if (config.servers.empty()) config.servers.push_back({url.endpoint.host, kKmipPort});
  config.ca_file = "ca.crt";
  config.certificate_file = "client.crt";
  config.key_file = "client.key";
  config.enrolment_url = url.url;
  config.default_key = options.default_key;

  TRY(WriteFileDurably(folder + "/client.key", request.private_pem.Reveal(), 0600));
  TRY(WriteFileDurably(folder + "/client.crt", AsBytes(certificate), 0644));
  TRY(WriteFileDurably(folder + "/ca.crt", AsBytes(server.ca_pem), 0644));
  TRY(WriteFileDurably(config.path, AsBytes(WriteConfig(config)), 0644));
  return Describe(config.path, certificate);
}

Result<Enrolled> RenewMachine(const Config& config) {
  if (config.enrolment_url.empty()) {
    return Error(Code::kInvalidArgument, config.path + " names no enrolment_url");
  }
  const Bytes old_certificate = TRY(ReadFile(config.certificate_file));
  const Bytes ca = TRY(ReadFile(config.ca_file));
  const CertificateFacts old_facts = TRY(ReadCertificate(AsText(old_certificate)));
  SecretBytes private_pem = TRY(ReadSecretFile(config.key_file));
  const CertificateRequest request =
      TRY(RequestForKey(std::move(private_pem), old_facts.common_name));
  const EstServer server{.url = config.enrolment_url,
                         .ca_pem = std::string(AsText(ca)),
                         .timeout = config.request_timeout};
  const EstIdentity identity{.certificate_pem = std::string(AsText(old_certificate)),
                             .private_pem = &request.private_pem};
  const std::string certificate = TRY(Reenrol(server, identity, request.der));
  if (!CertificateFitsKey(certificate, request.private_pem)) {
    return Error(Code::kRejected, "the server certified another key than ours");
  }
  TRY(WriteFileDurably(config.certificate_file, AsBytes(certificate), 0644));
  return Describe(config.path, certificate);
}

}  // namespace dare::client
