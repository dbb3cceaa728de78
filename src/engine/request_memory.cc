#include "engine/request_memory.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "crypto/digest.h"
#include "engine/operation_table.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/writer.h"

namespace dare::engine {
namespace {

using kmip::Operation;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

constexpr char kPrefix[] = "request/";
constexpr char kNamePurpose[] = "dare-request-name-1";
constexpr char kDigestPurpose[] = "dare-request-1";
constexpr char kRowPurpose[] = "dare-request-row-1";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kCheckBytes = 32;
constexpr std::size_t kNameBytes = 16;
constexpr std::int64_t kDay = 24 * 60 * 60;
// By how much clocks of nodes may differ.
constexpr std::int64_t kClockSkew = 10 * 60;

// How old rows are looked for: by the first digit of their names, so that a list is never of a
// whole day; as far back as no node can have stood still.
constexpr std::string_view kSlices = "0123456789abcdef";
constexpr std::size_t kSlicesAtOnce = 32;
constexpr std::size_t kForgottenAtOnce = 2000;
constexpr std::int64_t kLongestStandstill = 100;

// Tags of our own range, for the members of a row.
constexpr auto kPlaceholder = static_cast<Tag>(0x54DA11);
constexpr auto kAnsweredId = static_cast<Tag>(0x54DA12);
constexpr auto kMadeId = static_cast<Tag>(0x54DA13);
constexpr auto kObject = static_cast<Tag>(0x54DA14);

std::int64_t DayOf(std::int64_t time) { return time / kDay; }

// Where a row is written at `now`: around midnight under both days, so that two nodes that do the
// same request at once meet in one row whatever their clocks say, and one of them begins again.
std::vector<std::int64_t> DaysToWrite(std::int64_t now) {
  std::vector<std::int64_t> days = {DayOf(now - kClockSkew)};
  if (DayOf(now + kClockSkew) != days.front()) days.push_back(days.front() + 1);
  return days;
}

// Rows sort by the day on which they were written: old ones are forgotten a range at a time.
std::string DayPrefix(std::int64_t day) {
  std::string digits = std::to_string(std::max<std::int64_t>(day, 0));
  digits.insert(0, digits.size() < 5 ? 5 - digits.size() : 0, '0');
  return kPrefix + digits + "/";
}

// The days under which the row of a request that came within the last 24 hours may stand, and all
// those under which it would be written now.
std::vector<std::int64_t> DaysToLook(std::int64_t now) {
  std::vector<std::int64_t> days = {DayOf(now), DayOf(now) - 1};
  if (DaysToWrite(now).back() > days.front()) days.push_back(days.front() + 1);
  return days;
}

// A ticket with rights speaks for less than its principal does.
void WriteRights(ttlv::Writer& out, const policy::Principal& principal) {
  if (!principal.rights) return;
  for (const policy::Right& right : *principal.rights) {
    const ttlv::Writer::Mark mark = out.Begin(Tag::kRight);
    if (right.operations) {
      out.Structure(Tag::kOperations, [&] {
        for (const Operation operation : *right.operations) out.Enum(Tag::kOperation, operation);
      });
    }
    if (right.objects) {
      out.Structure(Tag::kObjects, [&] {
        for (const std::string& id : *right.objects) out.Text(Tag::kUniqueIdentifier, id);
      });
    }
    if (right.groups) {
      out.Structure(Tag::kObjectGroups, [&] {
        for (const std::string& group : *right.groups) out.Text(Tag::kObjectGroup, group);
      });
    }
    out.End(mark);
  }
}

Error Damaged() { return Error(Code::kDamaged, "a remembered request does not authenticate"); }

void WriteAnswer(ttlv::Writer& out, const RequestMemory::Request& request,
                 const RequestMemory::Answer& answer) {
  out.ByteString(Tag::kDigestValue, request.digest);
  out.DateTime(Tag::kTimeStamp, answer.time);
  if (!answer.object_id.empty()) out.Text(kObject, answer.object_id);
  if (!answer.placeholder.empty()) out.Text(kPlaceholder, answer.placeholder);
  for (const std::string& id : answer.answered_ids) out.Text(kAnsweredId, id);
  for (const std::string& id : answer.made) out.Text(kMadeId, id);
  out.Structure(Tag::kResponsePayload, [&] { out.Raw(answer.payload); });
}

struct Row {
  Bytes digest;
  RequestMemory::Answer answer;
};

Result<Row> ReadRow(ByteView content) {
  ttlv::Reader in = ttlv::Reader::Members(content);
  Row row;
  const ByteView digest = TRY(in.ByteString(Tag::kDigestValue));
  row.digest.assign(digest.begin(), digest.end());
  row.answer.time = TRY(in.DateTime(Tag::kTimeStamp));
  row.answer.object_id = TRY(in.OptionalText(kObject)).value_or("");
  row.answer.placeholder = TRY(in.OptionalText(kPlaceholder)).value_or("");
  while (in.At(kAnsweredId)) row.answer.answered_ids.emplace_back(TRY(in.Text(kAnsweredId)));
  while (in.At(kMadeId)) row.answer.made.emplace_back(TRY(in.Text(kMadeId)));
  const ByteView payload = TRY(in.Structure(Tag::kResponsePayload)).rest();
  row.answer.payload.assign(payload.begin(), payload.end());
  TRY(in.End());
  return row;
}

}  // namespace

void RequestMemory::Answer::TakeFrom(const BatchMemory& batch, std::size_t answered_before,
                                     std::size_t made_before) {
  placeholder = batch.placeholder;
  for (std::size_t i = answered_before; i < batch.answered_ids.size(); ++i) {
    answered_ids.push_back(batch.answered_ids[i]);
  }
  for (std::size_t i = made_before; i < batch.made.size(); ++i) {
    made.push_back(batch.made[i].second);
  }
}

void RequestMemory::Answer::GiveTo(BatchMemory& batch, Operation operation) const {
  batch.placeholder = placeholder;
  for (const std::string& id : answered_ids) batch.answered_ids.push_back(id);
  for (const std::string& id : made) batch.made.emplace_back(operation, id);
}

bool RequestMemory::Remembers(Operation operation) {
  // Those two are about this process and about test cases, not about what the store keeps.
  if (operation == Operation::kProcess || operation == Operation::kInterop) return false;
  const OperationHandler* handler = FindOperationHandler(operation);
  return handler != nullptr && handler->changes;
}

Result<RequestMemory::Request> RequestMemory::Recognise(const Caller& caller,
                                                        const kmip::RequestHeader& header,
                                                        const kmip::RequestItem& item,
                                                        const BatchMemory& batch) const {
  ttlv::Writer name;
  name.Text(Tag::kUsername, caller.principal.name);
  WriteRights(name, caller.principal);
  name.ByteString(Tag::kMessageExtension, *item.identity);
  Bytes named = TRY(vault_.Authenticate(kNamePurpose, name.bytes()));
  named.resize(kNameBytes);

  ttlv::Writer asked;
  asked.Raw(name.bytes());
  kmip::WriteProtocolVersion(asked, header.version);
  asked.Enum(Tag::kOperation, item.operation);
  asked.Boolean(Tag::kEphemeral, item.ephemeral);
  if (header.batch_count > 1) {
    // What the item may refer to is part of what it means.
    asked.Text(kPlaceholder, batch.placeholder);
    for (const std::string& id : batch.answered_ids) asked.Text(kAnsweredId, id);
    for (const auto& [operation, id] : batch.made) {
      asked.Enum(Tag::kOperation, operation);
      asked.Text(kMadeId, id);
    }
  }
  asked.Copy(item.payload);
  // Hashed before it is copied any further: a Register holds a key.
  const crypto::Sha256Digest digest = crypto::Sha256(asked.bytes());
  return Request{.name = ToHex(named), .digest = TRY(vault_.Authenticate(kDigestPurpose, digest))};
}

Result<Bytes> RequestMemory::CheckOf(const std::string& key, ByteView content) const {
  Bytes checked(key.begin(), key.end());
  checked.push_back(0);
  Append(checked, content);
  return vault_.Authenticate(kRowPurpose, checked);
}

Result<std::optional<RequestMemory::Answer>> RequestMemory::Find(const store::ObjectReader& reader,
                                                                 const Request& request) const {
  for (const std::int64_t day : DaysToLook(clock_.Now())) {
    const std::string key = DayPrefix(day) + request.name;
    const Result<Bytes> kept = reader.GetMeta(key);
    if (!kept && kept.error().code == Code::kNotFound) continue;
    if (!kept) return kept.error();
    if (kept->size() < 1 + kCheckBytes || kept->front() != kVersion) return Damaged();
    const ByteView content = ByteView(*kept).first(kept->size() - kCheckBytes);
    const Bytes check = TRY(CheckOf(key, content));
    if (!EqualInConstantTime(check, ByteView(*kept).last(kCheckBytes))) return Damaged();
    Result<Row> row = ReadRow(content.subspan(1));
    if (!row) return Damaged();
    if (!EqualInConstantTime(row->digest, request.digest)) {
      return Reject(ResultReason::kInvalidField,
                    "this request identity was given to another request");
    }
    return std::optional<Answer>(std::move(row->answer));
  }
  return std::optional<Answer>();
}

Result<void> RequestMemory::Keep(store::Transaction& transaction, const Request& request,
                                 const Answer& answer) const {
  ttlv::Writer content;
  WriteAnswer(content, request, answer);
  for (const std::int64_t day : DaysToWrite(answer.time)) {
    const std::string key = DayPrefix(day) + request.name;
    Bytes row = {kVersion};
    Append(row, content.bytes());
    Append(row, TRY(CheckOf(key, row)));
    TRY(transaction.PutMeta(key, row));
  }
  return {};
}

Result<std::vector<std::string>> OldRequests::NextKeys(const store::ObjectStore& store,
                                                       std::int64_t last_day) {
  for (std::size_t looked = 0; day_ <= last_day && looked < kSlicesAtOnce; ++looked) {
    std::vector<std::string> keys = TRY(store.ListMeta(DayPrefix(day_) + kSlices[slice_]));
    if (!keys.empty()) return keys;
    slice_ = (slice_ + 1) % kSlices.size();
    if (slice_ == 0) ++day_;
  }
  return std::vector<std::string>();
}

Result<bool> OldRequests::ForgetSome(store::ObjectStore& store) {
  // A day more than a repeat is looked for: clocks differ.
  const std::int64_t last_day = DayOf(clock_.Now()) - 3;
  if (day_ == 0) day_ = last_day - kLongestStandstill;
  std::vector<std::string> keys = TRY(NextKeys(store, last_day));
  if (keys.empty()) return day_ <= last_day;
  keys.resize(std::min(keys.size(), kForgottenAtOnce));
  const auto transaction = TRY(store.Begin());
  for (const std::string& key : keys) TRY(transaction->RemoveMeta(key));
  TRY(transaction->Commit());
  return true;
}

}  // namespace dare::engine
