#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"

namespace dare::crypto {

// The generator of ANSI X9.31, Appendix A.2.4, with AES instead of 3DES ("NIST-Recommended Random
// Number Generator Based on ANSI X9.31 Appendix A.2.4 Using the 3-Key Triple DES and AES
// Algorithms", 2005):
//
//   I = E(K, DT)    R = E(K, I xor V)    V = E(K, R xor I)
//
// NIST withdrew it after 2015; it is here for peers that ask for it by name (random_source.h).
// DT counts up by one from block to block. Owns its key schedule and state, wiped when it dies.
// Movable; not thread-safe.
class AnsiX931 {
 public:
  static constexpr std::size_t kBlock = 16;
  using Block = std::array<std::uint8_t, kBlock>;

  // `key` of 16, 24 or 32 bytes.
  static Result<AnsiX931> Make(ByteView key, const Block& seed, const Block& date_time);
  AnsiX931(AnsiX931&& other) noexcept;
  AnsiX931& operator=(AnsiX931&& other) noexcept;
  ~AnsiX931();

  // A new date and time, for the next block.
  void SetDateTime(const Block& date_time);
  // kInternal when two blocks in a row are the same, as FIPS 140-2 4.9.2 had it tested.
  Result<void> Generate(MutableBytes out);

 private:
  struct State;
  explicit AnsiX931(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dare::crypto
