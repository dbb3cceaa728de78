#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/mutex.h"
#include "base/result.h"
#include "hsm/session_pool.h"

namespace dare::hsm {

// A SigningKey is an EC P-256 key pair made in the token; the private half never leaves it and can
// only sign. The audit log's checkpoints and the CA's certificates are signed with such keys, one
// for each. Thread-safe. Shares the pool.
class SigningKey {
 public:
  // kAlreadyExists when the token has a private key with this label.
  static Result<std::shared_ptr<SigningKey>> Create(std::shared_ptr<SessionPool> pool,
                                                    const std::string& label);
  // kNotFound; kConflict when two have the label; kDenied naming the attribute that is weaker than
  // promised above.
  static Result<std::shared_ptr<SigningKey>> Find(std::shared_ptr<SessionPool> pool,
                                                  const std::string& label);

  const std::string& label() const { return label_; }
  // The public key as X.509 SubjectPublicKeyInfo (RFC 5480), 91 bytes.
  const Bytes& PublicKeyDer() const { return public_key_der_; }
  // ECDSA over a SHA-256 digest (32 bytes), as the DER sequence of r and s (RFC 3279, 2.2.3).
  Result<Bytes> Sign(ByteView sha256_digest);

 private:
  SigningKey(std::shared_ptr<SessionPool> pool, std::string label, Bytes public_key_der)
      : pool_(std::move(pool)),
        label_(std::move(label)),
        public_key_der_(std::move(public_key_der)) {}
  Result<unsigned long> Handle(const SessionLease& lease) EXCLUDES(mutex_);

  const std::shared_ptr<SessionPool> pool_;
  const std::string label_;
  const Bytes public_key_der_;

  Mutex mutex_;
  std::uint64_t handle_generation_ GUARDED_BY(mutex_) = 0;
  unsigned long handle_ GUARDED_BY(mutex_) = 0;
};

}  // namespace dare::hsm
