#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "hsm/call_lanes.h"
#include "hsm/circuit_breaker.h"
#include "hsm/token_health.h"

namespace dare::hsm {

// Which calls run on a thread of their own, where they can be given up.
enum class BoundCalls {
  kAuto,    // those of a token that takes its time, or once did; see docs/decisions/hsm-calls.md
  kAlways,  // all
};

struct TokenGuardOptions {
  std::string name = "token";  // as the configuration calls it
  BoundCalls bound = BoundCalls::kAuto;
  std::chrono::milliseconds call_timeout{2000};
  // For opening the token and for probes, which nobody waits for.
  std::chrono::milliseconds open_timeout{10'000};
  std::chrono::milliseconds making_timeout{60'000};  // a smart card's key pair of RSA
  std::size_t lanes = 4;  // as many calls may hang before every further one is refused
  CircuitBreakerOptions breaker;
  // A token that nobody asked for so long is asked how it is (where there is a probe).
  std::chrono::milliseconds idle_check{5000};
};

// True when `error` says that the token is in trouble: not that the request was wrong, the record
// damaged, or that a key is not what it was. Worth remembering of the token, whoever met it.
bool IsTokenTrouble(const Error& error);

// A TokenGuard stands between those who need a token and the token: one for each token, shared by
// all that use it, so that what one of them learns keeps the others from trying. It lets no call
// take longer than its caller can wait, keeps requests away from a token that fails, is slow or
// hangs, asks by itself whether it is back, and tells how it is. Thread-safe. `clock` outlives it.
class TokenGuard {
 public:
  // Asks how the token is, and what its owner keeps there. Owns what it touches. An error that is
  // no trouble of the token is its owner's to remember; the guard takes it for an answer.
  using Probe = std::function<Result<void>()>;
  // A probe on duty. It ends when this goes, which waits for probes that are under way. The guard
  // outlives it.
  class ProbeDuty;

  TokenGuard(TokenGuardOptions options, const Clock& clock);
  ~TokenGuard();
  TokenGuard(const TokenGuard&) = delete;
  TokenGuard& operator=(const TokenGuard&) = delete;

  // Calls the token by `call`, a copyable function without arguments that returns a Result and owns
  // whatever it touches: it may go on alone after a time-out. kUnavailable without a call when the
  // token is known to be in trouble; kTimeout when it does not answer in time.
  template <typename Call>
  auto Run(Call call) -> std::invoke_result_t<Call> {
    return RunEither(call, [&]() -> Result<Call> { return call; });
  }
  // The same for callers to whom owning costs something: `direct` borrows from the caller, `owning`
  // gives a Result of the function that owns, and is asked only where the call may outlive the
  // caller.
  template <typename Direct, typename Owning>
  auto RunEither(Direct&& direct, Owning&& owning) -> std::invoke_result_t<Direct>;

  // Opens the token: bounded, with more patience.
  template <typename Call>
  auto Open(Call call) -> std::invoke_result_t<Call> {
    return RunPatiently(options_.open_timeout, std::move(call));
  }
  // Makes a key, which may take a good token many seconds.
  template <typename Call>
  auto MakeKey(Call call) -> std::invoke_result_t<Call> {
    return RunPatiently(options_.making_timeout, std::move(call));
  }
  // Not to be asked before a probe found it well: `why` goes where errors of calls go.
  void TakeOut(const Error& why);

  // From now on a thread asks `probe` whether the token is back when it was in trouble, and
  // requests need not: they are refused until every probe on duty was answered.
  [[nodiscard]] std::unique_ptr<ProbeDuty> ProbeWith(Probe probe) EXCLUDES(mutex_);
  // What that thread does when it is time. False when it was not, or there is no probe.
  bool ProbeNow() EXCLUDES(mutex_);

  bool open() const { return breaker_.state() != BreakerState::kClosed; }
  // Smoothed over the latest calls; zero before the first.
  std::chrono::nanoseconds latency() const { return std::chrono::nanoseconds(latency_.load()); }
  int in_flight() const { return in_flight_; }
  const std::string& called() const { return called_; }  // "HSM 'NAME'", for messages
  TokenHealth Health() const EXCLUDES(mutex_);
  // What whoever may not ask is told.
  Error Refusal() const EXCLUDES(mutex_);

 private:
  using Moment = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;
  struct Watched {
    explicit Watched(Probe probe) : ask(std::move(probe)) {}
    const Probe ask;
    std::atomic<bool> waiting = false;  // for something, though the token may be well
  };
  // One call that was let through.
  struct Pass {
    CircuitBreaker::Permit permit;
    bool bounded = false;
    bool patient = false;  // how long it took is not looked at
  };

  Result<Pass> Admit() EXCLUDES(mutex_);
  bool Bounded(Moment now) const;
  // How long the calls on their callers' own threads have stood still; zero when there are none.
  Duration StoodStill(Moment now) const;
  void Ended(const Pass& pass, Duration took, const Error* error) EXCLUDES(mutex_);
  void Overdue(const Pass& pass, const Error& error) EXCLUDES(mutex_);
  void Learn(Duration took);
  // Remembers the error, if there is one, and says in the log when the breaker opened or closed.
  void Tell(const Error* error) EXCLUDES(mutex_);
  void Watch(const std::stop_token& stop) EXCLUDES(mutex_);
  // Runs `call` on a thread of its own; when it did not end within `limit` that is remembered.
  Result<void> RunInTime(const Pass& pass, std::chrono::milliseconds limit,
                         std::function<void()> call) EXCLUDES(mutex_);
  bool AskProbes() EXCLUDES(mutex_);
  void End(const Watched* watched) EXCLUDES(mutex_);
  bool SomebodyWaits() const EXCLUDES(mutex_);
  template <typename Call>
  auto RunPatiently(std::chrono::milliseconds limit, Call call) -> std::invoke_result_t<Call> {
    Pass pass = TRY(Admit());
    pass.patient = true;
    return RunBounded(pass, limit, std::move(call));
  }
  template <typename Call>
  auto RunBounded(const Pass& pass, std::chrono::milliseconds limit, Call call)
      -> std::invoke_result_t<Call>;

  const TokenGuardOptions options_;
  const std::string called_;
  const Clock& clock_;
  CircuitBreaker breaker_;
  CallLanes lanes_;

  std::atomic<int> in_flight_ = 0;
  std::atomic<std::uint64_t> calls_ = 0, failures_ = 0, overdue_ = 0, slow_ = 0, refused_ = 0;
  std::atomic<std::int64_t> latency_ = 0;  // nanoseconds
  std::atomic<std::int64_t> prompt_ = 0;   // prompt answers in a row, less what a hang costs
  std::atomic<int> direct_ = 0;            // calls on their callers' own threads now
  std::atomic<Duration> moved_{};          // when a call last began on one, or any ended
  std::atomic<bool> has_probe_ = false;

  mutable Mutex mutex_;
  CondVar wake_;
  std::string last_error_ GUARDED_BY(mutex_);
  bool in_trouble_ GUARDED_BY(mutex_) = false;  // as the log was told
  std::vector<std::shared_ptr<Watched>> probes_ GUARDED_BY(mutex_);
  bool probing_ GUARDED_BY(mutex_) = false;
  CondVar probed_;
  std::jthread watch_ GUARDED_BY(mutex_);  // begun with the first probe
};

class TokenGuard::ProbeDuty {
 public:
  ProbeDuty(TokenGuard& guard, std::shared_ptr<Watched> watched)
      : guard_(guard), watched_(std::move(watched)) {}
  ~ProbeDuty() { guard_.End(watched_.get()); }
  ProbeDuty(const ProbeDuty&) = delete;
  ProbeDuty& operator=(const ProbeDuty&) = delete;

  // While its owner waits for something in the token it is asked now and then, though the token is
  // well and busy.
  void Wait(bool waiting) { watched_->waiting = waiting; }

 private:
  TokenGuard& guard_;
  const std::shared_ptr<Watched> watched_;
};

template <typename Direct, typename Owning>
auto TokenGuard::RunEither(Direct&& direct, Owning&& owning) -> std::invoke_result_t<Direct> {
  const Pass pass = TRY(Admit());
  if (pass.bounded) {
    auto call = owning();
    if (call) return RunBounded(pass, options_.call_timeout, *std::move(call));
    Ended(pass, Duration{}, &call.error());
    return call.error();
  }
  ++in_flight_;
  const Moment begun = clock_.Steady();
  if (direct_++ == 0) moved_ = begun.time_since_epoch();
  auto result = direct();
  --direct_;
  --in_flight_;
  Ended(pass, clock_.Steady() - begun, result ? nullptr : &result.error());
  return result;
}

template <typename Call>
auto TokenGuard::RunBounded(const Pass& pass, std::chrono::milliseconds limit, Call call)
    -> std::invoke_result_t<Call> {
  struct Box {
    std::optional<std::invoke_result_t<Call>> answer;
    Duration took{};
  };
  const auto box = std::make_shared<Box>();
  const auto timed = [box, call = std::move(call), &clock = clock_] {
    const Moment begun = clock.Steady();
    box->answer = call();
    box->took = clock.Steady() - begun;
  };
  TRY(RunInTime(pass, limit, timed));
  Ended(pass, box->took, *box->answer ? nullptr : &box->answer->error());
  return *std::move(box->answer);
}

}  // namespace dare::hsm
