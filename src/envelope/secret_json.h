#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/secret_bytes.h"
#include "envelope/io.h"

namespace dare::envelope {

// A strict reader of JSON (RFC 8259) whose strings may be secrets: the input passes through a small
// window in the secure heap and what is read as a secret is decoded right into it, so that no copy
// comes into ordinary memory, however large the file. The caller says what it expects, value by
// value. Every refusal is kMalformed with the line. Borrows the source. Not thread-safe.
class SecretJson {
 public:
  enum class Kind : std::uint8_t { kObject, kArray, kString, kOther };
  static constexpr std::size_t kMostString = 64u << 10;  // bytes of one string, decoded
  static constexpr int kMostDepth = 32;

  static Result<SecretJson> Create(ByteSource& in);

  // What stands next.
  Result<Kind> Peek();
  // Reads an object; calls `member` for each member, which must read or Skip() its value.
  Result<void> ReadObject(const std::function<Result<void>(std::string name)>& member);
  // Reads a string, UTF-8, without a copy elsewhere.
  Result<SecretBytes> ReadSecret();
  // Reads a string that is public.
  Result<std::string> ReadText();
  // Passes over a value of any kind and keeps nothing of it.
  Result<void> Skip();
  // Nothing but white space may follow.
  Result<void> End();

 private:
  explicit SecretJson(ByteSource& in) : in_(&in) {}
  Error Bad(std::string_view what) const;
  Result<void> Refill();
  Result<int> Next();       // the next byte, or -1 at the end; not taken
  Result<int> NextToken();  // the same behind white space
  Result<void> Take(char expected);
  Result<std::size_t> ReadString();  // into scratch_; its length
  Result<void> ReadEscape(std::size_t& length);
  Result<std::uint32_t> ReadHex4();
  Result<void> Keep(std::uint8_t byte, std::size_t& length);
  Result<void> KeepCodePoint(std::uint32_t code, std::size_t& length);
  Result<void> SkipArray();
  Result<void> SkipScalar();

  ByteSource* in_;
  SecretBytes window_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  bool ended_ = false;
  std::size_t line_ = 1;
  int depth_ = 0;
  SecretBytes scratch_;  // the string that is being read
};

}  // namespace dare::envelope
