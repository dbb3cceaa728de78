#include "ttlv/print.h"

#include <vector>

#include "ttlv/limits.h"
#include "ttlv/reader.h"

namespace dare::ttlv {
namespace {

std::string Value(const Item& item) {
  switch (item.type) {
    case Type::kInteger:
      return std::to_string(static_cast<std::int32_t>(GetU32(item.value.data())));
    case Type::kEnumeration:
      return "0x" + ToHex(item.value);
    case Type::kInterval:
      return std::to_string(GetU32(item.value.data()));
    case Type::kLongInteger:
    case Type::kBoolean:
    case Type::kDateTime:
    case Type::kDateTimeExtended:
      return std::to_string(static_cast<std::int64_t>(GetU64(item.value.data())));
    default:
      return std::to_string(item.value.size()) + " bytes";
  }
}

}  // namespace

std::string Print(ByteView items) {
  std::string text;
  std::vector<Reader> open = {Reader::Members(items)};
  while (!open.empty()) {
    if (open.back().AtEnd()) {
      open.pop_back();
      continue;
    }
    text.append(2 * (open.size() - 1), ' ');
    const Result<Item> item = open.back().Next();
    if (!item.has_value()) return text + "(" + item.error().message + ")\n";
    text += TagHex(item->tag);
    text += ' ';
    text += TypeName(item->type);
    text += item->type == Type::kStructure ? ", " : " ";
    text += Value(*item) + "\n";
    if (item->type != Type::kStructure) continue;
    if (open.size() == kDeepestNesting) return text + "(nested too deeply)\n";
    open.push_back(Reader::Members(item->value));
  }
  return text;
}

}  // namespace dare::ttlv
