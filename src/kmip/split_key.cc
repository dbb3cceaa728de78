#include "kmip/split_key.h"

#include <algorithm>

#include "kmip/tags.h"

namespace dare::kmip {

Result<SplitKeyHead> ReadSplitKeyHead(ttlv::Reader& members) {
  SplitKeyHead head;
  head.parts = TRY(members.Integer(Tag::kSplitKeyParts));
  head.identifier = TRY(members.Integer(Tag::kKeyPartIdentifier));
  head.threshold = TRY(members.Integer(Tag::kSplitKeyThreshold));
  head.method = TRY(members.Enum<SplitKeyMethod>(Tag::kSplitKeyMethod));
  if (const auto prime = TRY(members.OptionalBigInteger(Tag::kPrimeFieldSize))) {
    if (prime->empty() || prime->front() >= 0x80) {
      return Error(Code::kInvalidArgument, "a negative Prime Field Size");
    }
    const auto first = std::ranges::find_if(*prime, [](std::uint8_t byte) { return byte != 0; });
    head.prime.assign(first, prime->end());
  }
  //= kmip-2.1 2.8 Split Key
  //# The Key Part Identifier […] SHALL be at least 1 and SHALL be less than or equal to Split Key
  //# Parts. […] Prime Field Size: REQUIRED only if Split Key Method is Polynomial Sharing Prime
  //# Field.
  if (head.parts < 1 || head.identifier < 1 || head.identifier > head.parts || head.threshold < 1 ||
      head.threshold > head.parts) {
    return Error(Code::kInvalidArgument, "the numbers of a Split Key do not go together");
  }
  const bool in_prime_field = head.method == SplitKeyMethod::kPolynomialSharingPrimeField;
  if (in_prime_field == head.prime.empty()) {
    return Error(Code::kInvalidArgument, "Prime Field Size belongs to Prime Field sharing");
  }
  return head;
}

void WriteSplitKeyHead(ttlv::Writer& out, const SplitKeyHead& head) {
  out.Integer(Tag::kSplitKeyParts, head.parts);
  out.Integer(Tag::kKeyPartIdentifier, head.identifier);
  out.Integer(Tag::kSplitKeyThreshold, head.threshold);
  out.Enum(Tag::kSplitKeyMethod, head.method);
  if (!head.prime.empty()) out.UnsignedBigInteger(Tag::kPrimeFieldSize, head.prime);
}

Result<SecretBytes> MakeSplitKey(const SplitKeyHead& head, const KeyBlock& original,
                                 ByteView part) {
  ttlv::Writer out;
  out.Structure(Tag::kSplitKey, [&] {
    WriteSplitKeyHead(out, head);
    out.Structure(Tag::kKeyBlock, [&] {
      out.Enum(Tag::kKeyFormatType, original.format);
      out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, part); });
      if (original.algorithm) out.Enum(Tag::kCryptographicAlgorithm, *original.algorithm);
      if (original.length) out.Integer(Tag::kCryptographicLength, *original.length);
    });
  });
  return SecretBytes::CopyOf(out.bytes());
}

}  // namespace dare::kmip
