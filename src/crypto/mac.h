#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/algorithm_policy.h"
#include "crypto/algorithms.h"

// Message authentication codes: HMAC (FIPS 198-1), CMAC (SP 800-38B) and, for old peers, CBC-MAC
// with zero padding (FIPS 113, ISO/IEC 9797-1 algorithm 1). Thread-safe.
namespace dare::crypto {

struct MacAlgorithm {
  enum class Kind : std::uint8_t { kHmac, kCmac, kCbcMac };
  Kind kind = Kind::kHmac;
  HashAlgorithm hash = HashAlgorithm::kSha256;     // of HMAC
  CipherAlgorithm cipher = CipherAlgorithm::kAes;  // of CMAC and CBC-MAC

  static MacAlgorithm Hmac(HashAlgorithm hash) { return {.hash = hash}; }
  static MacAlgorithm Cmac(CipherAlgorithm cipher) { return {Kind::kCmac, {}, cipher}; }
  static MacAlgorithm CbcMac(CipherAlgorithm cipher) { return {Kind::kCbcMac, {}, cipher}; }
};

// The full-length code of a whole message. kDenied where the policy refuses hash, cipher or a short
// key (CBC-MAC always: it is sound for messages of one length only), kInvalidArgument without a key
// or with one that the cipher does not have, kUnsupported for a cipher without blocks.
Result<Bytes> Mac(const MacAlgorithm& algorithm, ByteView key, ByteView data,
                  const AlgorithmPolicy& policy = {});
Result<Bytes> Hmac(HashAlgorithm hash, ByteView key, ByteView data,
                   const AlgorithmPolicy& policy = {});
// 16 bytes; `key` of 16, 24 or 32 bytes.
Result<Bytes> CmacAes(ByteView key, ByteView data);

// A message that comes in parts. Owns its key schedule, wiped when it dies. Movable; not
// thread-safe.
class MacStream {
 public:
  // Errors as Mac.
  static Result<MacStream> Begin(const MacAlgorithm& algorithm, ByteView key,
                                 const AlgorithmPolicy& policy = {});
  MacStream(MacStream&& other) noexcept;
  MacStream& operator=(MacStream&& other) noexcept;
  ~MacStream();

  Result<void> Update(ByteView part);
  // Ends the stream.
  Result<Bytes> Finish();

 private:
  struct State;
  explicit MacStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// True when `mac` is `expected` or one of its left truncations of at least `least` bytes; constant
// time in the content.
bool MacMatches(ByteView expected, ByteView mac, std::size_t least);

}  // namespace dare::crypto
