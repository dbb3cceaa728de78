#pragma once

#include <cstddef>
#include <string>

namespace dare::engine {

// Words that stand in a fuzz input for what only the running engine can know. They are as long as
// what replaces them, so that the message around them stays whole.

// The Unique Identifier of an AES key that the engine has.
inline constexpr char kKeyForFuzz[] = "00000000-0000-4000-8000-000000000000";
// The n-th identifier (1 to 255) that was answered in this conversation.
inline std::string AnsweredIdForFuzz(std::size_t n) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string id = kKeyForFuzz;
  id[34] = kDigits[n / 16 % 16];
  id[35] = kDigits[n % 16];
  return id;
}
// The Correlation Value, of a stream or an asynchronous operation, that was answered last.
inline constexpr char kCorrelationForFuzz[] = "correlation-----";

// A conversation is a row of request messages. Before a message may stand one byte that is no
// TTLV tag: bits 0 and 1 choose who speaks, bit 2 lets a minute pass, bit 3 a day.
inline constexpr unsigned char kAliceSpeaks = 0, kBobSpeaks = 1, kAdministratorSpeaks = 2;
inline constexpr unsigned char kAMinuteLater = 4, kADayLater = 8;

}  // namespace dare::engine
