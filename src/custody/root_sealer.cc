#include "custody/root_sealer.h"

#include <array>
#include <string_view>
#include <utility>

#include "crypto/aead.h"
#include "crypto/hkdf.h"
#include "crypto/random.h"
#include "hsm/sealed_record.h"

namespace dare::custody {
namespace {

using hsm::kRecordHeadBytes;
using hsm::kRecordTagBytes;

constexpr std::string_view kRecordLabel = "dare-root-record-1";
constexpr std::string_view kCheckLabel = "dare-root-check-1";
constexpr std::size_t kAesKeyBytes = 32;

}  // namespace

Result<Bytes> RootCheckValue(ByteView root_key) {
  const SecretBytes prk =
      TRY(crypto::HkdfExtract(crypto::HkdfHash::kSha256, AsBytes(kCheckLabel), root_key));
  const SecretBytes value =
      TRY(crypto::HkdfExpand(crypto::HkdfHash::kSha256, prk.Reveal(), AsBytes(kCheckLabel), 3));
  return ToBytes(value.Reveal());
}

Result<std::unique_ptr<RootSealer>> RootSealer::Make(Bytes key_id, SecretBytes root_key) {
  if (key_id.size() != hsm::kMasterKeyIdBytes || root_key.size() != kRootKeyBytes) {
    return Error(Code::kInvalidArgument, "a root key has 32 bytes and an id of 8");
  }
  hsm::SealerInfo info{"root key", std::move(key_id), TRY(RootCheckValue(root_key.Reveal())),
                       "AES-256-GCM, a key for each record by HKDF from the root key"};
  return std::unique_ptr<RootSealer>(new RootSealer(std::move(info), std::move(root_key)));
}

// RFC 5869: the salt of the extraction is the record's own, so that every record has a key and a
// nonce of its own; the head is in the expansion, so that neither serves another head.
Result<SecretBytes> RootSealer::RecordKey(ByteView head, ByteView salt) const {
  const SecretBytes prk =
      TRY(crypto::HkdfExtract(crypto::HkdfHash::kSha256, salt, root_key_.Reveal()));
  Bytes info = ToBytes(AsBytes(kRecordLabel));
  Append(info, head);
  return crypto::HkdfExpand(crypto::HkdfHash::kSha256, prk.Reveal(), info,
                            kAesKeyBytes + crypto::kGcmIvSize);
}

Result<Bytes> RootSealer::SealUnder(ByteView salt, ByteView aad, ByteView secret) const {
  TRY(hsm::CheckSealable(aad, secret));
  Bytes record;
  record.reserve(kRootRecordOverhead + secret.size());
  record.push_back(hsm::kRecordVersion);
  record.push_back(hsm::kRecordUnderRootKey);
  Append(record, info_.key_id);
  const SecretBytes derived = TRY(RecordKey(record, salt));
  const Bytes bound = hsm::BoundTo(record, aad);
  Append(record, salt);
  // Encrypted where it is safe, so that no clear byte is ever in the record's memory.
  SecretBytes room = TRY(SecretBytes::CopyOf(secret));
  std::array<std::uint8_t, kRecordTagBytes> tag{};
  crypto::Aead aead = TRY(crypto::Aead::CreateOnOpenSsl(derived.Reveal().first(kAesKeyBytes)));
  TRY(aead.SealInPlace(derived.Reveal().subspan(kAesKeyBytes), bound, room.RevealMutable(), tag));
  Append(record, room.Reveal());
  Append(record, tag);
  return record;
}

Result<Bytes> RootSealer::Seal(ByteView aad, ByteView secret) {
  std::array<std::uint8_t, kRootSaltBytes> salt;
  TRY(crypto::RandomBytes(salt));
  ++seals_;
  return SealUnder(salt, aad, secret);
}

Result<Bytes> RootSealer::SealWithSaltForTest(ByteView salt, ByteView aad, ByteView secret) const {
  return SealUnder(salt, aad, secret);
}

Result<SecretBytes> RootSealer::Open(ByteView aad, ByteView sealed) {
  if (aad.empty()) return Error(Code::kInvalidArgument, "a record must be bound to something");
  const Bytes id = TRY(hsm::KeyIdOf(sealed));
  if (id != info_.key_id) {
    return Error(Code::kNotFound, "the record is sealed under key " + ToHex(id) +
                                      ", and this root key is " + ToHex(info_.key_id));
  }
  if (sealed.size() <= kRootRecordOverhead ||
      sealed.size() > kRootRecordOverhead + hsm::kMostSecretBytes ||
      sealed[1] != hsm::kRecordUnderRootKey) {
    return Error(Code::kDamaged, "the sealed record has an impossible length or mechanism");
  }
  const ByteView head = sealed.first(kRecordHeadBytes);
  const ByteView body = sealed.subspan(kRecordHeadBytes + kRootSaltBytes);
  const SecretBytes derived =
      TRY(RecordKey(head, sealed.subspan(kRecordHeadBytes, kRootSaltBytes)));
  SecretBytes secret = TRY(SecretBytes::CopyOf(body.first(body.size() - kRecordTagBytes)));
  crypto::Aead aead = TRY(crypto::Aead::CreateOnOpenSsl(derived.Reveal().first(kAesKeyBytes)));
  const Result<void> opened =
      aead.OpenInPlace(derived.Reveal().subspan(kAesKeyBytes), hsm::BoundTo(head, aad),
                       secret.RevealMutable(), body.last(kRecordTagBytes));
  if (!opened) {
    return opened.error().code == Code::kDamaged ? hsm::DoesNotAuthenticate() : opened.error();
  }
  return secret;
}

}  // namespace dare::custody
