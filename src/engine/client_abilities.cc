#include "engine/client_abilities.h"

#include <algorithm>
#include <utility>

#include "engine/versions.h"
#include "kmip/message.h"
#include "kmip/payloads/discover_versions.h"
#include "kmip/payloads/query.h"
#include "kmip/single_request.h"
#include "kmip/tags.h"
#include "ttlv/validate.h"

namespace dare::engine {
namespace {

using kmip::Operation;

// What an answer to a question may cost.
constexpr ttlv::Limits kLimits{.max_message_bytes = 64u << 10, .max_items = 4096};

// Else it is a refusal, or says nothing.
bool Answers(const kmip::ResponseItem& answer, Operation operation) {
  return answer.status == kmip::ResultStatus::kSuccess && answer.operation == operation &&
         answer.payload.has_value();
}

}  // namespace

bool ClientAbilities::Takes(Operation operation) const {
  return !operations_ || std::ranges::find(*operations_, operation) != operations_->end();
}

std::optional<WipingBytes> ClientAbilities::Question() const {
  switch (stage_) {
    case Stage::kVersions: {
      //= kmip-2.1 6.2.1 Discover Versions
      //# The protocol versions SHALL be ranked in decreasing order of preference.
      const auto spoken = SupportedVersions();
      return kmip::SingleRequest(
          kmip::DiscoverVersionsRequest{.versions = {spoken.begin(), spoken.end()}}, *version_);
    }
    case Stage::kOperations:
      return kmip::SingleRequest(
          kmip::QueryRequest{.functions = {kmip::QueryFunction::kQueryOperations},
                             .object_groups = {}},
          *version_);
    case Stage::kKnown:
      break;
  }
  return std::nullopt;
}

Result<void> ClientAbilities::TakeAnswer(ByteView message) {
  TRY(ttlv::Validate(message, kLimits));
  kmip::ResponseMessage response = TRY(kmip::ResponseMessage::Open(message));
  const kmip::ResponseItem answer = TRY(response.Next());
  const kmip::ProtocolVersion version = response.header().version;
  switch (stage_) {
    case Stage::kVersions:
      return TakeVersions(answer, version);
    case Stage::kOperations:
      return TakeOperations(answer, version);
    case Stage::kKnown:
      break;
  }
  return {};
}

Result<void> ClientAbilities::TakeVersions(const kmip::ResponseItem& answer,
                                           kmip::ProtocolVersion version) {
  // Query came before Discover Versions, and may be known where that is not.
  stage_ = Stage::kOperations;
  if (!Answers(answer, Operation::kDiscoverVersions)) return {};
  ttlv::Reader payload = TRY(answer.payload->Members());
  const auto told = TRY(kmip::DiscoverVersionsResponse::Decode(payload, version));
  for (const kmip::ProtocolVersion spoken : SupportedVersions()) {
    if (std::ranges::find(told.versions, spoken) == told.versions.end()) continue;
    version_ = spoken;
    break;
  }
  if (*version_ < kmip::kVersion1_3) stage_ = Stage::kKnown;  // Query is not asked there
  return {};
}

Result<void> ClientAbilities::TakeOperations(const kmip::ResponseItem& answer,
                                             kmip::ProtocolVersion version) {
  stage_ = Stage::kKnown;
  if (!Answers(answer, Operation::kQuery)) return {};
  ttlv::Reader payload = TRY(answer.payload->Members());
  operations_ = TRY(kmip::QueryResponse::Decode(payload, version)).operations;
  return {};
}

}  // namespace dare::engine
