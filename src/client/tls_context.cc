#include "client/tls_context.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>

#include "base/file.h"
#include "crypto/fips_policy.h"

namespace dare::client {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(SSL* connection) const { SSL_free(connection); }
};

// Our own TlsContext, from a connection.
int ContextIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// KMIP's suites for TLS 1.2, ephemeral and authenticated only (kmip-profiles-2.1 3.2.2).
constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";

// Nobody types a pass phrase for a service: an encrypted key is refused instead of asked for.
int NoPassphrase(char*, int, int, void*) { return -1; }

Result<void> UseKey(SSL_CTX* context, const std::string& path) {
  auto pem = ReadSecretFile(path);
  // Nothing was denied by a policy of the key server: it is a file of this machine.
  if (!pem && pem.error().code == Code::kDenied) {
    return Error(Code::kIo, pem.error().message, EACCES);
  }
  if (!pem) return pem.error();
  const std::unique_ptr<BIO, Free> bio(
      BIO_new_mem_buf(pem->Reveal().data(), static_cast<int>(pem->size())));
  const std::unique_ptr<EVP_PKEY, Free> key(
      bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr) : nullptr);
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return Error(Code::kInvalidArgument,
                 path + " is no private key for our certificate: " + TakeTlsError());
  }
  return {};
}

Result<void> UseFiles(SSL_CTX* context, const Config& config) {
  TRY(ReadFile(config.ca_file));  // for an error that names the cause
  TRY(ReadFile(config.certificate_file));
  if (SSL_CTX_load_verify_file(context, config.ca_file.c_str()) != 1) {
    return Error(Code::kInvalidArgument,
                 config.ca_file + " holds no CA certificate: " + TakeTlsError());
  }
  if (SSL_CTX_use_certificate_chain_file(context, config.certificate_file.c_str()) != 1) {
    return Error(Code::kInvalidArgument,
                 config.certificate_file + " holds no certificate: " + TakeTlsError());
  }
  return UseKey(context, config.key_file);
}

bool IsAddress(const std::string& host) {
  unsigned char buffer[16];
  return ::inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

}  // namespace

std::string TakeTlsError() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

Result<std::shared_ptr<TlsContext>> TlsContext::Create(const Config& config) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return Error(Code::kExhausted, "no TLS context: " + TakeTlsError());
  const std::shared_ptr<TlsContext> owner(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kSuites12);
  if (crypto::ConfinedToFips() &&
      (SSL_CTX_set_ciphersuites(context, crypto::kApprovedTls13Suites) != 1 ||
       SSL_CTX_set1_groups_list(context, crypto::kApprovedTlsGroups) != 1)) {
    return Error(Code::kUnsupported, "cannot set the TLS suites: " + TakeTlsError());
  }
  // Answers hold keys: OpenSSL shall not keep a copy of what we have read.
  SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, &TlsContext::KeepSession);
  SSL_CTX_set_ex_data(context, ContextIndex(), owner.get());
  TRY(UseFiles(context, config));
  return owner;
}

TlsContext::~TlsContext() {
  for (auto& [endpoint, session] : sessions_) SSL_SESSION_free(session);
  SSL_CTX_free(context_);
}

Result<SSL*> TlsContext::NewConnection(const Endpoint& endpoint) {
  std::unique_ptr<SSL, Free> connection(SSL_new(context_));
  if (!connection) return Error(Code::kExhausted, "no TLS connection: " + TakeTlsError());
  X509_VERIFY_PARAM* verify = SSL_get0_param(connection.get());
  X509_VERIFY_PARAM_set_purpose(verify, X509_PURPOSE_SSL_SERVER);
  bool named = false;
  if (IsAddress(endpoint.host)) {
    named = X509_VERIFY_PARAM_set1_ip_asc(verify, endpoint.host.c_str()) == 1;
  } else {
    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    named = X509_VERIFY_PARAM_set1_host(verify, endpoint.host.c_str(), 0) == 1 &&
            SSL_set_tlsext_host_name(connection.get(), endpoint.host.c_str()) == 1;
  }
  if (!named) {
    return Error(Code::kInvalidArgument, endpoint.host + " is no host name: " + TakeTlsError());
  }
  // So that KeepSession knows whose session it gets.
  SSL_set_app_data(connection.get(), const_cast<Endpoint*>(&endpoint));
  MutexLock lock(mutex_);
  const auto session = sessions_.find(endpoint.ToString());
  if (session != sessions_.end()) SSL_set_session(connection.get(), session->second);
  return connection.release();
}

int TlsContext::KeepSession(SSL* connection, SSL_SESSION* session) noexcept {
  auto* self =
      static_cast<TlsContext*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), ContextIndex()));
  const auto* endpoint = static_cast<const Endpoint*>(SSL_get_app_data(connection));
  if (self == nullptr || endpoint == nullptr) return 0;
  try {
    MutexLock lock(self->mutex_);
    SSL_SESSION*& kept = self->sessions_[endpoint->ToString()];
    SSL_SESSION_free(kept);
    kept = session;
  } catch (...) {
    return 0;  // no memory: this session is not resumed
  }
  return 1;  // ours now
}

}  // namespace dare::client
