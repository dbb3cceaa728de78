#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "hsm/master_key.h"
#include "hsm/sealer.h"

namespace dare::hsm {

// A MasterKeySealer seals under a master key in a token, by whatever mechanism the key is for: what
// those mechanisms have in common. It is handed out only when the token sealed and opened a probe.
class MasterKeySealer : public Sealer {
 public:
  SealerInfo info() const override { return info_; }
  std::uint64_t seals() const override { return seals_; }

 protected:
  explicit MasterKeySealer(std::shared_ptr<MasterKey> key);

  // kInvalidArgument for a key of another mechanism.
  static Result<void> CheckMechanism(const MasterKey& key, SealingMechanism mechanism);
  // `sealer`, once it opened a probe that it sealed: kUnsupported when it opens another text.
  template <typename Mechanism>
  static Result<std::unique_ptr<Mechanism>> Proved(std::unique_ptr<Mechanism> sealer) {
    TRY(sealer->Prove());
    return sealer;
  }
  Result<void> Prove();
  // Whether `opened` is what the probe sealed.
  static Result<void> IsProbe(const SecretBytes& opened);
  static ByteView ProbeText();

  // Calls `use(const SessionLease&)` in the token.
  template <typename Use>
  auto InToken(Use&& use) {
    return key_->pool().With(std::forward<Use>(use));
  }
  // The same for what authenticates already: whatever fails now is the token's trouble.
  template <typename Use>
  Result<void> InTokenThatMust(Use&& use) {
    Result<void> used = key_->pool().With(std::forward<Use>(use));
    if (used) return {};
    const Error& error = used.error();
    if (error.code != Code::kDamaged && error.code != Code::kInvalidArgument) return error;
    return Error(Code::kUnavailable, error.message, error.detail);
  }

  const std::shared_ptr<MasterKey> key_;
  const SealerInfo info_;
  Bytes probe_;  // a sealed record that is known to be good; constant after Prove
  std::atomic<std::uint64_t> seals_ = 0;
};

}  // namespace dare::hsm
