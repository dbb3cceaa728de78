#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/mutex.h"
#include "base/result.h"
#include "hsm/session_pool.h"

namespace dare::hsm {

enum class SigningKeyKind { kP256, kRsa2048 };

// A SigningKey is a key pair made in the token, on P-256 or for an authority whose peers want it of
// RSA; the private half never leaves it and can only sign. The audit log's checkpoints and the CA's
// certificates are signed with such keys, one for each. Thread-safe. Shares the pool.
class SigningKey : public std::enable_shared_from_this<SigningKey> {
 public:
  // kAlreadyExists when the token has a private key with this label.
  static Result<std::shared_ptr<SigningKey>> Create(std::shared_ptr<SessionPool> pool,
                                                    const std::string& label,
                                                    SigningKeyKind kind = SigningKeyKind::kP256);
  // The same on P-256, and of RSA where the token knows no elliptic curves.
  static Result<std::shared_ptr<SigningKey>> CreateBest(std::shared_ptr<SessionPool> pool,
                                                        const std::string& label);
  // Of either kind, unless one is `wanted`. kNotFound; kConflict when two have the label; kDenied
  // naming the attribute that is weaker than promised above, or that it is of another kind.
  static Result<std::shared_ptr<SigningKey>> Find(
      std::shared_ptr<SessionPool> pool, const std::string& label,
      std::optional<SigningKeyKind> wanted = std::nullopt);

  const std::string& label() const { return label_; }
  // The public key as X.509 SubjectPublicKeyInfo (RFC 5480, RFC 3279).
  const Bytes& PublicKeyDer() const { return public_key_der_; }
  // Over a SHA-256 digest (32 bytes): ECDSA as the DER sequence of r and s (RFC 3279, 2.2.3), or
  // RSASSA-PKCS1-v1_5 (RFC 8017, 8.2). Through the pool's guard, where it has one.
  Result<Bytes> Sign(ByteView sha256_digest);

 private:
  SigningKey(std::shared_ptr<SessionPool> pool, std::string label, SigningKeyKind kind,
             Bytes public_key_der)
      : pool_(std::move(pool)),
        label_(std::move(label)),
        kind_(kind),
        public_key_der_(std::move(public_key_der)) {}
  Result<Bytes> SignInToken(ByteView sha256_digest);
  Result<unsigned long> Handle(const SessionLease& lease) EXCLUDES(mutex_);

  const std::shared_ptr<SessionPool> pool_;
  const std::string label_;
  const SigningKeyKind kind_;
  const Bytes public_key_der_;

  Mutex mutex_;
  std::uint64_t handle_generation_ GUARDED_BY(mutex_) = 0;
  unsigned long handle_ GUARDED_BY(mutex_) = 0;
};

}  // namespace dare::hsm
