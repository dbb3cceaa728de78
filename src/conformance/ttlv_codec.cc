#include "conformance/ttlv_codec.h"

#include <algorithm>

namespace dare::conformance {
namespace {

constexpr std::size_t kHeader = 8;
constexpr int kDeepest = 64;

std::size_t PaddedTo8(std::size_t size) { return (size + 7) & ~std::size_t{7}; }

std::size_t WidthOf(Type type) {
  switch (type) {
    case Type::kInteger:
    case Type::kEnumeration:
    case Type::kInterval:
      return 4;
    default:
      return 8;
  }
}

void EncodeInto(Bytes& out, const Node& node) {
  const std::size_t at = out.size();
  out.resize(at + kHeader);
  PutU32(&out[at],
         static_cast<std::uint32_t>(node.tag) << 8 | static_cast<std::uint8_t>(node.type));
  if (node.is_structure()) {
    for (const Node& member : node.members) EncodeInto(out, member);
  } else if (HasOctets(node.type)) {
    Append(out, AsBytes(node.value.octets));
  } else {
    std::uint8_t number[8];
    PutU64(number, static_cast<std::uint64_t>(node.value.number));
    const std::size_t width = WidthOf(node.type);
    Append(out, ByteView(number + 8 - width, width));
  }
  PutU32(&out[at + 4], static_cast<std::uint32_t>(out.size() - at - kHeader));
  out.resize(at + PaddedTo8(out.size() - at));
}

Error Fault(kmip::Tag tag, std::string_view what) {
  return Error(Code::kMalformed, TagText(tag) + ": " + std::string(what));
}

std::int64_t NumberOf(Type type, ByteView bytes) {
  if (bytes.size() == 8) return static_cast<std::int64_t>(GetU64(bytes.data()));
  const std::uint32_t number = GetU32(bytes.data());
  return type == Type::kInteger ? std::int64_t{static_cast<std::int32_t>(number)}
                                : std::int64_t{number};
}

// Takes the first item off `rest`.
Result<Node> Take(ByteView& rest, int depth) {
  if (rest.size() < kHeader) return Error(Code::kMalformed, "an item is cut off in its header");
  if (depth > kDeepest) return Error(Code::kMalformed, "nested too deeply");
  Node node;
  node.tag = static_cast<kmip::Tag>(GetU32(rest.data()) >> 8);
  node.type = static_cast<Type>(rest[3]);
  const std::size_t length = GetU32(rest.data() + 4);
  if (TypeName(node.type).empty()) return Fault(node.tag, "unknown item type");
  if (PaddedTo8(length) > rest.size() - kHeader)
    return Fault(node.tag, "longer than what is there");
  ByteView value = rest.subspan(kHeader, length);
  const ByteView padding = rest.subspan(kHeader + length, PaddedTo8(length) - length);
  rest = rest.subspan(kHeader + PaddedTo8(length));
  if (std::any_of(padding.begin(), padding.end(), [](auto b) { return b != 0; })) {
    return Fault(node.tag, "padding is not zero");
  }
  if (node.is_structure()) {
    if (!padding.empty()) return Fault(node.tag, "length of a structure is not a multiple of 8");
    while (!value.empty()) node.members.push_back(TRY(Take(value, depth + 1)));
    return node;
  }
  if (HasOctets(node.type)) {
    if (node.type == Type::kBigInteger && (length == 0 || length % 8 != 0)) {
      return Fault(node.tag, "length of a big integer is not a multiple of 8");
    }
    if (IsText(node.type) && !IsValidUtf8(value)) return Fault(node.tag, "text is not UTF-8");
    node.value.octets = AsText(value);
    return node;
  }
  if (length != WidthOf(node.type)) return Fault(node.tag, "wrong length for its type");
  node.value.number = NumberOf(node.type, value);
  if (node.type == Type::kBoolean && (node.value.number & ~std::int64_t{1}) != 0) {
    return Fault(node.tag, "a Boolean that is neither 0 nor 1");
  }
  return node;
}

}  // namespace

Bytes EncodeTtlv(const Node& node) {
  Bytes out;
  EncodeInto(out, node);
  return out;
}

Result<Node> DecodeTtlv(ByteView bytes) {
  Node node = TRY(Take(bytes, 1));
  if (!bytes.empty()) return Error(Code::kMalformed, "bytes behind the message");
  return node;
}

std::uint64_t TtlvMessageSize(ByteView header) {
  return kHeader + std::uint64_t{GetU32(header.data() + 4)};
}

}  // namespace dare::conformance
