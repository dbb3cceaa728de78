#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/mutex.h"
#include "base/result.h"
#include "hsm/session_pool.h"

namespace dare::hsm {

struct MasterKeyInfo {
  std::string label;
  Bytes id;           // CKA_ID, 8 random bytes
  Bytes check_value;  // 3 bytes: the token's CKA_CHECK_VALUE, else our own; empty where neither is
                      // to be had
  bool gcm_only = false;  // the token itself allows the key no other mechanism
};

// A MasterKey is the MEK: an AES-256 key made in the token, which never leaves it and is good for
// AES-GCM encryption and decryption of our records and for nothing else. Sensitive, not
// extractable, no right to wrap, unwrap, sign, verify or derive, not modifiable and not copyable (a
// copy could be given other rights), bound to AES-GCM by CKA_ALLOWED_MECHANISMS where the token
// knows it. Thread-safe. Shares the pool.
class MasterKey {
 public:
  // Makes the key. kAlreadyExists when the token has one with this label; kUnsupported when the
  // token cannot make it as strong as Find demands.
  static Result<std::shared_ptr<MasterKey>> Create(std::shared_ptr<SessionPool> pool,
                                                   const std::string& label);
  // Finds the key and judges it: kNotFound; kConflict when two have the label; kDenied naming the
  // attribute that is weaker than above.
  static Result<std::shared_ptr<MasterKey>> Find(std::shared_ptr<SessionPool> pool,
                                                 const std::string& label);

  const MasterKeyInfo& info() const { return info_; }
  SessionPool& pool() const { return *pool_; }
  // The key's handle for this session. Found and judged anew after the token was lost.
  Result<unsigned long> Handle(const SessionLease& lease) EXCLUDES(mutex_);

 private:
  MasterKey(std::shared_ptr<SessionPool> pool, MasterKeyInfo info)
      : pool_(std::move(pool)), info_(std::move(info)) {}

  const std::shared_ptr<SessionPool> pool_;
  const MasterKeyInfo info_;

  Mutex mutex_;
  std::uint64_t handle_generation_ GUARDED_BY(mutex_) = 0;
  unsigned long handle_ GUARDED_BY(mutex_) = 0;
};

}  // namespace dare::hsm
