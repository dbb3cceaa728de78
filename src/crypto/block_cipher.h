#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/algorithm_policy.h"
#include "crypto/algorithms.h"

// The symmetric ciphers of KMIP's Encrypt and Decrypt, whole messages at once, by OpenSSL's EVP.
// Our own formats do not use this: they have crypto/aead.h, which makes its nonces itself.
// Sources: NIST SP 800-38A (ECB, CBC, CFB, OFB, CTR), 800-38C (CCM), 800-38D (GCM), 800-38E (XTS),
// RFC 8439, RFC 3713 (Camellia), RFC 5794 (ARIA). Thread-safe: nothing is shared between calls but
// the immutable cipher descriptions.
namespace dare::crypto {

// Borrowed views: they must live as long as the call. The IV is the caller's duty; DefaultIvBytes
// says how long a fresh random one should be.
struct CipherRequest {
  CipherAlgorithm algorithm = CipherAlgorithm::kAes;
  CipherMode mode = CipherMode::kGcm;
  Padding padding = Padding::kNone;  // ECB and CBC only
  ByteView key;                      // XTS: both halves; 3DES: 16 or 24 bytes with parity bits
  ByteView iv;                       // see IvFits
  ByteView aad;                      // authenticated modes only; refused elsewhere
  std::size_t tag_length = 16;       // bytes; authenticated modes only
  AlgorithmPolicy policy;            // legacy algorithms need its allow_legacy
};

struct CipherOutput {
  Bytes data;
  Bytes tag;  // empty unless the mode authenticates
};

// True for GCM, CCM and ChaCha20-Poly1305: they make a tag and take associated data.
bool IsAuthenticated(CipherAlgorithm algorithm, CipherMode mode);
// 0 for ECB and one-time pads; 12 for GCM, CCM and ChaCha20-Poly1305; 8 for ChaCha20; a block
// otherwise.
std::size_t DefaultIvBytes(CipherAlgorithm algorithm, CipherMode mode);
// GCM 1 to 128 bytes, CCM 7 to 13, ChaCha20 8 (original, 64-bit counter from 0), 12 (RFC 8439,
// 32-bit counter from 0) or 16 (little-endian counter, then nonce); everything else exactly
// DefaultIvBytes.
bool IvFits(CipherAlgorithm algorithm, CipherMode mode, std::size_t bytes);
// 16 for AES, Camellia and ARIA, 8 for 3DES, 1 for ciphers without blocks.
std::size_t BlockBytes(CipherAlgorithm algorithm);

// kDenied, kInvalidArgument, kUnsupported: see algorithm_policy.h; kInvalidArgument also for an IV,
// padding or length that does not fit the mode; kTooLarge above 1 GiB.
Result<CipherOutput> Encrypt(const CipherRequest& request, ByteView plaintext);

// As Encrypt. kDamaged when the tag or the padding is wrong: one text, and no plaintext. `tag` must
// be request.tag_length bytes long in the authenticated modes and empty in the others.
Result<WipingBytes> Decrypt(const CipherRequest& request, ByteView ciphertext, ByteView tag = {});

// A message that comes in parts, for KMIP's streams (Init Indicator, Final Indicator). Owns a key
// schedule and what is not finished; wiped when it dies. Movable. Not thread-safe.
// Authenticated plaintext never leaves before its tag was checked: those modes give all of it at
// the end, and refuse (kTooLarge) to hold more than kMostHeldBytes.
class CipherStream {
 public:
  enum class Direction : int { kDecrypt = 0, kEncrypt = 1 };
  static constexpr std::size_t kMostHeldBytes = std::size_t{1} << 20;

  // Errors as Encrypt. kUnsupported for CCM, XTS and one-time pads, which need the whole message at
  // once.
  static Result<CipherStream> Begin(const CipherRequest& request, Direction direction);
  CipherStream(CipherStream&& other) noexcept;
  CipherStream& operator=(CipherStream&& other) noexcept;
  ~CipherStream();

  // What this part gives; may be nothing yet. After an error the stream is of no use.
  Result<WipingBytes> Update(ByteView part);
  // The rest, and the tag where the mode has one.
  Result<CipherOutput> FinishEncrypt();
  // The rest. kDamaged when tag or padding is wrong.
  Result<WipingBytes> FinishDecrypt(ByteView tag);

 private:
  struct State;
  explicit CipherStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dare::crypto
