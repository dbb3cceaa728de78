#include "backup/backup_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>
#include <utility>

#include "backup/hsm_keyring.h"
#include "base/file.h"
#include "envelope/io.h"
#include "envelope/message_opener.h"
#include "envelope/message_sealer.h"
#include "envelope/output_file.h"

namespace dare::backup {
namespace {

constexpr std::size_t kPageRows = 256;

envelope::Keyring KeyringOf(hsm::Sealer& sealer) {
  return {std::make_shared<HsmKeyWrapper>(sealer)};
}

// The items of a backup as a stream of bytes, made as they are asked for.
class ItemSource : public envelope::ByteSource {
 public:
  ItemSource(const store::WholeReader& snapshot, const std::vector<Attachment>& attachments,
             ItemWriter writer, std::deque<std::string> facts, std::uint64_t extent,
             const CopyOptions& options)
      : snapshot_(snapshot),
        attachments_(attachments),
        writer_(std::move(writer)),
        facts_(std::move(facts)),
        extent_(extent),
        options_(options) {}

  Result<void> Begin(const Head& head) { return writer_.Put(head, ready_); }

  Result<std::size_t> Read(MutableBytes buffer) override {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
      if (taken_ == ready_.size() && !TRY(MakeMore())) break;
      const std::size_t size = std::min(buffer.size() - filled, ready_.size() - taken_);
      std::copy_n(ready_.data() + taken_, size, buffer.data() + filled);
      filled += size;
      taken_ += size;
    }
    return filled;
  }

  const Counts& counts() const { return writer_.counts(); }

 private:
  // False at the end.
  Result<bool> MakeMore() {
    ready_.clear();
    taken_ = 0;
    if (options_.cancelled != nullptr && *options_.cancelled) return Interrupted();
    if (next_attachment_ < attachments_.size()) {
      TRY(writer_.Put(attachments_[next_attachment_++], ready_));
      return true;
    }
    if (!facts_.empty()) {
      const Bytes value = TRY(snapshot_.GetMeta(facts_.front()));
      TRY(writer_.Put(Fact{facts_.front(), value}, ready_));
      facts_.pop_front();
      return true;
    }
    if (ended_) return false;
    if (more_records_) return MakeRecords();
    ended_ = true;
    TRY(writer_.End(ready_));
    return true;
  }

  Result<bool> MakeRecords() {
    const auto page = TRY(snapshot_.Scan(after_, kPageRows));
    for (const store::PlacedRecord& placed : page.items) {
      if (placed.damage) return placed.damage->In("object " + placed.record.id);
      TRY(writer_.Put(placed.record, ready_));
    }
    after_ = page.next;
    more_records_ = page.next != 0;
    if (options_.progress) options_.progress(more_records_ ? after_ : extent_, extent_);
    return ready_.empty() ? MakeMore() : Result<bool>(true);
  }

  const store::WholeReader& snapshot_;
  const std::vector<Attachment>& attachments_;
  ItemWriter writer_;
  std::deque<std::string> facts_;
  const std::uint64_t extent_;
  const CopyOptions& options_;
  std::size_t next_attachment_ = 0;
  std::uint64_t after_ = 0;
  bool more_records_ = true;
  bool ended_ = false;
  Bytes ready_;
  std::size_t taken_ = 0;
};

class ItemSink : public envelope::ByteSink {
 public:
  explicit ItemSink(ItemReader reader) : reader_(std::move(reader)) {}
  Result<void> Write(ByteView bytes) override { return reader_.Push(bytes); }
  const ItemReader& reader() const { return reader_; }

 private:
  ItemReader reader_;
};

// Remembers the head for the summary.
class KeepHead : public ItemVisitor {
 public:
  KeepHead(ItemVisitor& inner, Head& head) : inner_(inner), head_(head) {}
  Result<void> Take(const Head& head) override {
    head_ = head;
    return inner_.Take(head);
  }
  Result<void> Take(Fact fact) override { return inner_.Take(std::move(fact)); }
  Result<void> Take(store::ObjectRecord record) override { return inner_.Take(std::move(record)); }
  Result<void> Take(Attachment attachment) override { return inner_.Take(std::move(attachment)); }

 private:
  ItemVisitor& inner_;
  Head& head_;
};

}  // namespace

Result<BackupSummary> WriteBackup(const store::WholeReader& snapshot, const Head& head,
                                  const std::vector<Attachment>& attachments, hsm::Sealer& sealer,
                                  const std::string& path, const CopyOptions& options) {
  std::deque<std::string> facts;
  for (std::string& key : TRY(snapshot.ListMeta(""))) {
    if (BelongsInBackup(key)) facts.push_back(std::move(key));
  }
  envelope::OutputFile file = TRY(envelope::OutputFile::Create(path, false));
  envelope::MessageOptions message;
  TRY(message.context.Add("dare-backup", "1"));
  auto sealed = TRY(envelope::MessageSealer::Create(KeyringOf(sealer), message));
  envelope::FdSink sink(file.fd(), path, options.cancelled);
  TRY(sink.Write(sealed.header()));
  ItemSource source(snapshot, attachments, TRY(ItemWriter::Begin()), std::move(facts),
                    TRY(snapshot.Extent()), options);
  TRY(source.Begin(head));
  envelope::FlowOptions flow;
  flow.cancelled = options.cancelled;
  TRY(envelope::SealBody(sealed, {.stream = &source}, {.stream = &sink}, flow));
  BackupSummary summary{.head = head, .counts = source.counts()};
  if (file.regular()) {
    const auto reader = TRY(envelope::FileReader::Create(file.fd(), path));
    summary.bytes = reader.size();
    TRY(file.Commit(std::nullopt, 0600));
  }
  return summary;
}

Result<BackupSummary> ReadBackup(const std::string& path, hsm::Sealer& sealer, ItemVisitor& visitor,
                                 const CopyOptions& options) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return IoError("cannot open " + path, errno);
  const auto file = TRY(envelope::FileReader::Create(fd.get(), path));
  envelope::ReaderSource start(file, 0);
  const envelope::ReadOptions reading;
  auto header = envelope::ReadHeader(start, reading.limits);
  if (!header) return header.error().In(path + " is no backup");
  if (header->context.Find("dare-backup") == nullptr) {
    return Error(Code::kDamaged, path + " is sealed, but no backup");
  }
  auto message = envelope::AuthenticateHeader(std::move(*header), KeyringOf(sealer), reading);
  if (!message) return message.error().In(path);
  BackupSummary summary;
  KeepHead keeper(visitor, summary.head);
  ItemSink sink(TRY(ItemReader::Begin(keeper)));
  envelope::FlowOptions flow;
  flow.cancelled = options.cancelled;
  if (options.progress) {
    flow.progress = [&](std::uint64_t done, std::optional<std::uint64_t> total) {
      options.progress(done, total.value_or(0));
    };
  }
  const auto opened =
      envelope::OpenBodyFile(std::move(*message), file, start.offset(), {.stream = &sink}, flow);
  if (!opened) return opened.error().In(path);
  if (auto whole = sink.reader().Finish(); !whole) return whole.error().In(path);
  summary.counts = sink.reader().counts();
  summary.bytes = file.size();
  return summary;
}

}  // namespace dare::backup
