#include "share_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <iostream>

#include "base/file.h"

namespace dare::kms {
namespace {

constexpr std::size_t kLargestShare = 64u << 10;

Result<void> WriteAll(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return IoError("cannot write a share", errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// Up to and with the next newline; empty at the end. Byte by byte: nothing may be left in a buffer
// that nobody wipes.
Result<WipingBytes> ReadLine(int fd) {
  WipingBytes line;
  for (std::uint8_t byte = 0; byte != '\n' && line.size() < kLargestShare;) {
    const ssize_t got = ::read(fd, &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return IoError("cannot read a share", errno);
    if (got == 0) break;
    line.push_back(byte);
  }
  return line;
}

Result<custody::KeyShare> ReadShareFile(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return IoError("cannot open " + path, errno);
  WipingBytes text;
  for (;;) {
    const WipingBytes line = TRY(ReadLine(fd.get()));
    if (line.empty()) break;
    Append(text, line);
    if (text.size() > kLargestShare) return Error(Code::kTooLarge, path + " is no share");
  }
  auto share = custody::FromText(AsText(text));
  if (!share) return share.error().In(path);
  return share;
}

Result<void> HandOutFiles(const custody::Ceremony& ceremony, const std::string& folder) {
  TRY(MakeFolders(folder, 0700));
  const std::string backup = folder + "/backup.txt";
  const std::string armour = custody::ToArmour(ceremony.backup);
  TRY(WriteFileDurably(backup, AsBytes(armour), 0600, false));
  std::cout << "wrote " << backup << "\n";
  for (const custody::KeyShare& share : ceremony.shares) {
    const std::string path = folder + "/share-" + std::to_string(share.number) + ".txt";
    const WipingBytes text = custody::ToText(share, ceremony.backup.shares);
    TRY(WriteFileDurably(path, text, 0600, false));
    std::cout << "wrote " << path << "\n";
  }
  std::cout << "give each share to another person, on paper or a medium of its own, and delete the "
               "files here; the backup itself is no secret"
            << std::endl;
  return {};
}

// On a terminal each share stands alone on the screen, for as long as its holder needs.
Result<void> HandOutOneByOne(const custody::Ceremony& ceremony) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDIN_FILENO) == 1;
  std::cout << custody::ToArmour(ceremony.backup) << std::endl;
  for (const custody::KeyShare& share : ceremony.shares) {
    if (terminal) {
      std::cerr << "holder " << std::to_string(share.number)
                << ": press Enter when nobody else can see the screen" << std::endl;
      TRY(ReadLine(STDIN_FILENO));
    }
    TRY(WriteAll(STDOUT_FILENO, custody::ToText(share, ceremony.backup.shares)));
    if (terminal) {
      std::cerr << "press Enter when it is written down; the screen is cleared" << std::endl;
      TRY(ReadLine(STDIN_FILENO));
      constexpr std::string_view kClear = "\033[2J\033[3J\033[H";
      TRY(WriteAll(STDOUT_FILENO, AsBytes(kClear)));
    }
  }
  return {};
}

Result<std::vector<custody::KeyShare>> TypedShares() {
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  std::vector<custody::KeyShare> shares;
  WipingBytes text;
  while (shares.empty() || shares.size() < shares.front().threshold) {
    if (terminal && text.empty()) {
      std::cerr << "share " << shares.size() + 1 << ": type its rows, then an empty line"
                << std::endl;
    }
    const WipingBytes line = TRY(ReadLine(STDIN_FILENO));
    Append(text, line);
    const bool end = line.empty();
    auto share = custody::FromText(AsText(text));
    if (share) {
      shares.push_back(*std::move(share));
      text.clear();
    } else if (line == WipingBytes{'\n'} && terminal) {
      std::cerr << "dare-kms: error: " << share.error().message << "; type this share again"
                << std::endl;
      text.clear();
    } else if (end) {
      if (shares.empty()) return share.error().In("standard input");
      return shares;  // too few: Recover says so
    }
  }
  return shares;
}

}  // namespace

Result<void> HandOut(const custody::Ceremony& ceremony, const Quorum& quorum) {
  return quorum.folder.empty() ? HandOutOneByOne(ceremony) : HandOutFiles(ceremony, quorum.folder);
}

Result<std::vector<custody::KeyShare>> CollectShares(const std::vector<std::string>& files) {
  if (files.empty()) return TypedShares();
  std::vector<custody::KeyShare> shares;
  for (const std::string& file : files) shares.push_back(TRY(ReadShareFile(file)));
  return shares;
}

Result<custody::KeyBackup> FindBackup(const store::ObjectReader& reader, const std::string& file,
                                      const std::vector<custody::KeyShare>& shares) {
  if (!file.empty()) {
    const Bytes text = TRY(ReadFile(file));
    auto backup = custody::FromArmour(AsText(text));
    if (!backup) return backup.error().In(file);
    return backup;
  }
  const Bytes& ceremony = shares.front().ceremony;
  const auto row = reader.GetMeta(custody::BackupRow(ceremony));
  if (!row && row.error().code == Code::kNotFound) {
    return Error(Code::kNotFound, "the store has no backup of ceremony " + ToHex(ceremony) +
                                      ", to which share " + std::to_string(shares.front().number) +
                                      " belongs; name its file with --backup");
  }
  if (!row) return row.error();
  return custody::DecodeKeyBackup(*row);
}

}  // namespace dare::kms
