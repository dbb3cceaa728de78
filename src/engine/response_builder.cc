#include "engine/response_builder.h"

#include "base/bytes.h"
#include "kmip/tags.h"

namespace dare::engine {

using kmip::ResultStatus;
using kmip::Tag;

ResponseBuilder::ResponseBuilder(WipingBytes& answer, const kmip::ResponseHeader& header)
    : answer_(answer), out_(answer), message_(Start(header)), count_at_(answer.size() - 8) {}

ttlv::Writer::Mark ResponseBuilder::Start(const kmip::ResponseHeader& header) {
  answer_.clear();
  answer_.reserve(512);
  const ttlv::Writer::Mark mark = out_.Begin(Tag::kResponseMessage);
  kmip::WriteResponseHeader(out_, header);  // ends with Batch Count
  return mark;
}

void ResponseBuilder::Refuse(const kmip::RequestItem* item, ResultStatus status,
                             kmip::ResultReason reason, const std::string& message) {
  kmip::ResponseItem head;
  if (item != nullptr) {
    head.operation = item->operation;
    head.unique_batch_item_id = item->unique_batch_item_id;
  }
  head.status = status;
  head.reason = reason;
  head.message = message;
  out_.Structure(Tag::kBatchItem, [&] { kmip::WriteResponseItemHead(out_, head); });
  CountItem();
}

void ResponseBuilder::Pend(const kmip::RequestItem& item, ByteView asynchronous_correlation) {
  kmip::ResponseItem head;
  head.operation = item.operation;
  head.unique_batch_item_id = item.unique_batch_item_id;
  head.status = ResultStatus::kOperationPending;
  head.asynchronous_correlation = asynchronous_correlation;
  out_.Structure(Tag::kBatchItem, [&] { kmip::WriteResponseItemHead(out_, head); });
  CountItem();
}

void ResponseBuilder::MarkUndone(std::size_t first_at) {
  ttlv::Reader items = ttlv::Reader::Members(From(first_at));
  while (!items.AtEnd()) {
    const auto item = items.Next();
    if (!item || items.AtEnd()) return;  // the last one is the one that failed
    auto members = item->Members();
    while (members && !members->AtEnd()) {
      const auto member = members->Next();
      if (!member) break;
      if (member->tag != Tag::kResultStatus) continue;
      const auto at = static_cast<std::size_t>(member->value.data() - answer_.data());
      PutU32(answer_.data() + at, static_cast<std::uint32_t>(ResultStatus::kOperationUndone));
    }
  }
}

void ResponseBuilder::Finish() {
  out_.End(message_);
  PutU32(answer_.data() + count_at_, count_);
}

}  // namespace dare::engine
