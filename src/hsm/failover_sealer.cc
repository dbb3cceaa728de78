#include "hsm/failover_sealer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "hsm/sealed_record.h"

namespace dare::hsm {
namespace {

constexpr std::string_view kProbeText = "dare-kms token probe";
// A token that takes so long, and so many times longer than the fastest one, is asked only after
// the others.
constexpr int kMuchSlower = 4;
constexpr std::chrono::milliseconds kNoticeable{50};

// A key that is not what it was, in a token that answers: worth asking another token, and asking
// this one again when its probe finds the key good.
bool IsKeyTrouble(const Error& error) {
  return error.code == Code::kDenied || error.code == Code::kConflict ||
         error.code == Code::kNotFound;
}

// Worth trying again later; everything else is for a person to mend.
bool IsOutOfReach(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout;
}

Result<void> OpensProbe(Sealer& sealer, ByteView record) {
  const SecretBytes opened = TRY(sealer.Open(AsBytes(kProbeText), record));
  if (!EqualInConstantTime(opened.Reveal(), AsBytes(kProbeText))) return DoesNotAuthenticate();
  return {};
}

}  // namespace

// The key that all seats have, as the first one showed it.
class FailoverSealer::Key {
 public:
  // kConflict unless `sealer` has the key; the first one that comes decides which that is. Gives a
  // record that it sealed.
  Result<Bytes> Admit(Sealer& sealer) EXCLUDES(mutex_) {
    Bytes record = TRY(sealer.Seal(AsBytes(kProbeText), AsBytes(kProbeText)));
    TRY(OpensProbe(sealer, record));
    const SealerInfo info = sealer.info();
    Bytes other;
    {
      const MutexLock lock(mutex_);
      if (!known_) {
        known_ = info;
        record_ = record;
        return record;
      }
      other = record_;
      TRY(Compare(info));
    }
    if (const Result<void> opened = OpensProbe(sealer, other); !opened) {
      if (IsOutOfReach(opened.error())) return opened.error();
      return Error(Code::kConflict, "it holds another key under the id " + ToHex(info.key_id) +
                                        ": it does not open what the other token sealed");
    }
    return record;
  }

  SealerInfo info() const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return known_.value_or(SealerInfo{});
  }

 private:
  Result<void> Compare(const SealerInfo& info) const REQUIRES(mutex_) {
    if (info.key_id != known_->key_id) {
      return Error(Code::kConflict, "it holds master key " + ToHex(info.key_id) +
                                        ", and the other token " + ToHex(known_->key_id));
    }
    if (info.check_value.empty() || known_->check_value.empty() ||
        info.check_value == known_->check_value) {
      return {};
    }
    return Error(Code::kConflict, "its master key " + ToHex(info.key_id) + " has check value " +
                                      ToHex(info.check_value) + ", and that of the other token " +
                                      ToHex(known_->check_value));
  }

  mutable Mutex mutex_;
  std::optional<SealerInfo> known_ GUARDED_BY(mutex_);
  Bytes record_ GUARDED_BY(mutex_);
};

// A token and its sealer, which may be still to come.
class FailoverSealer::Seat : public std::enable_shared_from_this<Seat> {
 public:
  Seat(TokenSeat seat, std::shared_ptr<Key> key)
      : guard_(std::move(seat.guard)), open_(std::move(seat.open)), key_(std::move(key)) {}

  TokenGuard& guard() const { return *guard_; }
  std::shared_ptr<Sealer> sealer() const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return sealer_;
  }
  // Whether it may be asked: the token is well, and the key is in it.
  bool IsUsable() const EXCLUDES(mutex_) {
    if (guard_->open()) return false;
    const MutexLock lock(mutex_);
    return sealer_ != nullptr && !lost_;
  }
  // Why it is not.
  Error Refusal() const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (lost_ && !guard_->open()) return *lost_;
    return guard_->Refusal();
  }
  TokenHealth Health() const EXCLUDES(mutex_) {
    TokenHealth health = guard_->Health();
    const MutexLock lock(mutex_);
    if (lost_ && health.state == BreakerState::kClosed) health.last_error = lost_->message;
    return health;
  }

  Result<void> OpenAtStart() {
    Result<void> opened = guard_->Open([self = shared_from_this()] { return self->Come(); });
    if (!opened && IsOutOfReach(opened.error())) {
      guard_->TakeOut(opened.error());
      Lose(opened.error());
    }
    return opened;
  }
  void StartProbing() EXCLUDES(mutex_) {
    auto duty = guard_->ProbeWith([self = shared_from_this()] { return self->Probe(); });
    const MutexLock lock(mutex_);
    duty->Wait(lost_.has_value());
    duty_ = std::move(duty);
  }
  void StopProbing() EXCLUDES(mutex_) {
    std::unique_ptr<TokenGuard::ProbeDuty> ends;  // without the lock, which a probe needs
    const MutexLock lock(mutex_);
    ends = std::move(duty_);
  }

  Result<Bytes> Seal(ByteView aad, ByteView secret) {
    const std::shared_ptr<Sealer> sealer = this->sealer();
    const auto direct = [&] { return sealer->Seal(aad, secret); };
    using Owned = std::function<Result<Bytes>()>;
    auto sealed = guard_->RunEither(direct, [&]() -> Result<Owned> {
      const auto copy = std::make_shared<SecretBytes>(TRY(SecretBytes::CopyOf(secret)));
      return Owned([sealer, copy, bound = Bytes(aad.begin(), aad.end())] {
        return sealer->Seal(bound, copy->Reveal());
      });
    });
    if (!sealed) Note(sealed.error());
    return sealed;
  }
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) {
    const std::shared_ptr<Sealer> sealer = this->sealer();
    const auto direct = [&] { return sealer->Open(aad, sealed); };
    using Owned = std::function<Result<SecretBytes>()>;
    auto opened = guard_->RunEither(direct, [&]() -> Result<Owned> {
      return Owned(
          [sealer, bound = Bytes(aad.begin(), aad.end()),
           record = Bytes(sealed.begin(), sealed.end())] { return sealer->Open(bound, record); });
    });
    if (!opened) Note(opened.error());
    return opened;
  }

 private:
  Result<void> Come() EXCLUDES(mutex_) {
    std::shared_ptr<Sealer> sealer = TRY(open_());
    Bytes record = TRY(key_->Admit(*sealer));
    {
      const MutexLock lock(mutex_);
      sealer_ = std::move(sealer);
      record_ = std::move(record);
    }
    Recover();
    return {};
  }

  void Note(const Error& error) EXCLUDES(mutex_) {
    if (!IsKeyTrouble(error)) return;
    log::Warning("hsm: " + guard_->called() + " has not the key that it had: " + error.message);
    Lose(error);
  }
  void Lose(const Error& why) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    lost_ = why;
    if (duty_ != nullptr) duty_->Wait(true);
  }
  void Recover() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    lost_.reset();
    if (duty_ != nullptr) duty_->Wait(false);
  }

  Result<void> Probe() EXCLUDES(mutex_) {
    std::shared_ptr<Sealer> sealer;
    Bytes record;
    {
      const MutexLock lock(mutex_);
      if (refused_) return Error(*refused_);
      sealer = sealer_;
      record = record_;
    }
    if (sealer == nullptr) return ComeLater();
    const Result<void> opened = OpensProbe(*sealer, record);
    if (opened) {
      Recover();
    } else if (!IsTokenTrouble(opened.error())) {
      Lose(opened.error());
    }
    return opened;
  }

  Result<void> ComeLater() EXCLUDES(mutex_) {
    const Result<void> came = Come();
    if (came || IsOutOfReach(came.error())) return came;
    log::Failure("hsm: " + guard_->called() + " came but is refused: " + came.error().message);
    const MutexLock lock(mutex_);
    refused_ = came.error();
    lost_ = came.error();
    if (duty_ != nullptr) duty_->Wait(false);
    return came;
  }

  const std::shared_ptr<TokenGuard> guard_;
  const std::function<Result<std::shared_ptr<Sealer>>()> open_;
  const std::shared_ptr<Key> key_;

  mutable Mutex mutex_;
  std::shared_ptr<Sealer> sealer_ GUARDED_BY(mutex_);  // null until the token came
  Bytes record_ GUARDED_BY(mutex_);                    // that it sealed, and must open
  std::optional<Error> lost_ GUARDED_BY(mutex_);       // why the key is not there, for now
  std::optional<Error> refused_ GUARDED_BY(mutex_);    // for good
  std::unique_ptr<TokenGuard::ProbeDuty> duty_ GUARDED_BY(mutex_);
};

FailoverSealer::FailoverSealer(SealerInfo info, std::vector<std::shared_ptr<Seat>> seats)
    : info_(std::move(info)), seats_(std::move(seats)) {
  for (const auto& seat : seats_) seat->StartProbing();
}

FailoverSealer::~FailoverSealer() {
  for (const auto& seat : seats_) seat->StopProbing();
}

Result<std::unique_ptr<FailoverSealer>> FailoverSealer::Make(std::vector<TokenSeat> seats) {
  const auto key = std::make_shared<Key>();
  std::vector<std::shared_ptr<Seat>> made;
  std::optional<Error> away;
  bool any = false;
  for (TokenSeat& wanted : seats) {
    auto seat = std::make_shared<Seat>(std::move(wanted), key);
    const Result<void> opened = seat->OpenAtStart();
    any = any || opened;
    if (!opened) {
      if (!IsOutOfReach(opened.error()) || seats.size() == 1) return opened.error();
      log::Warning("hsm: starting without " + seat->guard().called() + ": " +
                   opened.error().message);
      away = opened.error();
    }
    made.push_back(std::move(seat));
  }
  if (!any) {
    return away ? *away : Error(Code::kInvalidArgument, "no token is named");
  }
  return std::unique_ptr<FailoverSealer>(new FailoverSealer(key->info(), std::move(made)));
}

std::vector<FailoverSealer::Seat*> FailoverSealer::Candidates() {
  std::vector<Seat*> ready;
  const std::size_t first = turn_++;
  auto fastest = std::chrono::nanoseconds::max();
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    Seat* const seat = seats_[(first + i) % seats_.size()].get();
    if (!seat->IsUsable()) continue;
    ready.push_back(seat);
    fastest = std::min(fastest, seat->guard().latency());
  }
  std::stable_partition(ready.begin(), ready.end(), [&](const Seat* seat) {
    const auto latency = seat->guard().latency();
    return latency < kNoticeable || latency <= fastest * kMuchSlower;
  });
  return ready;
}

template <typename Ask>
auto FailoverSealer::FirstAnswer(Ask&& ask) -> std::invoke_result_t<Ask, Seat&> {
  std::optional<Error> trouble;
  for (Seat* const seat : Candidates()) {
    auto answer = ask(*seat);
    if (answer) return answer;
    if (!IsTokenTrouble(answer.error()) && !IsKeyTrouble(answer.error())) return answer;
    trouble = answer.error();
  }
  if (trouble) {
    // What is trouble to a token is "out of reach" to whoever asked, whatever its number.
    const bool late = trouble->code == Code::kTimeout;
    return Error(late ? Code::kTimeout : Code::kUnavailable, trouble->message, trouble->detail);
  }
  std::string why;
  for (const auto& seat : seats_) {
    why += (why.empty() ? "" : "; ") + seat->Refusal().message;
  }
  return Error(Code::kUnavailable, why);
}

Result<Bytes> FailoverSealer::Seal(ByteView aad, ByteView secret) {
  TRY(CheckSealable(aad, secret));
  return FirstAnswer([&](Seat& seat) { return seat.Seal(aad, secret); });
}

Result<SecretBytes> FailoverSealer::Open(ByteView aad, ByteView sealed) {
  if (aad.empty()) return Error(Code::kInvalidArgument, "a record must be bound to something");
  // Told here, so that "not found" of a token means that it lost the key.
  const Bytes id = TRY(KeyIdOf(sealed));
  if (id != info_.key_id) {
    return Error(Code::kNotFound, "the record is sealed under master key " + ToHex(id) +
                                      ", and the one in use is " + ToHex(info_.key_id));
  }
  return FirstAnswer([&](Seat& seat) { return seat.Open(aad, sealed); });
}

std::uint64_t FailoverSealer::seals() const {
  std::uint64_t sum = 0;
  for (const auto& seat : seats_) {
    if (const auto sealer = seat->sealer()) sum += sealer->seals();
  }
  return sum;
}

SealerHealth FailoverSealer::Health() const {
  SealerHealth health;
  health.can_seal = false;
  for (const auto& seat : seats_) {
    health.tokens.push_back(seat->Health());
    health.can_seal = health.can_seal || seat->IsUsable();
  }
  return health;
}

}  // namespace dare::hsm
