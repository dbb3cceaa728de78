#include "libdare/cache_ear.h"

#include <algorithm>

#include "kmip/payloads/notify.h"
#include "kmip/tags.h"

namespace dare::lib {
namespace {

using kmip::Tag;

// Of what is told besides, as whoever may use the key, nothing is known before the server is asked.
bool DecidesOnUse(Tag tag) {
  switch (tag) {
    case Tag::kState:
    case Tag::kActivationDate:
    case Tag::kDeactivationDate:
    case Tag::kProcessStartDate:
    case Tag::kProtectStopDate:
    case Tag::kCompromiseDate:
    case Tag::kCompromiseOccurrenceDate:
    case Tag::kDestroyDate:
    case Tag::kArchiveDate:
    case Tag::kRevocationReason:
    case Tag::kCryptographicUsageMask:
      return true;
    default:
      return false;
  }
}

bool SaysActive(const kmip::Attribute& attribute) {
  if (attribute.tag != Tag::kState) return false;
  const auto state = attribute.View().AsEnumeration();
  return state && static_cast<kmip::State>(*state) == kmip::State::kActive;
}

}  // namespace

bool TellsOfEnd(const kmip::NotifyRequest& told) {
  const auto ends = [](const kmip::Attribute& attribute) {
    return DecidesOnUse(attribute.tag) && !SaysActive(attribute);
  };
  const auto gone = [](const kmip::AttributeReference& reference) {
    return DecidesOnUse(reference.tag);
  };
  return std::ranges::any_of(told.changed, ends) || std::ranges::any_of(told.removed, gone);
}

void CacheEar::OnNotify(const kmip::NotifyRequest& told) {
  if (TellsOfEnd(told)) cache_.Recall(told.id);
}

}  // namespace dare::lib
