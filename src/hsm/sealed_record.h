#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

// The bytes of a sealed record (docs/formats/sealed-record.md), written and read in this one place:
//
//   offset  bytes  what
//        0      1  version, 1
//        1      1  mechanism: 1 = AES-256-GCM, for the others see below
//        2      8  id of the master key (its CKA_ID)
//       10     12  nonce, random
//       22      n  ciphertext
//     22+n     16  tag
//
// Associated data of the AEAD: the first ten bytes, then the caller's associated data. So the head
// cannot be edited, and no call to the token is ever made without associated data (SoftHSM2 2.6.1
// crashes there).
namespace dare::hsm {

inline constexpr std::size_t kMasterKeyIdBytes = 8;
inline constexpr std::size_t kRecordHeadBytes = 2 + kMasterKeyIdBytes;
inline constexpr std::size_t kRecordNonceBytes = 12;
inline constexpr std::size_t kRecordTagBytes = 16;
inline constexpr std::size_t kRecordOverhead =
    kRecordHeadBytes + kRecordNonceBytes + kRecordTagBytes;
inline constexpr std::uint8_t kRecordVersion = 1;
inline constexpr std::uint8_t kRecordAesGcm = 1;        // the table above
inline constexpr std::uint8_t kRecordAesCbcHmac = 2;    // cbc_hmac_sealer.h
inline constexpr std::uint8_t kRecordRsa = 3;           // rsa_sealer.h
inline constexpr std::uint8_t kRecordUnderRootKey = 4;  // custody/root_sealer.h
inline constexpr std::uint8_t kRecordTpm = 5;           // hsm/tpm_sealer.h

// The ten bytes that every record begins with.
Bytes StartHead(std::uint8_t mechanism, ByteView master_key_id);
// kDamaged when no record of this version and mechanism begins so, kNotFound when it names another
// master key.
Result<void> CheckHead(ByteView sealed, std::uint8_t mechanism, ByteView master_key_id);

// A parsed record of AES-256-GCM; views into the bytes it was parsed from.
struct SealedRecordView {
  ByteView head;        // ten bytes
  ByteView nonce;       // twelve bytes
  ByteView ciphertext;  // with the tag at its end, as PKCS#11 has it
};

// Head and nonce of a new record, with room reserved for `secret_bytes` and the tag behind them.
Bytes StartRecord(ByteView master_key_id, ByteView nonce, std::size_t secret_bytes);

// kDamaged when it is no record of this version, kNotFound when it names another master key.
Result<SealedRecordView> ParseRecord(ByteView sealed, ByteView master_key_id);

// The id of the key that a record of any mechanism says it is sealed under. kDamaged when it has no
// head.
Result<Bytes> KeyIdOf(ByteView sealed);

// The associated data of the AEAD.
Bytes BoundTo(ByteView head, ByteView aad);

// What a record's code or signature is over: the record so far, then what it is bound to, then how
// long that is, so that no byte can move from one to the other.
Bytes AuthenticatedText(ByteView record, ByteView aad);

// What both directions ask first: kInvalidArgument for empty associated data or an empty secret,
// kTooLarge.
Result<void> CheckSealable(ByteView aad, ByteView secret);

// The one error for whatever does not authenticate.
Error DoesNotAuthenticate();

}  // namespace dare::hsm
