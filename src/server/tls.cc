#include "server/tls.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <utility>

#include "crypto/fips_policy.h"
#include "crypto/x509.h"
#include "server/client_verification.h"
#include "server/ticket_keys.h"

namespace dare::server {

struct TlsState {
  TlsState(const TlsOptions& options, const Revocation* revocation, const Clock& clock)
      : verification(revocation, clock, options.principals, options.authorities),
        ticket_keys(options.ticket_seconds, clock) {}
  ~TlsState() { SSL_CTX_free(context); }
  TlsState(const TlsState&) = delete;
  TlsState& operator=(const TlsState&) = delete;

  SSL_CTX* context = nullptr;
  bool require_client_certificate = true;
  ClientVerification verification;
  TicketKeys ticket_keys;
};

namespace {

// kmip profiles 2.0 and 2.1, basic authentication suite; TLS 1.2 with forward secrecy.
constexpr char kTls13Suites[] =
    "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
constexpr char kTls12Suites[] =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
// kmip profiles 1.0 to 1.4, TLS 1.2 authentication suite: no forward secrecy, by configuration
// only.
constexpr char kRsaCbcSuites[] = ":AES256-SHA256:AES128-SHA256";

// RFC 5077, section 4, with OpenSSL's shape of it: 1 use, 2 use and renew, 0 no such key, -1 error.
int SealTicket(TlsState& state, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
               EVP_MAC_CTX* mac, bool sealing) {
  int outcome = -1;
  const auto use = [&](const TicketKey& key, bool newest) -> Result<void> {
    const ByteView secret = key.mac_key.Reveal();
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
                                          const_cast<std::uint8_t*>(secret.data()), secret.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    const bool done = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr,
                                        key.cipher_key.Reveal().data(), iv, sealing ? 1 : 0) == 1 &&
                      EVP_MAC_CTX_set_params(mac, params) == 1;
    if (done) outcome = newest ? 1 : 2;
    return {};
  };
  if (sealing) {
    const auto sealed = state.ticket_keys.ForSealing([&](const TicketKey& key) -> Result<void> {
      std::copy(key.name.begin(), key.name.end(), name);
      if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) {
        return Error(Code::kUnavailable, "the random generator failed");
      }
      return use(key, true);
    });
    return sealed ? outcome : -1;
  }
  const auto opened = state.ticket_keys.ForOpening({name, 16}, use);
  if (!opened) return opened.error().code == Code::kNotFound ? 0 : -1;
  return outcome;
}

// Who a connection's certificate is, from its verification until the handshake is done.
using KeptIdentity = std::shared_ptr<const VerifiedClient>;

int IdentityIndex() {
  static const int index =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr,
                           [](void*, void* kept, CRYPTO_EX_DATA*, int, long, void*) noexcept {
                             delete static_cast<KeptIdentity*>(kept);
                           });
  return index;
}

bool KeepIdentity(SSL* ssl, const KeptIdentity& who) {
  if (auto* kept = static_cast<KeptIdentity*>(SSL_get_ex_data(ssl, IdentityIndex()))) {
    *kept = who;
    return true;
  }
  auto kept = std::make_unique<KeptIdentity>(who);
  if (SSL_set_ex_data(ssl, IdentityIndex(), kept.get()) != 1) return false;
  kept.release();
  return true;
}

SSL* SslOf(X509_STORE_CTX* store) {
  return static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
}

// A ticket says who the peer was; whether it is still welcome is decided anew. Ignoring the ticket
// leads to a full handshake, whose verification finds the reason and sends its alert.
SSL_TICKET_RETURN JudgeTicket(const TlsState& state, SSL* ssl, const SSL_SESSION* session,
                              SSL_TICKET_STATUS status) {
  switch (status) {
    case SSL_TICKET_EMPTY:
    case SSL_TICKET_NO_DECRYPT:
      return SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_SUCCESS:
    case SSL_TICKET_SUCCESS_RENEW:
      break;
    default:
      return SSL_TICKET_RETURN_IGNORE;
  }
  const X509* peer = SSL_SESSION_get0_peer(const_cast<SSL_SESSION*>(session));
  bool good = peer == nullptr && !state.require_client_certificate;
  if (peer != nullptr) {
    const KeptIdentity who = state.verification.StillGood(peer);
    good = who != nullptr && KeepIdentity(ssl, who);
  }
  if (!good) return SSL_TICKET_RETURN_IGNORE_RENEW;
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

int OnTicketKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                EVP_MAC_CTX* mac, int sealing) noexcept {
  auto* state = static_cast<TlsState*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  return SealTicket(*state, name, iv, cipher, mac, sealing == 1);
}

// OpenSSL forgets a client certificate it refused; the audit log wants its names.
int RejectedIndex() {
  static const int index =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr,
                           [](void*, void* certificate, CRYPTO_EX_DATA*, int, long,
                              void*) noexcept { X509_free(static_cast<X509*>(certificate)); });
  return index;
}

void KeepRejected(X509_STORE_CTX* store) {
  SSL* ssl = SslOf(store);
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  if (ssl == nullptr || leaf == nullptr) return;
  if (SSL_get_ex_data(ssl, RejectedIndex()) != nullptr) return;
  X509_up_ref(leaf);
  if (SSL_set_ex_data(ssl, RejectedIndex(), leaf) != 1) X509_free(leaf);
}

Error TlsError(std::string_view what) {
  return Error(Code::kInvalidArgument, std::string(what) + ": " + crypto::TakeOpenSslError());
}

Result<void> LoadCredentials(SSL_CTX* context, const TlsOptions& options) {
  struct stat status {};
  if (::stat(options.key_file.c_str(), &status) != 0) {
    return IoError("cannot open " + options.key_file, errno);
  }
  if ((status.st_mode & 077) != 0) {
    return Error(Code::kDenied, options.key_file +
                                    " is a private key but group or others may access it; "
                                    "chmod 600 it");
  }
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
    return TlsError("cannot use the certificate " + options.certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return TlsError("cannot use the key " + options.key_file);
  }
  if (SSL_CTX_load_verify_file(context, options.client_ca_file.c_str()) != 1) {
    return TlsError("cannot use the certificate authority " + options.client_ca_file);
  }
  // Each authority in the file is trusted for itself: an intermediate one without what is above it.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(options.client_ca_file.c_str());
  if (names == nullptr) return TlsError("cannot read " + options.client_ca_file);
  SSL_CTX_set_client_CA_list(context, names);
  return {};
}

Result<void> SetProtocol(SSL_CTX* context, const TlsOptions& options) {
  const bool fips = crypto::ConfinedToFips();
  std::string suites = kTls12Suites;
  if (options.rsa_cbc_suites) suites += kRsaCbcSuites;
  const bool done =
      SSL_CTX_set_min_proto_version(context,
                                    options.allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_ciphersuites(context, fips ? crypto::kApprovedTls13Suites : kTls13Suites) == 1 &&
      SSL_CTX_set_cipher_list(context, suites.c_str()) == 1 &&
      SSL_CTX_set1_groups_list(context, fips ? crypto::kApprovedTlsGroups : "X25519:P-256:P-384") ==
          1;
  if (!done) return TlsError("cannot set the TLS suites");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_CLEANSE_PLAINTEXT);
  // Buffers are given back at once, until a connection is busy (Connection::NoteMessage); reading
  // ahead takes a record's head and body in one system call.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  return {};
}

}  // namespace

std::string_view HandshakeFailureName(HandshakeFailure failure) {
  switch (failure) {
    case HandshakeFailure::kNoCertificate:
      return "no client certificate";
    case HandshakeFailure::kUnknownAuthority:
      return "certificate of an unknown authority";
    case HandshakeFailure::kExpired:
      return "certificate expired or not yet valid";
    case HandshakeFailure::kRevoked:
      return "certificate revoked";
    case HandshakeFailure::kLockedOut:
      return "locked out";
    case HandshakeFailure::kNamesNobody:
      return "certificate of nobody";
    case HandshakeFailure::kNotKnown:
      return "whether the certificate is revoked is not known";
    case HandshakeFailure::kBadCertificate:
      return "bad certificate";
    case HandshakeFailure::kProtocol:
      return "no TLS handshake";
  }
  return "no TLS handshake";
}

void SslFree::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsContext::TlsContext(std::unique_ptr<TlsState> state, const Revocation* revocation,
                       const Clock& clock)
    : state_(std::move(state)), revocation_(revocation), clock_(clock) {}

TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::Make(const TlsOptions& options,
                                                     const Revocation* revocation,
                                                     const Clock& clock) {
  auto state = std::make_unique<TlsState>(options, revocation, clock);
  state->require_client_certificate = options.require_client_certificate;
  state->context = SSL_CTX_new(TLS_server_method());
  SSL_CTX* context = state->context;
  if (context == nullptr) return TlsError("cannot make a TLS context");
  TRY(SetProtocol(context, options));
  TRY(LoadCredentials(context, options));
  SSL_CTX_set_app_data(context, state.get());
  SSL_CTX_set_verify(
      context,
      SSL_VERIFY_PEER | (options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
      nullptr);
  SSL_CTX_set_cert_verify_callback(
      context,
      [](X509_STORE_CTX* store, void* argument) noexcept {
        KeptIdentity who;
        const int good = static_cast<TlsState*>(argument)->verification.Verify(store, who);
        if (good != 1) KeepRejected(store);
        return good == 1 && KeepIdentity(SslOf(store), who) ? 1 : 0;
      },
      state.get());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(
      context, reinterpret_cast<const unsigned char*>(options.session_context.data()),
      static_cast<unsigned int>(options.session_context.size()));
  SSL_CTX_set_timeout(context, options.ticket_seconds);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &OnTicketKey);
  SSL_CTX_set_session_ticket_cb(
      context, nullptr,
      [](SSL* ssl, SSL_SESSION* session, const unsigned char*, std::size_t,
         SSL_TICKET_STATUS status, void* argument) noexcept {
        return JudgeTicket(*static_cast<TlsState*>(argument), ssl, session, status);
      },
      state.get());
  return std::unique_ptr<TlsContext>(new TlsContext(std::move(state), revocation, clock));
}

Result<SslPtr> TlsContext::NewSession(int fd) const {
  SslPtr ssl(SSL_new(state_->context));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), fd) != 1) {
    return Error(Code::kExhausted, "cannot make a TLS session: " + crypto::TakeOpenSslError());
  }
  SSL_set_accept_state(ssl.get());
  return ssl;
}

namespace {

void Describe(const X509* certificate, Peer& peer) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  peer.common_name = crypto::ProvenName(subject);
  peer.units = crypto::NameEntries(subject, NID_organizationalUnitName);
  peer.serial = crypto::SerialOf(certificate);
  peer.not_after = crypto::ToUnixTime(X509_get0_notAfter(certificate));
  if (const auto digest = crypto::FingerprintOf(certificate)) peer.fingerprint = ToHex(*digest);
}

}  // namespace

Result<Peer> TlsContext::PeerOf(ssl_st* ssl) {
  Peer peer;
  peer.protocol = SSL_get_version(ssl);
  peer.cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl));
  peer.resumed = SSL_session_reused(ssl) == 1;
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return peer;
  if (SSL_get_verify_result(ssl) != X509_V_OK) {
    return Error(Code::kUnauthenticated, "the client certificate was not verified");
  }
  const auto* who = static_cast<const KeptIdentity*>(SSL_get_ex_data(ssl, IdentityIndex()));
  if (who == nullptr || *who == nullptr) {
    return Error(Code::kUnauthenticated, "the client certificate was not verified");
  }
  Describe(certificate, peer);
  peer.common_name = (*who)->identity.name;
  peer.units = (*who)->identity.units;
  peer.chain = (*who)->chain;
  return peer;
}

HandshakeFailure TlsContext::FailureOf(ssl_st* ssl, Peer& who) {
  const auto* rejected = static_cast<const X509*>(SSL_get_ex_data(ssl, RejectedIndex()));
  if (rejected != nullptr) Describe(rejected, who);
  const unsigned long code = ERR_peek_error();
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return HandshakeFailure::kProtocol;
  if (ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    return HandshakeFailure::kNoCertificate;
  }
  if (ERR_GET_REASON(code) != SSL_R_CERTIFICATE_VERIFY_FAILED) return HandshakeFailure::kProtocol;
  switch (SSL_get_verify_result(ssl)) {
    case X509_V_ERR_CERT_REVOKED:
      return HandshakeFailure::kRevoked;
    case X509_V_ERR_CERT_REJECTED:
      return HandshakeFailure::kLockedOut;
    case ClientVerification::kNamesNobody:
      return HandshakeFailure::kNamesNobody;
    case X509_V_ERR_UNSPECIFIED:
      return HandshakeFailure::kNotKnown;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return HandshakeFailure::kExpired;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return HandshakeFailure::kUnknownAuthority;
    default:
      return HandshakeFailure::kBadCertificate;
  }
}

}  // namespace dare::server
