#pragma once

#include "client/ear.h"
#include "envelope/dek_cache.h"

namespace dare::lib {

// Tells a cache what key servers tell: DEKs of a key that has ended are dropped. Borrows the cache.
class CacheEar final : public client::Ear {
 public:
  explicit CacheEar(envelope::DekCache& cache) : cache_(cache) {}

  void OnHearing() override { cache_.SetHearing(envelope::Hearing::kHears); }
  void OnDeaf(bool refused) override {
    cache_.SetHearing(refused ? envelope::Hearing::kRefused : envelope::Hearing::kDeaf);
  }
  void OnNotify(const kmip::NotifyRequest& told) override;
  void OnUnclear() override { cache_.RecallAll(); }

 private:
  envelope::DekCache& cache_;
};

// Whether a key's DEKs may no longer be used unasked: it is in a state other than Active, or what
// decides on its use was changed.
bool TellsOfEnd(const kmip::NotifyRequest& told);

}  // namespace dare::lib
