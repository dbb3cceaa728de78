#include "hsm/token_guard.h"

#include <algorithm>

#include "base/log.h"

namespace dare::hsm {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A token whose calls take less than this is in this process or on this machine's bus, where a call
// costs less than the change of threads would; one that takes more than the second number is not
// (docs/decisions/hsm-calls.md has the figures).
constexpr microseconds kNear{100};
constexpr microseconds kFar{400};
// Prompt answers in a row before calls are made directly, and what a call that hung adds to that.
constexpr std::int64_t kPromptToTrust = 64;
constexpr std::int64_t kHangCosts = 10'000;
// Direct calls that stand still for so long: further ones are bounded.
constexpr milliseconds kStandstill{50};
constexpr int kSmoothing = 16;
constexpr milliseconds kShortestWait{10};

}  // namespace

bool IsTokenTrouble(const Error& error) {
  switch (error.code) {
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kUnauthenticated:  // the PIN
    case Code::kIo:
      return true;
    case Code::kDenied:
    case Code::kConflict:
    case Code::kNotFound:
    case Code::kInvalidArgument:
    case Code::kMalformed:
    case Code::kTooLarge:
    case Code::kAlreadyExists:
    case Code::kUnsupported:
    case Code::kDamaged:
    case Code::kExhausted:
    case Code::kRejected:
    case Code::kInternal:
      return false;
  }
  return true;
}

TokenGuard::TokenGuard(TokenGuardOptions options, const Clock& clock)
    : options_(std::move(options)),
      called_("HSM '" + options_.name + "'"),
      clock_(clock),
      breaker_(options_.breaker, clock),
      lanes_(options_.lanes) {}

TokenGuard::~TokenGuard() {
  std::jthread watch;  // joined without the lock, which its last probe needs
  const MutexLock lock(mutex_);
  watch = std::move(watch_);
  if (!watch.joinable()) return;
  watch.request_stop();
  wake_.NotifyAll();
}

TokenGuard::Duration TokenGuard::StoodStill(Moment now) const {
  if (direct_ == 0) return {};
  return now.time_since_epoch() - moved_.load();
}

bool TokenGuard::Bounded(Moment now) const {
  return options_.bound == BoundCalls::kAlways || prompt_ < kPromptToTrust ||
         StoodStill(now) > kStandstill;
}

Result<TokenGuard::Pass> TokenGuard::Admit() {
  const auto permit = breaker_.Admit(!has_probe_);
  if (!permit) {
    ++refused_;
    return Refusal();
  }
  const Moment now = clock_.Steady();
  const Pass pass{.permit = *permit, .bounded = permit->probe || Bounded(now)};
  // Calls that nobody can give up: at least nobody else shall follow them.
  if (StoodStill(now) > options_.call_timeout) {
    moved_ = now.time_since_epoch();
    Overdue(pass, Error(Code::kTimeout, called_ + ": a call has not come back"));
    ++refused_;
    return Refusal();
  }
  return pass;
}

Error TokenGuard::Refusal() const {
  const MutexLock lock(mutex_);
  const std::int64_t seconds = std::max<std::int64_t>(0, clock_.Now() - breaker_.since());
  return Error(Code::kUnavailable, called_ + " is in trouble for " + std::to_string(seconds) +
                                       " s and is not asked for now: " + last_error_);
}

void TokenGuard::Learn(Duration took) {
  const std::int64_t sample = std::chrono::nanoseconds(took).count();
  const std::int64_t before = latency_;
  const std::int64_t smoothed =
      before == 0 ? sample : before + (sample - before) / kSmoothing;  // a lost update is no harm
  latency_ = smoothed;
  if (took > kStandstill || smoothed > std::chrono::nanoseconds(kFar).count()) {
    prompt_ = std::min<std::int64_t>(prompt_, 0);
  } else if (smoothed < std::chrono::nanoseconds(kNear).count()) {
    ++prompt_;
  }
}

void TokenGuard::Ended(const Pass& pass, Duration took, const Error* error) {
  ++calls_;
  moved_ = clock_.Steady().time_since_epoch();
  if (error != nullptr && IsTokenTrouble(*error)) {
    ++failures_;
    breaker_.Failed(pass.permit);
    Tell(error);
    return;
  }
  if (pass.patient) took = {};
  if (pass.permit.probe && took > options_.call_timeout) {
    // It is there, but every request would be given up.
    const Error slow(Code::kTimeout, called_ + " answers, but slower than call_timeout_ms allows");
    ++failures_;
    breaker_.Failed(pass.permit);
    Tell(&slow);
    return;
  }
  if (took > options_.breaker.slow) ++slow_;
  if (!pass.patient) Learn(took);
  breaker_.Answered(pass.permit, took);
  if (pass.permit.probe || took > options_.breaker.slow) Tell(nullptr);
}

void TokenGuard::Overdue(const Pass& pass, const Error& error) {
  ++calls_;
  ++failures_;
  ++overdue_;
  prompt_ = -kHangCosts;
  breaker_.Hung(pass.permit);
  Tell(&error);
}

void TokenGuard::TakeOut(const Error& why) {
  if (const auto permit = breaker_.Admit(false)) breaker_.Hung(*permit);
  Tell(&why);
}

void TokenGuard::Tell(const Error* error) {
  const MutexLock lock(mutex_);
  if (error != nullptr) last_error_ = error->message;
  if (open() == in_trouble_) return;
  in_trouble_ = !in_trouble_;
  if (in_trouble_) {
    if (last_error_.empty()) last_error_ = "it answers slowly";
    log::Warning("hsm: " + called_ + " is in trouble and is not asked for now: " + last_error_);
    wake_.NotifyAll();
  } else {
    log::Info("hsm: " + called_ + " answers again");
  }
}

Result<void> TokenGuard::RunInTime(const Pass& pass, milliseconds limit,
                                   std::function<void()> call) {
  ++in_flight_;
  const Result<void> ran = lanes_.Run(std::move(call), limit);
  --in_flight_;
  if (ran) return {};
  const Error error = ran.error().In(called_);
  Overdue(pass, error);
  return error;
}

std::unique_ptr<TokenGuard::ProbeDuty> TokenGuard::ProbeWith(Probe probe) {
  auto watched = std::make_shared<Watched>(std::move(probe));
  const MutexLock lock(mutex_);
  probes_.push_back(watched);
  has_probe_ = true;
  if (!watch_.joinable()) {
    watch_ = std::jthread([this](const std::stop_token& stop) { Watch(stop); });
  }
  return std::make_unique<ProbeDuty>(*this, std::move(watched));
}

void TokenGuard::End(const Watched* watched) {
  std::shared_ptr<Watched> ended;  // destroyed after the lock is gone
  const MutexLock lock(mutex_);
  while (probing_) probed_.Wait(mutex_);
  const auto at = std::ranges::find(probes_, watched, &std::shared_ptr<Watched>::get);
  ended = std::move(*at);
  probes_.erase(at);
  has_probe_ = !probes_.empty();
}

bool TokenGuard::SomebodyWaits() const {
  const MutexLock lock(mutex_);
  return std::ranges::any_of(probes_, [](const auto& watched) { return watched->waiting.load(); });
}

bool TokenGuard::ProbeNow() {
  {
    const MutexLock lock(mutex_);
    if (probing_ || probes_.empty()) return false;
    probing_ = true;
  }
  const bool asked = AskProbes();
  const MutexLock lock(mutex_);
  probing_ = false;
  probed_.NotifyAll();
  return asked;
}

bool TokenGuard::AskProbes() {
  struct Round {
    std::vector<std::shared_ptr<Watched>> probes;
    std::optional<Error> trouble;
    Duration longest{};  // that one of them took
  };
  const auto permit = breaker_.Admit(true);
  if (!permit) return false;
  const Pass pass{.permit = *permit, .bounded = true};
  const auto round = std::make_shared<Round>();
  {
    const MutexLock lock(mutex_);
    round->probes = probes_;
  }
  const auto ask = [round, &clock = clock_] {
    for (const auto& watched : round->probes) {
      const Moment begun = clock.Steady();
      const Result<void> answer = watched->ask();
      round->longest = std::max(round->longest, clock.Steady() - begun);
      if (answer || !IsTokenTrouble(answer.error())) continue;
      round->trouble = answer.error();
      return;  // the others would fare no better
    }
  };
  if (!RunInTime(pass, options_.open_timeout, ask)) return true;  // that is remembered already
  Ended(pass, round->longest, round->trouble ? &*round->trouble : nullptr);
  return true;
}

void TokenGuard::Watch(const std::stop_token& stop) {
  std::uint64_t seen = 0;
  while (!stop.stop_requested()) {
    const bool away = open();
    {
      const MutexLock lock(mutex_);
      const milliseconds wait =
          away ? std::max(breaker_.wait(), kShortestWait) : options_.idle_check;
      if (!stop.stop_requested()) wake_.WaitFor(mutex_, wait);
    }
    if (stop.stop_requested()) return;
    // Where it is well: when nobody asked meanwhile, or somebody waits for a key in it.
    if (open() || (!away && (calls_ == seen || SomebodyWaits()))) ProbeNow();
    seen = calls_;
  }
}

TokenHealth TokenGuard::Health() const {
  TokenHealth health;
  health.name = options_.name;
  health.state = breaker_.state();
  health.since = breaker_.since();
  health.calls = calls_;
  health.failures = failures_;
  health.overdue = overdue_;
  health.slow = slow_;
  health.refused = refused_;
  const Moment now = clock_.Steady();
  health.hanging = lanes_.hanging();
  if (StoodStill(now) > options_.call_timeout) health.hanging += static_cast<std::size_t>(direct_);
  health.latency = std::chrono::duration_cast<microseconds>(latency());
  health.bounded = Bounded(now);
  const MutexLock lock(mutex_);
  health.last_error = last_error_;
  return health;
}

}  // namespace dare::hsm
