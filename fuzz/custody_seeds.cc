// Writes the seeds of the targets custody_record, key_backup and key_share: one of each shape, and
// some that are refused.
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/check.h"
#include "base/file.h"
#include "custody/key_backup.h"

namespace dare::custody {
namespace {

struct Seeds {
  std::string folder;

  void Save(const std::string& name, ByteView bytes) const {
    std::filesystem::create_directories(folder);
    CHECK(WriteFileDurably(folder + "/" + name, bytes, 0644).has_value());
  }
};

Bytes Counting(std::size_t size, std::uint8_t first) {
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = first++;
  return bytes;
}

CustodyKey Key(std::uint8_t first, KeyKind kind, KeyState state) {
  CustodyKey key;
  key.id = Counting(8, first);
  key.kind = kind;
  key.state = state;
  key.mechanism = kind == KeyKind::kRoot ? 4 : 1;
  key.label = "dare-mek";
  key.check_value = Counting(3, first);
  key.created = 1'700'000'000;
  key.holders.push_back({"primary", {}, {}});
  if (kind == KeyKind::kRoot) {
    key.holders.front() = {"primary", Counting(8, 1), Counting(70, 2)};
    key.holders.push_back({"tpm", Counting(8, 3), Counting(232, 4)});
  }
  return key;
}

void WriteRecords(const Seeds& seeds) {
  CustodyRecord record;
  record.revision = 1;
  record.keys.push_back(Key(10, KeyKind::kMaster, KeyState::kCurrent));
  seeds.Save("direct", Encode(record));
  record.keys.front().state = KeyState::kRetired;
  record.keys.front().retired = 1'700'000'500;
  record.keys.push_back(Key(20, KeyKind::kMaster, KeyState::kCurrent));
  record.keys.back().origin = KeyOrigin::kCeremony;
  record.keys.back().quorum = {Counting(8, 30), 3, 5, 1'700'000'100};
  seeds.Save("rotated", Encode(record));
  seeds.Save("cut", ByteView(Encode(record)).first(60));
  record.keys.front().state = KeyState::kCurrent;
  seeds.Save("two-current", Encode(record));
  CustodyRecord root;
  root.mode = SealingMode::kRoot;
  root.revision = 7;
  root.keys.push_back(Key(40, KeyKind::kRoot, KeyState::kCurrent));
  root.keys.push_back(Key(40, KeyKind::kRoot, KeyState::kPrepared));
  seeds.Save("an-id-twice", Encode(root));
  root.keys.back().id = Counting(8, 50);
  seeds.Save("root", Encode(root));
}

// With a ceremony that can be written down: nothing here is drawn at random.
KeyBackup Backup() {
  KeyBackup backup;
  backup.key_id = Counting(8, 1);
  backup.check_value = Counting(3, 2);
  backup.label = "dare-root";
  backup.ceremony = Counting(8, 3);
  backup.threshold = 3;
  backup.shares = 5;
  backup.created = 1'700'000'000;
  backup.wrapped = Counting(48, 4);
  return backup;
}

void WriteBackups(const Seeds& seeds) {
  KeyBackup backup = Backup();
  seeds.Save("bytes", Encode(backup));
  const std::string text = ToArmour(backup);
  seeds.Save("text", AsBytes(text));
  seeds.Save("text-in-a-letter", AsBytes("Keep this.\r\n" + text + "Thank you."));
  seeds.Save("text-cut", AsBytes(text.substr(0, text.size() / 2)));
  seeds.Save("end-before-begin", AsBytes(text.substr(text.size() - 33) + text.substr(0, 40)));
  backup.threshold = 6;
  seeds.Save("more-than-there-are", Encode(backup));
}

void WriteShares(const Seeds& seeds) {
  KeyShare share;
  share.ceremony = Counting(8, 3);
  share.threshold = 3;
  share.number = 2;
  share.part = SecretBytes::CopyOf(Counting(32, 60)).value();
  const std::string text(AsText(ToText(share, 5)));
  seeds.Save("text", AsBytes(text));
  std::string loose;
  for (const char c : text) loose += c == '\n' ? "\r\n" : c == ' ' ? " \t" : std::string(1, c);
  seeds.Save("text-typed-loosely", AsBytes(loose));
  seeds.Save("text-twice", AsBytes(text + text));
  seeds.Save("text-without-its-last-row", AsBytes(text.substr(0, text.rfind("6:"))));
  Bytes facts = Counting(42, 7);
  seeds.Save("facts", facts);
  Append(facts, Bytes{0, 70, '0', 0, 90, 'A', 0, 95, ' '});
  seeds.Save("facts-mistyped", facts);
  Append(facts, Bytes{0xff, 0xff, 0});
  seeds.Save("facts-cut", facts);
}

}  // namespace
}  // namespace dare::custody

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: custody_seeds RECORD_FOLDER BACKUP_FOLDER SHARE_FOLDER\n");
    return 2;
  }
  CHECK(dare::StartSecureHeap(std::size_t{1} << 18).has_value());
  dare::custody::WriteRecords({argv[1]});
  dare::custody::WriteBackups({argv[2]});
  dare::custody::WriteShares({argv[3]});
  return 0;
}
