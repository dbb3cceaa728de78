#include "engine/rotation_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/lifecycle.h"
#include "kmip/tags.h"

namespace dare::engine {

using kmip::ObjectType;
using kmip::State;
using kmip::Tag;

std::optional<kmip::Operation> ReplacingOperation(ObjectType type) {
  switch (type) {
    case ObjectType::kSymmetricKey:
      return kmip::Operation::kReKey;
    case ObjectType::kPrivateKey:
      return kmip::Operation::kReKeyKeyPair;
    case ObjectType::kCertificate:
      return kmip::Operation::kReCertify;
    default:
      return std::nullopt;
  }
}

std::optional<std::uint32_t> RotationInterval(const kmip::AttributeSet& attributes, State state) {
  if (!attributes.Boolean(Tag::kRotateAutomatic).value_or(false)) return std::nullopt;
  if (!attributes.Boolean(Tag::kRotateLatest).value_or(true)) return std::nullopt;
  // A key that was revoked, or whose time is over, must not come back as a new one.
  if (state != State::kPreActive && state != State::kActive) return std::nullopt;
  const auto type = attributes.Enum<ObjectType>(Tag::kObjectType);
  if (!type || !ReplacingOperation(*type)) return std::nullopt;
  const kmip::Attribute* const interval = attributes.Find(Tag::kRotateInterval);
  if (interval == nullptr) return std::nullopt;
  const auto seconds = interval->View().AsInterval();
  if (!seconds || *seconds == 0) return std::nullopt;
  return *seconds;
}

bool RotationIsDue(const kmip::AttributeSet& attributes, std::int64_t now, std::uint32_t shortest) {
  const auto interval = RotationInterval(attributes, EffectiveState(attributes, now));
  const auto initial = attributes.Date(Tag::kInitialDate);
  if (!interval || !initial || IsArchived(attributes)) return false;
  return *initial <= now - std::int64_t{std::max(*interval, shortest)};
}

std::string RotationKey(std::uint32_t interval) { return fmt::format("{:08x}", interval); }

std::optional<std::uint32_t> ParseRotationKey(const std::string& key) {
  std::uint32_t interval = 0;
  const char* const end = key.data() + key.size();
  const auto [stopped, error] = std::from_chars(key.data(), end, interval, 16);
  if (error != std::errc() || stopped != end || key.size() != 8) return std::nullopt;
  return interval;
}

}  // namespace dare::engine
