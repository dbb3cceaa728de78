#include "hsm/sealed_record.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "hsm/sealer.h"

namespace dare::hsm {

Bytes StartHead(std::uint8_t mechanism, ByteView master_key_id) {
  CHECK(master_key_id.size() == kMasterKeyIdBytes);
  Bytes head{kRecordVersion, mechanism};
  Append(head, master_key_id);
  return head;
}

Result<void> CheckHead(ByteView sealed, std::uint8_t mechanism, ByteView master_key_id) {
  if (sealed.size() < kRecordHeadBytes) {
    return Error(Code::kDamaged, "the sealed record has an impossible length");
  }
  if (sealed[0] != kRecordVersion || sealed[1] != mechanism) {
    return Error(Code::kDamaged, "the sealed record has a version or mechanism unknown here");
  }
  const ByteView id = sealed.subspan(2, kMasterKeyIdBytes);
  if (!std::equal(id.begin(), id.end(), master_key_id.begin(), master_key_id.end())) {
    return Error(Code::kNotFound, "the record is sealed under master key " + ToHex(id) +
                                      ", and the one in use is " + ToHex(master_key_id));
  }
  return {};
}

Bytes StartRecord(ByteView master_key_id, ByteView nonce, std::size_t secret_bytes) {
  CHECK(nonce.size() == kRecordNonceBytes);
  Bytes record;
  record.reserve(kRecordOverhead + secret_bytes);
  Append(record, StartHead(kRecordAesGcm, master_key_id));
  Append(record, nonce);
  return record;
}

Result<SealedRecordView> ParseRecord(ByteView sealed, ByteView master_key_id) {
  if (sealed.size() <= kRecordOverhead || sealed.size() > kRecordOverhead + kMostSecretBytes) {
    return Error(Code::kDamaged, "the sealed record has an impossible length");
  }
  TRY(CheckHead(sealed, kRecordAesGcm, master_key_id));
  return SealedRecordView{sealed.first(kRecordHeadBytes),
                          sealed.subspan(kRecordHeadBytes, kRecordNonceBytes),
                          sealed.subspan(kRecordHeadBytes + kRecordNonceBytes)};
}

Result<Bytes> KeyIdOf(ByteView sealed) {
  if (sealed.size() < kRecordHeadBytes || sealed[0] != kRecordVersion) {
    return Error(Code::kDamaged, "the sealed record has a version unknown here");
  }
  return ToBytes(sealed.subspan(2, kMasterKeyIdBytes));
}

Bytes BoundTo(ByteView head, ByteView aad) {
  Bytes bound;
  bound.reserve(head.size() + aad.size());
  Append(bound, head);
  Append(bound, aad);
  return bound;
}

Bytes AuthenticatedText(ByteView record, ByteView aad) {
  Bytes text;
  text.reserve(record.size() + aad.size() + 8);
  Append(text, record);
  Append(text, aad);
  for (int shift = 56; shift >= 0; shift -= 8) {
    text.push_back(static_cast<std::uint8_t>(std::uint64_t{aad.size()} >> shift));
  }
  return text;
}

Result<void> CheckSealable(ByteView aad, ByteView secret) {
  if (aad.empty()) return Error(Code::kInvalidArgument, "a record must be bound to something");
  if (secret.empty()) return Error(Code::kInvalidArgument, "there is nothing to seal");
  if (secret.size() > kMostSecretBytes) {
    return Error(Code::kTooLarge,
                 "a secret of " + std::to_string(secret.size()) + " bytes is too long to seal");
  }
  return {};
}

Error DoesNotAuthenticate() { return Error(Code::kDamaged, "the record does not authenticate"); }

}  // namespace dare::hsm
