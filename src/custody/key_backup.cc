#include "custody/key_backup.h"

#include <algorithm>
#include <array>
#include <set>

#include "crypto/aead.h"
#include "crypto/hkdf.h"
#include "crypto/random.h"
#include "crypto/random_source.h"
#include "crypto/secret_sharing.h"
#include "custody/row_codec.h"

namespace dare::custody {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kCeremonyBytes = 8;
constexpr unsigned kMostShares = 100;
constexpr std::string_view kLabel = "dare-key-backup-1";
constexpr std::string_view kBegin = "-----BEGIN OPENDARE KEY BACKUP-----";
constexpr std::string_view kEnd = "-----END OPENDARE KEY BACKUP-----";

crypto::SharingScheme SchemeOf(unsigned threshold, unsigned shares) {
  return {crypto::SharingMethod::kGf256, shares, threshold, {}};
}

// Everything but the wrapped key: what that is bound to.
Bytes Facts(const KeyBackup& backup) {
  RowWriter out;
  out.U8(kVersion);
  out.U8(static_cast<std::uint8_t>(backup.kind));
  out.Variable(backup.key_id);
  out.Variable(backup.check_value);
  out.Text(backup.label);
  out.Variable(backup.ceremony);
  out.U8(backup.threshold);
  out.U8(backup.shares);
  out.U64(static_cast<std::uint64_t>(backup.created));
  return out.Take();
}

// Key and nonce; a backup key wraps once.
Result<SecretBytes> Derive(const KeyBackup& backup, const SecretBytes& backup_key) {
  const SecretBytes prk =
      TRY(crypto::HkdfExtract(crypto::HkdfHash::kSha256, backup.ceremony, backup_key.Reveal()));
  return crypto::HkdfExpand(crypto::HkdfHash::kSha256, prk.Reveal(), AsBytes(kLabel),
                            kKeyBytes + crypto::kGcmIvSize);
}

}  // namespace

Bytes Encode(const KeyBackup& backup) {
  RowWriter wrapped;
  wrapped.Variable(backup.wrapped);
  Bytes bytes = Facts(backup);
  Append(bytes, wrapped.Take());
  return bytes;
}

Result<KeyBackup> DecodeKeyBackup(ByteView bytes) {
  RowReader in(bytes);
  KeyBackup backup;
  const std::uint8_t version = in.U8();
  backup.kind = in.OneOf(KeyKind::kRoot);
  backup.key_id = in.Variable();
  backup.check_value = in.Variable();
  backup.label = in.Text();
  backup.ceremony = in.Variable();
  backup.threshold = in.U8();
  backup.shares = in.U8();
  backup.created = static_cast<std::int64_t>(in.U64());
  backup.wrapped = in.Variable();
  if (version != kVersion || !in.End() || backup.ceremony.size() != kCeremonyBytes ||
      backup.key_id.size() != 8 || backup.wrapped.size() != kKeyBytes + crypto::kGcmTagSize ||
      !crypto::CheckScheme(SchemeOf(backup.threshold, backup.shares))) {
    return Error(Code::kMalformed, "not a key backup of OpenDaRE, or one of a later version");
  }
  return backup;
}

std::string ToArmour(const KeyBackup& backup) {
  constexpr std::size_t kLine = 64;
  std::string text = std::string(kBegin) + "\n";
  const std::string base64 = ToBase64(Encode(backup));
  for (std::size_t at = 0; at < base64.size(); at += kLine) {
    text += base64.substr(at, kLine) + "\n";
  }
  return text + std::string(kEnd) + "\n";
}

Result<KeyBackup> FromArmour(std::string_view text) {
  const std::size_t begin = text.find(kBegin);
  const std::size_t end = text.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return Error(Code::kMalformed, "there is no key backup in it");
  }
  const std::size_t from = begin + kBegin.size();
  const Bytes bytes = TRY(FromBase64(text.substr(from, end - from)));
  return DecodeKeyBackup(bytes);
}

Result<Ceremony> BackUp(const CustodyKey& of, const SecretBytes& key, unsigned threshold,
                        unsigned shares, std::int64_t now) {
  if (threshold < 2 || threshold > shares || shares > kMostShares) {
    return Error(Code::kInvalidArgument,
                 "a quorum needs 2 to 100 shares, and a threshold from 2 to their number");
  }
  if (key.size() != kKeyBytes) return Error(Code::kInvalidArgument, "the key has not 32 bytes");
  Ceremony ceremony;
  KeyBackup& backup = ceremony.backup;
  backup.kind = of.kind;
  backup.key_id = of.id;
  backup.check_value = of.check_value;
  backup.label = of.label;
  backup.ceremony.resize(kCeremonyBytes);
  TRY(crypto::RandomBytes(backup.ceremony));
  backup.threshold = static_cast<std::uint8_t>(threshold);
  backup.shares = static_cast<std::uint8_t>(shares);
  backup.created = now;

  const SecretBytes backup_key = TRY(SecretBytes::Random(kKeyBytes));
  const SecretBytes derived = TRY(Derive(backup, backup_key));
  SecretBytes room = TRY(key.Clone());
  std::array<std::uint8_t, crypto::kGcmTagSize> tag{};
  crypto::Aead aead = TRY(crypto::Aead::CreateOnOpenSsl(derived.Reveal().first(kKeyBytes)));
  TRY(aead.SealInPlace(derived.Reveal().subspan(kKeyBytes), Facts(backup), room.RevealMutable(),
                       tag));
  Append(backup.wrapped, room.Reveal());
  Append(backup.wrapped, tag);

  const auto random = TRY(crypto::RandomSource::Open(crypto::RandomGenerator::kDrbg, {}));
  auto parts = TRY(crypto::SplitSecret(SchemeOf(threshold, shares), backup_key.Reveal(), *random));
  for (crypto::SecretPart& part : parts) {
    ceremony.shares.push_back({backup.ceremony, backup.threshold,
                               static_cast<std::uint8_t>(part.identifier), std::move(part.bytes)});
  }
  return ceremony;
}

Result<SecretBytes> Recover(const KeyBackup& backup, std::span<const KeyShare> shares) {
  std::set<std::uint8_t> numbers;
  std::vector<crypto::SecretPart> parts;
  for (const KeyShare& share : shares) {
    const std::string name = "share " + std::to_string(share.number);
    if (share.ceremony != backup.ceremony || share.threshold != backup.threshold ||
        share.number > backup.shares) {
      return Error(Code::kInvalidArgument, name + " is of ceremony " + ToHex(share.ceremony) +
                                               ", and this backup is of ceremony " +
                                               ToHex(backup.ceremony));
    }
    if (!numbers.insert(share.number).second) {
      return Error(Code::kInvalidArgument, name + " was given twice");
    }
    parts.push_back({share.number, TRY(share.part.Clone())});
  }
  if (parts.size() < backup.threshold) {
    return Error(Code::kInvalidArgument, std::to_string(parts.size()) + " of " +
                                             std::to_string(backup.threshold) +
                                             " shares that are needed; fewer open nothing");
  }
  const auto wrong = [] {
    return Error(Code::kDamaged,
                 "the shares do not open the backup: one of them, or the backup, was altered");
  };
  const auto backup_key =
      crypto::JoinSecret(SchemeOf(backup.threshold, backup.shares), parts, kKeyBytes);
  if (!backup_key) return wrong();
  const SecretBytes derived = TRY(Derive(backup, *backup_key));
  SecretBytes key = TRY(SecretBytes::CopyOf(ByteView(backup.wrapped).first(kKeyBytes)));
  crypto::Aead aead = TRY(crypto::Aead::CreateOnOpenSsl(derived.Reveal().first(kKeyBytes)));
  const auto opened =
      aead.OpenInPlace(derived.Reveal().subspan(kKeyBytes), Facts(backup), key.RevealMutable(),
                       ByteView(backup.wrapped).last(crypto::kGcmTagSize));
  if (!opened) return wrong();
  return key;
}

std::string BackupRow(const Bytes& ceremony) { return "custody-backup-" + ToHex(ceremony); }

}  // namespace dare::custody
