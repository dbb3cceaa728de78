#include "engine/operations/revoke.h"

#include <utility>

#include "engine/lifecycle.h"
#include "kmip/names.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::Reject;
using kmip::ResultReason;
using kmip::RevocationReasonCode;
using kmip::State;
using kmip::Tag;

constexpr std::size_t kMostMessageBytes = 4096;

bool IsCompromise(RevocationReasonCode reason) {
  return reason == RevocationReasonCode::kKeyCompromise ||
         reason == RevocationReasonCode::kCACompromise;
}

Attribute MakeReason(const kmip::RevokeRequest& request) {
  ttlv::Writer out;
  out.Structure(Tag::kRevocationReason, [&] {
    out.Enum(Tag::kRevocationReasonCode, request.reason);
    if (!request.message.empty()) out.Text(Tag::kRevocationMessage, request.message);
  });
  return Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
}

Result<void> CheckRequest(const kmip::RevokeRequest& request, kmip::ProtocolVersion version) {
  const auto code = static_cast<std::uint32_t>(request.reason);
  if (!kmip::EnumExists(Tag::kRevocationReasonCode, code, version)) {
    return Reject(ResultReason::kInvalidField, "unknown Revocation Reason Code");
  }
  // kmip-1.4 4.20 Revoke: a Compromise Occurrence Date comes with a compromise only.
  if (request.compromise_occurrence_date && !IsCompromise(request.reason)) {
    return Reject(ResultReason::kInvalidField, "a Compromise Occurrence Date, but no compromise");
  }
  if (request.message.size() > kMostMessageBytes) {
    return Reject(ResultReason::kInvalidField, "the Revocation Message is too long");
  }
  return {};
}

// kmip-2.1 4.57 State: transitions 3, 5, 6, 8 and 10.
Result<State> NextState(State state, bool compromise) {
  if (compromise) {
    if (state == State::kDestroyed) return State::kDestroyedCompromised;
    if (state != State::kCompromised && state != State::kDestroyedCompromised) {
      return State::kCompromised;
    }
  } else if (state == State::kActive) {
    return State::kDeactivated;
  }
  return Reject(ResultReason::kWrongKeyLifecycleState,
                "the object's state cannot be left for this reason");
}

}  // namespace

Result<kmip::RevokeResponse> Revoke(const kmip::RevokeRequest& request, OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  TRY(CheckRequest(request, context.version()));
  AttributeSet attributes = stored->object.attributes;
  SettleState(attributes, context.now());
  const bool compromise = IsCompromise(request.reason);
  const State next = TRY(NextState(EffectiveState(attributes, context.now()), compromise));
  attributes.Set(Attribute::OfEnumeration(Tag::kState, static_cast<std::uint32_t>(next)));
  attributes.Set(MakeReason(request));
  if (compromise) {
    //= kmip-2.1 6.1.44 Revoke
    //# if a value is not provided [...] SHOULD be set to the Initial Date for the object
    const std::int64_t occurred = request.compromise_occurrence_date.value_or(
        attributes.Date(Tag::kInitialDate).value_or(stored->created));
    attributes.Set(Attribute::OfDate(Tag::kCompromiseDate, context.now()));
    attributes.Set(Attribute::OfDate(Tag::kCompromiseOccurrenceDate, occurred));
  } else {
    attributes.Set(Attribute::OfDate(Tag::kDeactivationDate, context.now()));
  }
  TRY(context.Update(*stored, std::move(attributes)));
  context.Answered(stored->object.id);
  return kmip::RevokeResponse{.id = stored->object.id};
}

}  // namespace dare::engine
