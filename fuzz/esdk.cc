// Any bytes as an ESDK message and as a key block area: nothing may crash, hang, take memory a
// length field asked for, or read outside. A header that we could have written is written again
// byte for byte, and the two ways to open a body (in order, and by computed places in a file) give
// the same verdict and the same plaintext.
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "envelope/key_block.h"
#include "envelope/message_opener.h"
#include "esdk_keys.h"

namespace dare::envelope {
namespace {

class MemoryReader final : public RandomReader {
 public:
  explicit MemoryReader(ByteView bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::size_t> ReadAt(std::uint64_t offset, MutableBytes buffer) const override {
    if (offset > bytes_.size()) return std::size_t{0};
    MemorySource rest(bytes_.subspan(static_cast<std::size_t>(offset)));
    return rest.Read(buffer);
  }

 private:
  ByteView bytes_;
};

ReadOptions OptionsForFuzz() {
  ReadOptions options;
  options.commitment = CommitmentPolicy::kInsecureAllow;
  options.limits.frame_length = 1 << 16;
  options.limits.non_framed_bytes = 1 << 16;
  return options;
}

// In a file, where the body may be opened by computed places.
void CompareWithFile(ByteView message, MessageHeader header, const Result<WipingBytes>& in_order) {
  const bool places = header.content_type == ContentType::kFramed &&
                      header.suite->signature == FooterSignature::kNone;
  if (!places) return;
  const std::size_t offset = header.size();
  auto authentic = AuthenticateHeader(std::move(header), KeysForFuzz(), OptionsForFuzz());
  if (!authentic) return;
  MemorySink sink;
  OpenOutput out;
  out.stream = &sink;
  FlowOptions flow;
  flow.workers = 1;
  const auto opened = OpenBodyFile(*std::move(authentic), MemoryReader(message), offset, out, flow);
  CHECK(opened.has_value() == in_order.has_value());
  CHECK(!opened || sink.bytes() == *in_order);
}

void TryMessage(ByteView message) {
  const ReadOptions options = OptionsForFuzz();
  MemorySource in(message);
  Result<MessageHeader> header = ReadHeader(in, options.limits);
  const Result<WipingBytes> opened = OpenMessage(message, KeysForFuzz(), options);
  CHECK(header.has_value() || !opened.has_value());
  if (!header) return;
  if (header->suite->header_version == 2) {
    const Result<Bytes> again = EncodeHeaderBody(*header);
    CHECK(again.has_value() && *again == header->body);
  }
  CompareWithFile(message, *std::move(header), opened);
}

void TryArea(ByteView bytes) {
  Bytes area(kKeyBlockAreaSize);
  std::copy_n(bytes.begin(), std::min(bytes.size(), area.size()), area.begin());
  const auto strict = OpenKeyBlockArea(area, KeysForFuzz(), SlotTolerance::kStrict);
  const auto repair = OpenKeyBlockArea(area, KeysForFuzz(), SlotTolerance::kRepair);
  CHECK(repair.has_value() || !strict.has_value());
}

}  // namespace
}  // namespace dare::envelope

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dare::envelope::TryMessage({data, size});
  dare::envelope::TryArea({data, size});
  return 0;
}
