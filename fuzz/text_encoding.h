#pragma once

#include <algorithm>

#include "base/check.h"
#include "kmip/message.h"
#include "kmip/vocabulary.h"
#include "ttlv/json.h"
#include "ttlv/validate.h"
#include "ttlv/xml.h"

// What must hold for the text encodings, whatever the bytes: shared by the targets xml and json.
namespace dare {

using ToText = Result<WipingBytes> (*)(ByteView item, const ttlv::Limits& limits);
using FromText = Result<WipingBytes> (*)(ByteView text, const ttlv::Limits& limits,
                                         WipingBytes* begun);

inline Result<WipingBytes> WriteXml(ByteView item, const ttlv::Limits& limits) {
  return ttlv::ToXml(item, kmip::Vocabulary(), limits);
}
inline Result<WipingBytes> ReadXml(ByteView text, const ttlv::Limits& limits, WipingBytes* begun) {
  return ttlv::FromXml(text, kmip::Vocabulary(), limits, begun);
}
inline Result<WipingBytes> WriteJson(ByteView item, const ttlv::Limits& limits) {
  return ttlv::ToJson(item, kmip::Vocabulary(), limits);
}
inline Result<WipingBytes> ReadJson(ByteView text, const ttlv::Limits& limits, WipingBytes* begun) {
  return ttlv::FromJson(text, kmip::Vocabulary(), limits, begun);
}

inline bool Same(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// Valid TTLV comes back from its text as it was.
inline void CheckThereAndBack(ByteView item, const ttlv::Limits& limits, ToText write,
                              FromText read) {
  const auto text = write(item, limits);
  if (!text.has_value()) {
    CHECK(text.error().code == Code::kUnsupported);  // characters that XML lacks
    return;
  }
  const auto back = read(*text, limits, nullptr);
  CHECK(back.has_value() && Same(*back, item));
}

// Any bytes, taken as text, are refused or make valid TTLV; taken as TTLV, they survive.
inline void CheckTextEncoding(ByteView bytes, ToText write, FromText read) {
  ttlv::Limits limits;
  limits.draft3_types = true;
  WipingBytes begun;
  if (const auto item = read(bytes, limits, &begun); item.has_value()) {
    CHECK(ttlv::ValidateItem(*item, limits).has_value());
    CheckThereAndBack(*item, limits, WriteXml, ReadXml);
    CheckThereAndBack(*item, limits, WriteJson, ReadJson);
  } else {
    (void)kmip::PeekVersion(begun);
  }
  if (ttlv::ValidateItem(bytes, limits).has_value()) {
    CheckThereAndBack(bytes, limits, write, read);
  } else {
    CHECK(!write(bytes, limits).has_value());
  }
}

}  // namespace dare
