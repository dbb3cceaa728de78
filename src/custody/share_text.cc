// Shares on paper: the two text forms declared in key_backup.h.
#include <array>
#include <charconv>
#include <optional>

#include "crypto/digest.h"
#include "custody/key_backup.h"

namespace dare::custody {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kChecked = "dare-share-1";
constexpr std::size_t kCeremonyBytes = 8;
constexpr std::size_t kPartBytes = 32;
constexpr std::size_t kCheckBytes = 4;
constexpr std::size_t kShareBytes = 1 + kCeremonyBytes + 2 + kPartBytes + kCheckBytes;
constexpr std::size_t kRowBytes = 8;
constexpr std::size_t kRows = (kShareBytes + kRowBytes - 1) / kRowBytes;
constexpr std::string_view kDigits = "0123456789abcdef";

void AppendText(WipingBytes& out, std::string_view text) { Append(out, AsBytes(text)); }

void AppendHex(WipingBytes& out, std::uint8_t byte) {
  out.push_back(static_cast<std::uint8_t>(kDigits[byte >> 4]));
  out.push_back(static_cast<std::uint8_t>(kDigits[byte & 15]));
}

crypto::Sha256Digest CheckOf(ByteView bytes) {
  WipingBytes all;
  AppendText(all, kChecked);
  Append(all, bytes);
  return crypto::Sha256(all);
}

std::uint8_t RowCheck(std::size_t row, ByteView bytes) {
  WipingBytes all;
  all.push_back(static_cast<std::uint8_t>(row));
  Append(all, bytes);
  return crypto::Sha256(all)[0];
}

std::size_t BytesOfRow(std::size_t row) {
  return std::min(kRowBytes, kShareBytes - (row - 1) * kRowBytes);
}

Error BadRow(std::size_t row, const std::string& why) {
  return Error(Code::kMalformed, "row " + std::to_string(row) + " of the share " + why);
}

// The row's number when the line is one: "3: …".
std::optional<std::size_t> RowNumber(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::size_t row = 0;
  const char* const end = line.data() + colon;
  const auto [stop, error] = std::from_chars(line.data(), end, row);
  if (error != std::errc() || stop != end || row < 1 || row > kRows) return std::nullopt;
  return row;
}

// Its bytes and the check behind them.
Result<WipingBytes> RowBytes(std::size_t row, std::string_view digits) {
  WipingBytes bytes;
  int high = -1;
  for (const char c : digits) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '-') continue;
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::size_t digit = kDigits.find(lower);
    if (digit == std::string_view::npos) {
      return BadRow(row, std::string("has a '") + c + "', which is no hexadecimal digit");
    }
    if (high < 0) {
      high = static_cast<int>(digit);
    } else {
      bytes.push_back(static_cast<std::uint8_t>(high << 4 | static_cast<int>(digit)));
      high = -1;
    }
  }
  if (high >= 0 || bytes.size() != BytesOfRow(row) + 1) return BadRow(row, "is too short or long");
  if (RowCheck(row, ByteView(bytes).first(bytes.size() - 1)) != bytes.back()) {
    return BadRow(row, "was mistyped");
  }
  bytes.pop_back();
  return bytes;
}

}  // namespace

WipingBytes ToText(const KeyShare& share, unsigned of) {
  WipingBytes bytes;
  bytes.push_back(kVersion);
  Append(bytes, share.ceremony);
  bytes.push_back(share.threshold);
  bytes.push_back(share.number);
  Append(bytes, share.part.Reveal());
  const crypto::Sha256Digest check = CheckOf(bytes);
  Append(bytes, ByteView(check).first(kCheckBytes));

  WipingBytes text;
  AppendText(text, "OpenDaRE key share " + std::to_string(share.number) + " of " +
                       std::to_string(of) + "; any " + std::to_string(share.threshold) +
                       " open the key. Ceremony " + ToHex(share.ceremony) + "\n");
  for (std::size_t row = 1; row <= kRows; ++row) {
    const ByteView part = ByteView(bytes).subspan((row - 1) * kRowBytes, BytesOfRow(row));
    AppendText(text, std::to_string(row) + ":");
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (i % 2 == 0) AppendText(text, " ");
      AppendHex(text, part[i]);
    }
    AppendText(text, "  ");
    AppendHex(text, RowCheck(row, part));
    AppendText(text, "\n");
  }
  return text;
}

Result<KeyShare> FromText(std::string_view text) {
  std::array<std::optional<WipingBytes>, kRows> rows;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const auto row = RowNumber(line);
    if (!row) continue;
    if (rows[*row - 1]) return BadRow(*row, "is there twice; give one share at a time");
    rows[*row - 1] = TRY(RowBytes(*row, line.substr(line.find(':') + 1)));
  }
  WipingBytes bytes;
  for (std::size_t row = 1; row <= kRows; ++row) {
    if (!rows[row - 1]) return BadRow(row, "is missing");
    Append(bytes, *rows[row - 1]);
  }
  const ByteView checked = ByteView(bytes).first(kShareBytes - kCheckBytes);
  const crypto::Sha256Digest check = CheckOf(checked);
  if (!EqualInConstantTime(ByteView(check).first(kCheckBytes), ByteView(bytes).last(kCheckBytes))) {
    return Error(Code::kMalformed, "the share's check is wrong: rows of two shares were mixed");
  }
  if (checked[0] != kVersion || checked[9] < 2 || checked[10] == 0) {
    return Error(Code::kMalformed, "not a share of this version");
  }
  KeyShare share;
  share.ceremony = ToBytes(checked.subspan(1, kCeremonyBytes));
  share.threshold = checked[9];
  share.number = checked[10];
  share.part = TRY(SecretBytes::CopyOf(checked.subspan(11, kPartBytes)));
  return share;
}

}  // namespace dare::custody
