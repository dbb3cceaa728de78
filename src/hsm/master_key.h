#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "hsm/sealing_mechanism.h"
#include "hsm/session_pool.h"

namespace dare::hsm {

// Where a master key was made. Every copy of a kToken key is in that token; a kCeremony key existed
// outside, for as long as people split it or put it together (`dare-kms hsm backup`, `restore`).
enum class KeyOrigin { kToken, kCeremony };

// Which of them a caller will have.
enum class KeyOrigins { kMadeInToken, kAlsoCeremony };

// The public halves of a master key of RSA (their exponent is 65537); nothing secret.
struct MasterKeyModuli {
  Bytes seal;
  Bytes sign;
  friend bool operator==(const MasterKeyModuli&, const MasterKeyModuli&) = default;
};

struct MasterKeyInfo {
  std::string label;
  Bytes id;           // CKA_ID, 8 random bytes
  Bytes check_value;  // 3 bytes: the token's CKA_CHECK_VALUE, else our own; empty where neither is
                      // to be had
  SealingMechanism mechanism = SealingMechanism::kAesGcm;
  KeyOrigin origin = KeyOrigin::kToken;
  bool bound = false;      // the token itself allows the key no other mechanism
  MasterKeyModuli moduli;  // empty unless it is of RSA
};

// The objects in the token, for a session; the second is 0 where the mechanism needs none.
struct MasterKeyHandles {
  unsigned long seal = 0;
  unsigned long authenticate = 0;
};

// A MasterKey is the MEK: made in a token, or put there in a ceremony, never to leave it, and good
// for sealing and opening our records by its one mechanism and for nothing else. Several
// generations may have the same label; their ids tell them apart.
//
// With AES-256-GCM it is one AES key. With AES-256-CBC and HMAC-SHA-256 it is an AES key and a
// generic secret with the same label and a CKA_ID one byte longer; the second one is what says that
// the first is not for GCM. With RSA it is two private keys, likewise, one that decrypts and one
// that signs. All are sensitive, not extractable, without any right but those that
// the mechanism needs, not modifiable and not copyable (a copy could be given other rights), and
// bound to the mechanism by CKA_ALLOWED_MECHANISMS where the token knows it. Thread-safe. Shares
// the pool.
class MasterKey {
 public:
  // Makes the first key with this label: kAlreadyExists when there is one. kUnsupported when the
  // token cannot make it as strong as Find demands.
  static Result<std::shared_ptr<MasterKey>> Create(
      std::shared_ptr<SessionPool> pool, const std::string& label,
      SealingMechanism mechanism = SealingMechanism::kAesGcm);
  // Makes another one, whatever there is.
  static Result<std::shared_ptr<MasterKey>> CreateNext(
      std::shared_ptr<SessionPool> pool, const std::string& label,
      SealingMechanism mechanism = SealingMechanism::kAesGcm);
  // Puts a key of 32 bytes into the token, from a ceremony; where the master key is two, they are
  // derived from it. `id` has 8 bytes: kAlreadyExists when a key has them.
  static Result<std::shared_ptr<MasterKey>> Import(
      std::shared_ptr<SessionPool> pool, const std::string& label, ByteView id,
      const SecretBytes& key, SealingMechanism mechanism = SealingMechanism::kAesGcm);

  // Finds the key with this id, or the only one when `id` is empty, and judges it: kNotFound;
  // kConflict when several fit; kDenied naming the attribute that is weaker than above.
  static Result<std::shared_ptr<MasterKey>> Find(std::shared_ptr<SessionPool> pool,
                                                 const std::string& label, ByteView id = {},
                                                 KeyOrigins origins = KeyOrigins::kMadeInToken);
  // All generations, none perhaps; kDenied when one is weaker.
  static Result<std::vector<std::shared_ptr<MasterKey>>> FindAll(
      std::shared_ptr<SessionPool> pool, const std::string& label,
      KeyOrigins origins = KeyOrigins::kMadeInToken);
  // Removes the key for ever, judged or not: kNotFound when there is none.
  static Result<void> Remove(SessionPool& pool, const std::string& label, ByteView id);

  const MasterKeyInfo& info() const { return info_; }
  SessionPool& pool() const { return *pool_; }
  // The key's handles for this session. Found and judged anew after the token was lost.
  Result<MasterKeyHandles> Handles(const SessionLease& lease) EXCLUDES(mutex_);

 private:
  MasterKey(std::shared_ptr<SessionPool> pool, MasterKeyInfo info)
      : pool_(std::move(pool)), info_(std::move(info)) {}

  const std::shared_ptr<SessionPool> pool_;
  const MasterKeyInfo info_;

  Mutex mutex_;
  std::uint64_t handles_generation_ GUARDED_BY(mutex_) = 0;
  MasterKeyHandles handles_ GUARDED_BY(mutex_);
};

}  // namespace dare::hsm
