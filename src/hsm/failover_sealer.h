#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "hsm/sealer.h"
#include "hsm/token_guard.h"

namespace dare::hsm {

// One of the tokens that hold the same master key.
struct TokenSeat {
  std::shared_ptr<TokenGuard> guard;
  // Logs in, finds the key and makes the sealer. Owns what it touches. Called at start, and again
  // by the guard's probe as long as the token could not be reached; never again once the token
  // refused the PIN or the key was not the right one.
  std::function<Result<std::shared_ptr<Sealer>>()> open;
};

// A FailoverSealer seals and opens with several tokens that hold the same master key, or with one.
// Healthy ones are used side by side; one that is in trouble is left out by its guard and comes
// back by itself; a request that met trouble goes to the next one. An answer, be it "damaged", is
// never asked of another. That the tokens hold the same key is not believed: each must open what
// the others sealed. Thread-safe.
class FailoverSealer : public Sealer {
 public:
  // At least one token must answer; the others may come later. kConflict when they hold different
  // keys; kUnauthenticated, kDenied and the like when any of them refuses PIN or key: that is a
  // matter of configuration, which must not show only when the first token fails.
  static Result<std::unique_ptr<FailoverSealer>> Make(std::vector<TokenSeat> seats);
  ~FailoverSealer() override;

  Result<Bytes> Seal(ByteView aad, ByteView secret) override;
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) override;
  SealerInfo info() const override { return info_; }
  std::uint64_t seals() const override;
  SealerHealth Health() const override;

 private:
  class Key;
  class Seat;

  FailoverSealer(SealerInfo info, std::vector<std::shared_ptr<Seat>> seats);
  // The seats that may be asked, in the order in which to ask.
  std::vector<Seat*> Candidates();
  template <typename Ask>
  auto FirstAnswer(Ask&& ask) -> std::invoke_result_t<Ask, Seat&>;

  const SealerInfo info_;
  const std::vector<std::shared_ptr<Seat>> seats_;
  std::atomic<std::size_t> turn_ = 0;
};

}  // namespace dare::hsm
