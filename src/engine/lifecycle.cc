#include "engine/lifecycle.h"

#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {

using kmip::Reject;
using kmip::ResultReason;
using kmip::State;
using kmip::Tag;

State EffectiveState(const kmip::AttributeSet& attributes, std::int64_t now) {
  State state = attributes.Enum<State>(Tag::kState).value_or(State::kPreActive);
  const auto reached = [&](Tag date) {
    const auto value = attributes.Date(date);
    return value && *value <= now;
  };
  if (state == State::kPreActive && reached(Tag::kActivationDate)) state = State::kActive;
  if (state == State::kActive && reached(Tag::kDeactivationDate)) state = State::kDeactivated;
  return state;
}

bool SettleState(kmip::AttributeSet& attributes, std::int64_t now) {
  if (!attributes.Has(Tag::kState)) return false;  // Templates have none
  const State state = EffectiveState(attributes, now);
  if (attributes.Enum<State>(Tag::kState) == state) return false;
  attributes.Set(kmip::Attribute::OfEnumeration(Tag::kState, static_cast<std::uint32_t>(state)));
  return true;
}

Result<void> CheckMayProtect(const kmip::AttributeSet& attributes, std::int64_t now) {
  if (EffectiveState(attributes, now) != State::kActive) {
    return Reject(ResultReason::kWrongKeyLifecycleState, "only an Active key may protect");
  }
  //= kmip-1.4 3.26 Protect Stop Date
  //# the date and time when a managed symmetric key object SHALL NOT be used for applying
  // cryptographic protection
  const auto stop = attributes.Date(Tag::kProtectStopDate);
  if (stop && *stop <= now) {
    return Reject(ResultReason::kWrongKeyLifecycleState, "the key's Protect Stop Date has passed");
  }
  return {};
}

Result<void> CheckMayProcess(const kmip::AttributeSet& attributes, std::int64_t now) {
  const State state = EffectiveState(attributes, now);
  //= kmip-2.1 4.57 State
  //# process cryptographically-protected information [...] under extraordinary circumstances and
  // when special permission is granted
  // A date is a plan, and a revocation somebody's decision that counts at the next use: who revokes
  // a key must be able to rely on it (docs/decisions/revoked-keys.md).
  const bool revoked = attributes.Find(Tag::kRevocationReason) != nullptr;
  if (state == State::kCompromised || (state == State::kDeactivated && revoked)) {
    return Reject(ResultReason::kWrongKeyLifecycleState, "the key was revoked");
  }
  if (state != State::kActive && state != State::kDeactivated) {
    return Reject(ResultReason::kWrongKeyLifecycleState, "the key is not in a usable state");
  }
  //= kmip-1.4 3.25 Process Start Date
  //# the date and time when a Managed Symmetric Key Object MAY begin to be used to process
  const auto start = attributes.Date(Tag::kProcessStartDate);
  if (start && *start > now) {
    return Reject(ResultReason::kWrongKeyLifecycleState, "the key's Process Start Date lies ahead");
  }
  return {};
}

Result<void> CheckUsageMask(const kmip::AttributeSet& attributes,
                            kmip::CryptographicUsageMask needed) {
  const auto mask =
      static_cast<std::uint32_t>(attributes.Integer(Tag::kCryptographicUsageMask).value_or(0));
  const auto bits = static_cast<std::uint32_t>(needed);
  if ((mask & bits) == bits) return {};
  return Reject(ResultReason::kIncompatibleCryptographicUsageMask,
                "the key's Cryptographic Usage Mask does not allow this");
}

bool IsDestroyed(State state) {
  return state == State::kDestroyed || state == State::kDestroyedCompromised;
}

bool IsArchived(const kmip::AttributeSet& attributes) { return attributes.Has(Tag::kArchiveDate); }

}  // namespace dare::engine
