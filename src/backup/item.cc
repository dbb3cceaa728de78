#include "backup/item.h"

#include <algorithm>
#include <utility>

#include "store/index_codec.h"

namespace dare::backup {
namespace {

constexpr std::string_view kMagic = "DAREBKUP";
constexpr std::uint16_t kVersion = 1;

constexpr std::uint8_t kHead = 1;
constexpr std::uint8_t kFact = 2;
constexpr std::uint8_t kRecord = 3;
constexpr std::uint8_t kAttachment = 4;
constexpr std::uint8_t kEnd = 255;

constexpr std::size_t kItemHead = 1 + 4;        // kind, length of the content
constexpr std::size_t kMostContent = 1u << 30;  // an attachment's; records have far less
constexpr std::size_t kDigestBytes = 32;

Error Damaged(const std::string& what) { return Error(Code::kDamaged, "the backup " + what); }

class Fields {
 public:
  void Number(std::uint64_t number) {
    std::uint8_t encoded[8];
    PutU64(encoded, number);
    Append(bytes_, encoded);
  }
  void Field(ByteView bytes) {
    std::uint8_t length[4];
    PutU32(length, static_cast<std::uint32_t>(bytes.size()));
    Append(bytes_, length);
    Append(bytes_, bytes);
  }
  void Field(std::string_view text) { Field(AsBytes(text)); }
  ByteView bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

class FieldReader {
 public:
  explicit FieldReader(ByteView bytes) : rest_(bytes) {}
  Result<std::uint64_t> Number() {
    const ByteView bytes = TRY(Take(8));
    return GetU64(bytes.data());
  }
  Result<std::uint32_t> Code() {
    const std::uint64_t number = TRY(Number());
    if (number > 0xFFFFFFFF) return Damaged("has a number out of range");
    return static_cast<std::uint32_t>(number);
  }
  Result<ByteView> Field() {
    const ByteView length = TRY(Take(4));
    return Take(GetU32(length.data()));
  }
  Result<std::string> Text() {
    const ByteView bytes = TRY(Field());
    return std::string(AsText(bytes));
  }
  Result<void> End() const {
    if (!rest_.empty()) return Damaged("has an item that is too long");
    return {};
  }

 private:
  Result<ByteView> Take(std::size_t size) {
    if (rest_.size() < size) return Damaged("has an item that is too short");
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  ByteView rest_;
};

Result<Head> DecodeHead(ByteView content) {
  FieldReader in(content);
  if (TRY(in.Text()) != kMagic) return Damaged("is none: it begins otherwise");
  if (const std::uint64_t version = TRY(in.Number()); version != kVersion) {
    return Error(Code::kUnsupported,
                 "the backup has format " + std::to_string(version) + "; use the newer program");
  }
  Head head;
  head.created = static_cast<std::int64_t>(TRY(in.Number()));
  head.node = TRY(in.Text());
  head.program = TRY(in.Text());
  TRY(in.End());
  return head;
}

Result<store::ObjectRecord> DecodeRecord(ByteView content) {
  FieldReader in(content);
  store::ObjectRecord record;
  record.id = TRY(in.Text());
  record.row_version = TRY(in.Number());
  record.object_type = TRY(in.Code());
  record.state = TRY(in.Code());
  record.owner = TRY(in.Text());
  record.created = static_cast<std::int64_t>(TRY(in.Number()));
  const ByteView index = TRY(in.Field());
  record.index = TRY(store::DecodeIndex(index));
  record.attributes = ToBytes(TRY(in.Field()));
  record.material = ToBytes(TRY(in.Field()));
  TRY(in.End());
  return record;
}

Result<crypto::DigestStream> NewDigest() {
  return crypto::DigestStream::Begin(crypto::HashAlgorithm::kSha256);
}

}  // namespace

Result<ItemWriter> ItemWriter::Begin() { return ItemWriter(TRY(NewDigest())); }

Result<void> ItemWriter::Add(std::uint8_t kind, ByteView content, Bytes& out) {
  if (content.size() > kMostContent) return Error(Code::kTooLarge, "too large for a backup");
  std::uint8_t head[kItemHead];
  head[0] = kind;
  PutU32(head + 1, static_cast<std::uint32_t>(content.size()));
  const std::size_t start = out.size();
  Append(out, head);
  Append(out, content);
  return digest_.Update(ByteView(out).subspan(start));
}

Result<void> ItemWriter::Put(const Head& head, Bytes& out) {
  Fields fields;
  fields.Field(kMagic);
  fields.Number(kVersion);
  fields.Number(static_cast<std::uint64_t>(head.created));
  fields.Field(head.node);
  fields.Field(head.program);
  return Add(kHead, fields.bytes(), out);
}

Result<void> ItemWriter::Put(const Fact& fact, Bytes& out) {
  Fields fields;
  fields.Field(fact.key);
  fields.Field(ByteView(fact.value));
  ++counts_.facts;
  return Add(kFact, fields.bytes(), out);
}

Result<void> ItemWriter::Put(const store::ObjectRecord& record, Bytes& out) {
  Fields fields;
  fields.Field(record.id);
  fields.Number(record.row_version);
  fields.Number(record.object_type);
  fields.Number(record.state);
  fields.Field(record.owner);
  fields.Number(static_cast<std::uint64_t>(record.created));
  fields.Field(ByteView(store::EncodeIndex(record.index)));
  fields.Field(ByteView(record.attributes));
  fields.Field(ByteView(record.material));
  ++counts_.records;
  return Add(kRecord, fields.bytes(), out);
}

Result<void> ItemWriter::Put(const Attachment& attachment, Bytes& out) {
  Fields fields;
  fields.Field(attachment.role);
  fields.Field(ByteView(attachment.content));
  ++counts_.attachments;
  return Add(kAttachment, fields.bytes(), out);
}

Result<void> ItemWriter::End(Bytes& out) {
  Fields fields;
  fields.Number(counts_.records);
  fields.Number(counts_.facts);
  fields.Number(counts_.attachments);
  const Bytes digest = TRY(digest_.Finish());
  fields.Field(ByteView(digest));
  std::uint8_t head[kItemHead];
  head[0] = kEnd;
  PutU32(head + 1, static_cast<std::uint32_t>(fields.bytes().size()));
  Append(out, head);
  Append(out, fields.bytes());
  return {};
}

Result<ItemReader> ItemReader::Begin(ItemVisitor& visitor) {
  return ItemReader(visitor, TRY(NewDigest()));
}

Result<void> ItemReader::Push(ByteView bytes) {
  Append(pending_, bytes);
  ByteView rest = pending_;
  while (rest.size() >= kItemHead) {
    const std::size_t size = GetU32(rest.data() + 1);
    if (size > kMostContent) return Damaged("has an item of an impossible size");
    if (rest.size() < kItemHead + size) break;
    const ByteView whole = rest.first(kItemHead + size);
    TRY(TakeItem(rest[0], whole.subspan(kItemHead), whole));
    rest = rest.subspan(whole.size());
  }
  pending_.erase(pending_.begin(), pending_.end() - static_cast<std::ptrdiff_t>(rest.size()));
  return {};
}

Result<void> ItemReader::TakeItem(std::uint8_t kind, ByteView content, ByteView whole) {
  if (ended_) return Damaged("goes on after its end");
  if (has_head_ != (kind != kHead)) return Damaged("does not begin with its head");
  if (kind == kEnd) return TakeEnd(content);
  TRY(digest_.Update(whole));
  FieldReader in(content);
  switch (kind) {
    case kHead:
      has_head_ = true;
      return visitor_->Take(TRY(DecodeHead(content)));
    case kFact: {
      Fact fact;
      fact.key = TRY(in.Text());
      fact.value = ToBytes(TRY(in.Field()));
      TRY(in.End());
      ++counts_.facts;
      return visitor_->Take(std::move(fact));
    }
    case kRecord:
      ++counts_.records;
      return visitor_->Take(TRY(DecodeRecord(content)));
    case kAttachment: {
      Attachment attachment;
      attachment.role = TRY(in.Text());
      attachment.content = ToBytes(TRY(in.Field()));
      TRY(in.End());
      ++counts_.attachments;
      return visitor_->Take(std::move(attachment));
    }
    default:
      return Damaged("has an item of an unknown kind");
  }
}

Result<void> ItemReader::TakeEnd(ByteView content) {
  FieldReader in(content);
  Counts counts;
  counts.records = TRY(in.Number());
  counts.facts = TRY(in.Number());
  counts.attachments = TRY(in.Number());
  const ByteView digest = TRY(in.Field());
  TRY(in.End());
  if (digest.size() != kDigestBytes || !std::ranges::equal(digest, TRY(digest_.Finish()))) {
    return Damaged("does not have its digest");
  }
  if (counts != counts_) return Damaged("does not have as much as it says");
  ended_ = true;
  return {};
}

Result<void> ItemReader::Finish() const {
  if (!ended_ || !pending_.empty()) return Damaged("is cut off");
  return {};
}

}  // namespace dare::backup
