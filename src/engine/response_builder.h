#pragma once

#include <cstdint>
#include <string>

#include "base/secret_bytes.h"
#include "kmip/message.h"
#include "ttlv/writer.h"

namespace dare::engine {

// The answer under construction: header, items, and the count that is only known at the end.
// One thread. `answer` outlives it.
class ResponseBuilder {
 public:
  ResponseBuilder(WipingBytes& answer, const kmip::ResponseHeader& header);

  ttlv::Writer& out() { return out_; }
  std::size_t size() const { return answer_.size(); }
  ByteView From(std::size_t size) const { return ByteView(answer_).subspan(size); }
  void Truncate(std::size_t size) { out_.Truncate(size); }
  void CountItem() { ++count_; }

  // An item without payload. Without `item`, one that answers the message as a whole.
  void Refuse(const kmip::RequestItem* item, kmip::ResultStatus status, kmip::ResultReason reason,
              const std::string& message);
  void Pend(const kmip::RequestItem& item, ByteView asynchronous_correlation);
  // Makes the items from `first_at` on, but for the last one, say Operation Undone.
  void MarkUndone(std::size_t first_at);
  void Finish();

 private:
  ttlv::Writer::Mark Start(const kmip::ResponseHeader& header);

  WipingBytes& answer_;
  ttlv::Writer out_;
  const ttlv::Writer::Mark message_;
  const std::size_t count_at_;
  std::uint32_t count_ = 0;
};

}  // namespace dare::engine
