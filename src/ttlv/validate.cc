#include "ttlv/validate.h"

#include <algorithm>
#include <array>

#include "ttlv/type.h"

namespace dare::ttlv {
namespace {

[[gnu::cold, gnu::noinline]] Error Fault(Code code, std::uint32_t tag, std::size_t offset,
                                         const char* reason) {
  return Error(code, "TTLV item " + TagHex(static_cast<kmip::Tag>(tag)) + " at byte " +
                         std::to_string(offset) + ": " + reason);
}

// Null when the value bytes and the padding behind them are lawful, else what is wrong.
const char* ValueFault(Type type, const std::uint8_t* value, std::size_t length) {
  if (type == Type::kBoolean && GetU64(value) > 1) return "Boolean is neither 0 nor 1";
  if ((type == Type::kTextString || IsDraft3Type(type)) && !IsValidUtf8({value, length})) {
    return "Text String is not UTF-8";
  }
  std::uint8_t padding = 0;
  for (std::size_t i = length; i % 8 != 0; ++i) padding |= value[i];
  return padding == 0 ? nullptr : "padding is not zero";
}

}  // namespace

Result<std::size_t> MessageLength(ByteView header, kmip::Tag expected, const Limits& limits) {
  if (header.size() < kHeaderBytes)
    return Error(Code::kMalformed, "TTLV: message header is cut off");
  const std::uint32_t tag_and_type = GetU32(header.data());
  const std::uint32_t length = GetU32(header.data() + 4);
  const std::uint32_t tag = tag_and_type >> 8;
  if (tag != TagNumber(expected))
    return Fault(Code::kMalformed, tag, 0, "not the tag of a message");
  if (static_cast<Type>(tag_and_type & 0xFF) != Type::kStructure) {
    return Fault(Code::kMalformed, tag, 0, "a message is a structure");
  }
  if (length % 8 != 0) return Fault(Code::kMalformed, tag, 0, "length is not a multiple of 8");
  if (length > limits.max_message_bytes || kHeaderBytes + length > limits.max_message_bytes) {
    return Fault(Code::kTooLarge, tag, 0, "message over the length limit");
  }
  return kHeaderBytes + length;
}

Result<void> ValidateItem(ByteView bytes, const Limits& limits) {
  if (bytes.size() > limits.max_message_bytes) {
    return Error(Code::kTooLarge, "TTLV: message over the length limit");
  }
  // ends[d] is where the structure at depth d ends; ends[0] is the end of the message.
  std::array<std::size_t, kDeepestNesting + 1> ends;
  const std::size_t max_depth = std::min(limits.max_depth, kDeepestNesting);
  std::size_t depth = 0, items = 0, at = 0;
  ends[0] = bytes.size();
  do {
    const std::size_t room = ends[depth] - at;
    if (room < kHeaderBytes) return Fault(Code::kMalformed, 0, at, "item header is cut off");
    const std::uint8_t* p = bytes.data() + at;
    const std::uint32_t tag = GetU32(p) >> 8;
    const Type type = static_cast<Type>(p[3]);
    const std::uint32_t length = GetU32(p + 4);
    if (++items > limits.max_items) return Fault(Code::kTooLarge, tag, at, "too many items");
    if (!IsLawfulTag(tag))
      return Fault(Code::kMalformed, tag, at, "tag does not start with 42 or 54");
    if (const char* fault = LengthFault(type, length))
      return Fault(Code::kMalformed, tag, at, fault);
    if (IsDraft3Type(type) && !limits.draft3_types) {
      return Fault(Code::kMalformed, tag, at, "unknown item type");
    }
    if (Padded(length) > room - kHeaderBytes) {
      return Fault(Code::kMalformed, tag, at, "longer than its container");
    }
    if (type == Type::kStructure) {
      if (depth == max_depth) return Fault(Code::kTooLarge, tag, at, "nested too deeply");
      at += kHeaderBytes;
      ends[++depth] = at + length;
    } else {
      const char* fault = ValueFault(type, p + kHeaderBytes, length);
      if (fault != nullptr) return Fault(Code::kMalformed, tag, at, fault);
      at += kHeaderBytes + static_cast<std::size_t>(Padded(length));
    }
    while (depth > 0 && at == ends[depth]) --depth;
  } while (depth > 0);
  if (at != bytes.size()) return Fault(Code::kMalformed, 0, at, "bytes behind the message");
  return {};
}

Result<void> Validate(ByteView message, const Limits& limits) {
  if (message.size() >= kHeaderBytes && static_cast<Type>(message[3]) != Type::kStructure) {
    return Fault(Code::kMalformed, GetU32(message.data()) >> 8, 0, "a message is a structure");
  }
  return ValidateItem(message, limits);
}

}  // namespace dare::ttlv
