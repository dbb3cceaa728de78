#include "tree/manifest.h"

#include <gtest/gtest.h>

#include "envelope/envelope_for_test.h"

namespace dare::tree {
namespace {

Entry FolderEntry(const std::string& path) {
  Entry entry;
  entry.kind = EntryKind::kFolder;
  entry.path = path;
  entry.mode = 0755;
  return entry;
}

Entry FileEntry(const std::string& path) {
  Entry entry;
  entry.path = path;
  entry.mode = 0640;
  entry.owner = 1000;
  entry.group = 100;
  entry.modified = {-5, 999'999'999};
  entry.file.size = 10;
  entry.file.sealed_size = 260;
  entry.file.message_id.fill(7);
  entry.file.inode = 12;
  entry.file.changed = {1, 2};
  return entry;
}

std::vector<Entry> EveryKind() {
  Entry sparse = FileEntry("a/sparse");
  sparse.file.size = 1u << 30;
  sparse.file.sparse = true;
  sparse.file.extents = {{0, 4096}, {1u << 20, 100}};
  sparse.attributes = {{"user.note", Bytes{1, 2, 3}}, {"user.empty", {}}};
  Entry linked = FileEntry("a/z");
  linked.file.linked = true;
  Entry link = FileEntry("b");
  link.kind = EntryKind::kLink;
  link.file = {};
  link.target = "../anywhere";
  Entry device = link;
  device.kind = EntryKind::kBlockDevice;
  device.path = "c";
  device.target.clear();
  device.major = 8;
  device.minor = 1;
  Entry fifo = device;
  fifo.kind = EntryKind::kFifo;
  fifo.path = "d";
  fifo.major = fifo.minor = 0;
  return {FolderEntry(""), FolderEntry("a"), sparse, linked, FileEntry("a.b"), link, device, fifo};
}

Bytes Written(const std::vector<Entry>& entries, std::optional<ManifestTotals> totals = {}) {
  envelope::MemorySink sink;
  ManifestHeader header;
  header.generation = 3;
  ManifestWriter writer = ManifestWriter::Begin(sink, header).value();
  ManifestTotals counted;
  for (const Entry& entry : entries) {
    EXPECT_TRUE(writer.Add(entry));
    ++counted.entries;
    if (entry.kind == EntryKind::kFile) ++counted.files;
  }
  EXPECT_TRUE(writer.Fill(ManifestWriter::kLeastFiller));
  EXPECT_TRUE(writer.End(totals.value_or(counted)));
  return Bytes(sink.bytes().begin(), sink.bytes().end());
}

Result<std::vector<Entry>> ReadAll(ByteView bytes) {
  envelope::MemorySource source(bytes);
  ManifestReader reader = TRY(ManifestReader::Begin(source));
  std::vector<Entry> entries;
  for (;;) {
    std::optional<Entry> entry = TRY(reader.Next());
    if (!entry) return entries;
    entries.push_back(*std::move(entry));
  }
}

bool Refused(const std::vector<Entry>& entries) {
  const auto read = ReadAll(Written(entries));
  return !read && read.error().code == Code::kDamaged;
}

TEST(Manifest, ReadsEveryKindOfEntryAsItWasWritten) {
  const auto read = ReadAll(Written(EveryKind()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, EveryKind());
}

TEST(Manifest, OrdersAFolderBeforeWhatIsInItAndThatBeforeItsNeighbours) {
  EXPECT_TRUE(ComparePaths("a", "a/b") < 0);
  EXPECT_TRUE(ComparePaths("a/b", "a.b") < 0);
  EXPECT_TRUE(ComparePaths("", "a") < 0);
  EXPECT_TRUE(ComparePaths("a/b", "a/b") == 0);
  EXPECT_TRUE(ComparePaths("a\xff", "a/z") > 0);
}

TEST(Manifest, RefusesNamesThatLeadElsewhere) {
  for (const std::string name : {"..", ".", "x/../y", "/etc", ""}) {
    EXPECT_FALSE(IsSafeName(name)) << name;
    // A record whose name was replaced, as no writer makes it.
    Bytes record = EncodeEntry(FileEntry("12345678")).value();
    const std::size_t kName = 4;
    Bytes forged(record.begin(), record.begin() + kName);
    forged.push_back(0);
    forged.push_back(static_cast<std::uint8_t>(name.size()));
    Append(forged, AsBytes(name));
    forged.insert(forged.end(), record.begin() + kName + 2 + 8, record.end());
    EXPECT_FALSE(DecodeEntry(forged)) << name;
  }
  EXPECT_TRUE(Refused({FolderEntry(""), FileEntry("..")}));
  EXPECT_FALSE(IsSafeName(std::string("a\0b", 3)));
}

TEST(Manifest, RefusesDuplicatesDisorderAndMissingFolders) {
  EXPECT_TRUE(Refused({FolderEntry(""), FileEntry("a"), FileEntry("a")}));
  EXPECT_TRUE(Refused({FolderEntry(""), FileEntry("b"), FileEntry("a")}));
  EXPECT_TRUE(Refused({FolderEntry(""), FileEntry("a"), FileEntry("a/b")}));
  EXPECT_TRUE(Refused({FolderEntry(""), FolderEntry("a"), FileEntry("a/b/c")}));
  EXPECT_TRUE(Refused({FileEntry("a")}));
  EXPECT_TRUE(Refused({FolderEntry(""), FolderEntry("")}));
  EXPECT_TRUE(Refused({}));
}

TEST(Manifest, RefusesExtentsThatOverlapOrLeaveTheFile) {
  for (const std::vector<Extent>& extents :
       {std::vector<Extent>{{0, 8}, {4, 4}}, std::vector<Extent>{{8, 4}},
        std::vector<Extent>{{0, 0}}, std::vector<Extent>{{~0ull, 2}}}) {
    Entry entry = FileEntry("a");
    entry.file.sparse = true;
    entry.file.extents = extents;
    EXPECT_TRUE(Refused({FolderEntry(""), entry}));
  }
}

TEST(Manifest, RefusesTotalsThatLieAndWhatComesAfterTheEnd) {
  const std::vector<Entry> entries = {FolderEntry(""), FileEntry("a")};
  EXPECT_FALSE(ReadAll(Written(entries, ManifestTotals{3, 1, 0, 0})));
  EXPECT_FALSE(ReadAll(Written(entries, ManifestTotals{2, 2, 0, 0})));
  Bytes longer = Written(entries);
  longer.push_back(0);
  EXPECT_FALSE(ReadAll(longer));
}

TEST(Manifest, RefusesEveryCutAndLengthsBeforeMemoryIsTaken) {
  const Bytes whole = Written(EveryKind());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ReadAll(ByteView(whole).first(size))) << size;
  }
  Bytes lying = whole;
  PutU32(lying.data() + 44, 0xFFFFFFFF);  // the length of the first record
  EXPECT_FALSE(ReadAll(lying));
}

TEST(Manifest, RefusesALaterVersionByName) {
  Bytes later = Written({FolderEntry("")});
  later[9] = 2;
  const auto read = ReadAll(later);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kUnsupported);
}

TEST(Manifest, AFileCostsLessThan512BytesBesideItsContent) {
  const Bytes record = EncodeEntry(FileEntry(std::string(120, 'n'))).value();
  constexpr std::size_t kMessage = 210 + 40;  // header and final frame
  EXPECT_LE(4 + record.size() + kMessage, 512u);
}

}  // namespace
}  // namespace dare::tree
