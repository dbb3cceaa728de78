#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "custody/seal_count.h"
#include "hsm/sealer.h"

namespace dare::custody {

// A SealerRing is the Sealer of a store whose keys change: it seals under the current key and opens
// each record with the key that its head names. Keys come and go while it is in use; a call that
// has begun ends with the key it began with. Thread-safe.
class SealerRing : public hsm::Sealer {
 public:
  struct Member {
    std::shared_ptr<hsm::Sealer> sealer;
    std::shared_ptr<SealCount> count;  // null: not counted
  };
  // Asked for a key that the ring does not have, because another node may have made it: adds it to
  // the ring, or says why not. Called on whatever thread opens a record, without a lock.
  using Finder = std::function<Result<void>(const Bytes& key_id)>;

  Result<Bytes> Seal(ByteView aad, ByteView secret) override;
  // kNotFound when no key of the ring sealed it.
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) override;
  hsm::SealerInfo info() const override;
  std::uint64_t seals() const override;
  hsm::SealerHealth Health() const override;  // of the current key's sealer

  void Put(Member member) EXCLUDES(mutex_);  // a further key, or the same one anew
  Result<void> SetCurrent(const Bytes& key_id) EXCLUDES(mutex_);  // kNotFound: not in the ring
  void Remove(const Bytes& key_id) EXCLUDES(mutex_);  // nothing happens to the current one
  bool Has(const Bytes& key_id) const EXCLUDES(mutex_);
  Bytes current_id() const EXCLUDES(mutex_);  // empty when there is none yet
  // Null where there is none.
  std::shared_ptr<hsm::Sealer> Find(const Bytes& key_id) const EXCLUDES(mutex_);
  std::vector<std::shared_ptr<SealCount>> counts() const EXCLUDES(mutex_);
  // Before the ring is shared.
  void SetFinder(Finder finder) { finder_ = std::move(finder); }

 private:
  struct Keys {
    std::map<Bytes, Member> members;
    Bytes current;
  };
  std::shared_ptr<const Keys> keys() const EXCLUDES(mutex_);

  Finder finder_;  // constant once shared
  mutable Mutex mutex_;
  std::shared_ptr<const Keys> keys_ GUARDED_BY(mutex_) = std::make_shared<const Keys>();
};

}  // namespace dare::custody
