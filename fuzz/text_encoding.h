#pragma once

#include <algorithm>

#include "base/check.h"
#include "kmip/vocabulary.h"
#include "ttlv/json.h"
#include "ttlv/validate.h"
#include "ttlv/xml.h"

// What must hold for the text encodings, whatever the bytes: shared by the targets xml and json.
namespace dare {

using ToText = Result<WipingBytes> (*)(ByteView item);
using FromText = Result<WipingBytes> (*)(ByteView text);

inline Result<WipingBytes> WriteXml(ByteView item) { return ttlv::ToXml(item, kmip::Vocabulary()); }
inline Result<WipingBytes> ReadXml(ByteView text) {
  return ttlv::FromXml(text, kmip::Vocabulary());
}
inline Result<WipingBytes> WriteJson(ByteView item) {
  return ttlv::ToJson(item, kmip::Vocabulary());
}
inline Result<WipingBytes> ReadJson(ByteView text) {
  return ttlv::FromJson(text, kmip::Vocabulary());
}

inline bool Same(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// Valid TTLV comes back from its text as it was.
inline void CheckThereAndBack(ByteView item, ToText write, FromText read) {
  const auto text = write(item);
  if (!text.has_value()) {
    CHECK(text.error().code == Code::kUnsupported);  // characters that XML lacks
    return;
  }
  const auto back = read(*text);
  CHECK(back.has_value() && Same(*back, item));
}

// Any bytes, taken as text, are refused or make valid TTLV; taken as TTLV, they survive.
inline void CheckTextEncoding(ByteView bytes, ToText write, FromText read) {
  if (const auto item = read(bytes); item.has_value()) {
    CHECK(ttlv::ValidateItem(*item).has_value());
    CheckThereAndBack(*item, WriteXml, ReadXml);
    CheckThereAndBack(*item, WriteJson, ReadJson);
  }
  if (ttlv::ValidateItem(bytes).has_value()) {
    CheckThereAndBack(bytes, write, read);
  } else {
    CHECK(!write(bytes).has_value());
  }
}

}  // namespace dare
