#include "tree/manifest.h"

#include <algorithm>
#include <utility>

namespace dare::tree {
namespace {

constexpr std::string_view kMagic = "DARETREE";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint16_t kNamesEncrypted = 1;
constexpr std::size_t kHeaderBytes = 8 + 2 + 2 + 8 + 8 + 16;
constexpr std::size_t kEndBytes = 1 + 4 * 8;

Error Malformed() { return Error(Code::kDamaged, "the manifest does not follow its format"); }

}  // namespace

Result<ManifestWriter> ManifestWriter::Begin(envelope::ByteSink& out,
                                             const ManifestHeader& header) {
  Bytes bytes(kHeaderBytes);
  std::copy(kMagic.begin(), kMagic.end(), bytes.begin());
  PutU16(bytes.data() + 8, kVersion);
  PutU16(bytes.data() + 10, header.names_encrypted ? kNamesEncrypted : 0);
  PutU64(bytes.data() + 12, header.generation);
  PutU64(bytes.data() + 20, static_cast<std::uint64_t>(header.created));
  std::copy(header.boot_id.begin(), header.boot_id.end(), bytes.begin() + 28);
  TRY(out.Write(bytes));
  return ManifestWriter(out);
}

Result<void> ManifestWriter::Record(ByteView record) {
  if (record.size() > kMostRecordBytes) return Error(Code::kTooLarge, "its record is too long");
  Bytes bytes(4);
  PutU32(bytes.data(), static_cast<std::uint32_t>(record.size()));
  Append(bytes, record);
  return out_->Write(bytes);
}

Result<void> ManifestWriter::Add(const Entry& entry) {
  const Bytes record = TRY(EncodeEntry(entry));
  return Record(record);
}

Result<void> ManifestWriter::Fill(std::size_t bytes) {
  return Record(Bytes(bytes - 4, static_cast<std::uint8_t>(EntryKind::kFiller)));
}

Result<void> ManifestWriter::End(const ManifestTotals& totals) {
  Bytes record(kEndBytes);
  record[0] = static_cast<std::uint8_t>(EntryKind::kEnd);
  PutU64(record.data() + 1, totals.entries);
  PutU64(record.data() + 9, totals.files);
  PutU64(record.data() + 17, totals.bytes);
  PutU64(record.data() + 25, totals.messages);
  return Record(record);
}

Result<ManifestReader> ManifestReader::Begin(envelope::ByteSource& in) {
  ManifestReader reader(in);
  Bytes bytes(kHeaderBytes);
  TRY(reader.Fill(bytes));
  const std::uint16_t flags = GetU16(bytes.data() + 10);
  if (AsText(ByteView(bytes).first(8)) != kMagic || (flags & ~kNamesEncrypted) != 0) {
    return Malformed();
  }
  if (GetU16(bytes.data() + 8) != kVersion) {
    return Error(Code::kUnsupported, "the tree was sealed by a later version");
  }
  reader.header_.names_encrypted = flags == kNamesEncrypted;
  reader.header_.generation = GetU64(bytes.data() + 12);
  reader.header_.created = static_cast<std::int64_t>(GetU64(bytes.data() + 20));
  std::copy(bytes.begin() + 28, bytes.end(), reader.header_.boot_id.begin());
  return reader;
}

Result<void> ManifestReader::Fill(MutableBytes bytes) {
  if (TRY(in_->Read(bytes)) != bytes.size()) return Malformed();
  return {};
}

Result<ByteView> ManifestReader::Record() {
  std::uint8_t length[4];
  TRY(Fill(length));
  const std::uint32_t n = GetU32(length);
  if (n == 0 || n > kMostRecordBytes) return Malformed();
  record_.resize(n);
  TRY(Fill(record_));
  return ByteView(record_);
}

Result<std::optional<Entry>> ManifestReader::Next() {
  std::optional<Entry> none;
  while (!ended_) {
    const ByteView record = TRY(Record());
    if (record[0] == static_cast<std::uint8_t>(EntryKind::kFiller)) {
      if (std::any_of(record.begin(), record.end(), [](auto b) { return b != 0; })) {
        return Malformed();
      }
      continue;
    }
    if (record[0] == static_cast<std::uint8_t>(EntryKind::kEnd)) {
      TRY(ReadEnd(record));
      continue;
    }
    DecodedEntry decoded = TRY(DecodeEntry(record));
    TRY(Place(decoded));
    return std::optional<Entry>(std::move(decoded.entry));
  }
  return none;
}

Result<void> ManifestReader::ReadEnd(ByteView record) {
  if (record.size() != kEndBytes) return Malformed();
  totals_ = {GetU64(record.data() + 1), GetU64(record.data() + 9), GetU64(record.data() + 17),
             GetU64(record.data() + 25)};
  std::uint8_t more = 0;
  const bool last = TRY(in_->Read({&more, 1})) == 0;
  if (!last || totals_.entries != entries_ || totals_.files != files_ || entries_ == 0) {
    return Malformed();
  }
  ended_ = true;
  return {};
}

// Gives the entry its path, from the folders that are open.
Result<void> ManifestReader::Place(DecodedEntry& decoded) {
  Entry& entry = decoded.entry;
  if (entries_ == 0) {
    if (decoded.depth != 0) return Malformed();
    folders_.emplace_back();
  } else {
    if (decoded.depth == 0 || decoded.depth > folders_.size()) return Malformed();
    folders_.resize(decoded.depth);
    const std::string& folder = folders_.back();
    if (!folder.empty()) entry.path = folder + "/" + entry.path;
    if (entry.path.size() > kMostPathBytes) return Malformed();
    if (ComparePaths(previous_, entry.path) >= 0) return Malformed();
    if (entry.kind == EntryKind::kFolder) folders_.push_back(entry.path);
  }
  previous_ = entry.path;
  ++entries_;
  if (entry.kind == EntryKind::kFile) ++files_;
  return {};
}

}  // namespace dare::tree
