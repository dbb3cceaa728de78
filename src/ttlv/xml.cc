#include "ttlv/xml.h"

#include <expat.h>

#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "ttlv/item_builder.h"
#include "ttlv/item_walk.h"
#include "ttlv/validate.h"
#include "ttlv/value_text.h"

namespace dare::ttlv {
namespace {

constexpr XML_Char kNamespaceEnd = '\n';  // cannot stand in a name
constexpr std::string_view kNamespace = "urn:oasis:tc:kmip:xmlns";
constexpr std::string_view kGenericElement = "TTLV";

// Expat's memory holds keys: it is wiped when it is given back, and bounded, because a hostile text
// could make the parser ask for many times its own size. One parser at a time on each thread.
thread_local std::size_t parser_budget = 0;
constexpr std::size_t kBlockHead = alignof(std::max_align_t);

void FreeWiped(void* p) {
  if (p == nullptr) return;
  auto* block = static_cast<std::uint8_t*>(p) - kBlockHead;
  std::size_t size = 0;
  std::memcpy(&size, block, sizeof size);
  parser_budget += size;
  Wipe({block, size});
  ::operator delete(block);
}

void* Allocate(std::size_t bytes) {
  if (bytes > parser_budget || bytes + kBlockHead > parser_budget) return nullptr;
  const std::size_t size = bytes + kBlockHead;
  auto* block = static_cast<std::uint8_t*>(::operator new(size, std::nothrow));
  if (block == nullptr) return nullptr;
  parser_budget -= size;
  std::memcpy(block, &size, sizeof size);
  return block + kBlockHead;
}

void* Reallocate(void* p, std::size_t bytes) {
  void* larger = Allocate(bytes);
  if (p == nullptr || larger == nullptr) return larger;
  std::size_t size = 0;
  std::memcpy(&size, static_cast<std::uint8_t*>(p) - kBlockHead, sizeof size);
  std::memcpy(larger, p, std::min(bytes, size - kBlockHead));
  FreeWiped(p);
  return larger;
}

constexpr XML_Memory_Handling_Suite kWipingMemory = {Allocate, Reallocate, FreeWiped};

struct ParserDeleter {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

// An element's attributes, as far as they are ours.
struct Attributes {
  std::optional<std::string_view> tag, type, value;
};

Result<Attributes> ParseAttributes(const XML_Char** pairs) {
  Attributes found;
  for (; pairs[0] != nullptr; pairs += 2) {
    const std::string_view name = pairs[0];
    if (name == "value") {
      found.value = pairs[1];
    } else if (name == "type") {
      found.type = pairs[1];
    } else if (name == "tag") {
      found.tag = pairs[1];
    } else if (name != "name" && name.find(kNamespaceEnd) == std::string_view::npos) {
      // Attributes of other namespaces (xml:lang, xsi:…) say nothing about the item.
      return Error(Code::kMalformed, "an attribute that is not tag, name, type or value");
    }
  }
  return found;
}

// Listens to expat and builds the item. Callbacks cannot fail: the first error is kept, and stops
// the parser.
class XmlReader {
 public:
  XmlReader(const Vocabulary& vocabulary, const Limits& limits)
      : vocabulary_(vocabulary), builder_(vocabulary, limits) {}

  Result<WipingBytes> Read(ByteView xml) {
    // A buffer of twice the text, its names and attributes, and what every parser needs.
    parser_budget = 8 * xml.size() + (std::size_t{128} << 10);
    const XML_Char separator[] = {kNamespaceEnd, 0};
    const std::unique_ptr<XML_ParserStruct, ParserDeleter> owner(
        XML_ParserCreate_MM(nullptr, &kWipingMemory, separator));
    parser_ = owner.get();
    if (parser_ == nullptr) return Error(Code::kExhausted, "out of memory");
    XML_SetUserData(parser_, this);
    XML_SetElementHandler(parser_, OnBegin, OnEnd);
    XML_SetCharacterDataHandler(parser_, OnText);
    XML_SetStartDoctypeDeclHandler(parser_, OnDoctype);
    const XML_Status status = XML_Parse(parser_, reinterpret_cast<const char*>(xml.data()),
                                        static_cast<int>(xml.size()), XML_TRUE);
    if (error_) return std::move(*error_);
    if (status != XML_STATUS_OK) return ParserError();
    return builder_.Finish();
  }

  WipingBytes Begun() { return builder_.Begun(); }

 private:
  static void OnBegin(void* self, const XML_Char* name, const XML_Char** attributes) noexcept {
    auto& reader = *static_cast<XmlReader*>(self);
    if (!reader.error_) reader.Note(reader.Begin(name, attributes));
  }
  static void OnEnd(void* self, const XML_Char* /*name*/) noexcept {
    auto& reader = *static_cast<XmlReader*>(self);
    // A stopped parser still tells the end of an element that was empty.
    if (!reader.error_) reader.Note(reader.End());
  }
  static void OnText(void* self, const XML_Char* text, int length) noexcept {
    const std::string_view characters(text, static_cast<std::size_t>(length));
    if (characters.find_first_not_of(" \t\r\n") == std::string_view::npos) return;
    static_cast<XmlReader*>(self)->Note(Error(Code::kMalformed, "text between elements"));
  }
  static void OnDoctype(void* self, const XML_Char* /*name*/, const XML_Char* /*system*/,
                        const XML_Char* /*public_id*/, int /*internal*/) noexcept {
    static_cast<XmlReader*>(self)->Note(Error(Code::kMalformed, "a document type"));
  }

  Result<kmip::Tag> TagOf(std::string_view element, const Attributes& attributes) const {
    if (const std::size_t end = element.find(kNamespaceEnd); end != std::string_view::npos) {
      if (element.substr(0, end) != kNamespace) {
        return Error(Code::kMalformed, "an element of another namespace");
      }
      element.remove_prefix(end + 1);
    }
    if (element == kGenericElement) {
      if (!attributes.tag) return Error(Code::kMalformed, "an element TTLV without a tag");
      return ParseTagHex(*attributes.tag);
    }
    if (attributes.tag) return Error(Code::kMalformed, "a tag beside an element's name");
    const auto tag = vocabulary_.TagByName(element);
    if (!tag) return Error(Code::kMalformed, "an element whose name is unknown");
    return *tag;
  }

  Result<void> Begin(std::string_view element, const XML_Char** pairs) {
    if (in_value_) return Error(Code::kMalformed, "an element within a value");
    const Attributes attributes = TRY(ParseAttributes(pairs));
    const kmip::Tag tag = TRY(TagOf(element, attributes));
    const auto type = attributes.type ? TypeByToken(*attributes.type) : Type::kStructure;
    if (!type) return Error(Code::kMalformed, "a type that is unknown");
    if (*type == Type::kStructure) {
      if (attributes.value) return Error(Code::kMalformed, "a Structure with a value");
      tags_.push_back(tag);
      return builder_.Begin(tag);
    }
    if (!attributes.value) return Error(Code::kMalformed, "an element without a value");
    in_value_ = true;
    return builder_.Add(tag, *type, *attributes.value);
  }

  Result<void> End() {
    if (std::exchange(in_value_, false)) return {};
    const kmip::Tag tag = tags_.back();
    tags_.pop_back();
    return builder_.End(tag);
  }

  void Note(Result<void> done) {
    if (done || error_) return;
    error_ = done.error().In("XML line " + std::to_string(XML_GetCurrentLineNumber(parser_)));
    XML_StopParser(parser_, XML_FALSE);
  }

  Error ParserError() const {
    const XML_Error code = XML_GetErrorCode(parser_);
    if (code == XML_ERROR_NO_MEMORY) return {Code::kTooLarge, "XML takes too much memory"};
    return {Code::kMalformed, "XML line " + std::to_string(XML_GetCurrentLineNumber(parser_)) +
                                  ": " + XML_ErrorString(code)};
  }

  const Vocabulary& vocabulary_;
  ItemBuilder builder_;
  XML_Parser parser_ = nullptr;
  std::vector<kmip::Tag> tags_;  // of the open structures
  bool in_value_ = false;        // between the begin and the end of an element with a value
  std::optional<Error> error_;
};

// What an attribute's value may contain. XML 1.0, 2.2: Char.
Result<void> AppendEscaped(std::string_view text, WipingBytes& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    switch (c) {
      case '&':
        AppendText("&amp;", out);
        continue;
      case '<':
        AppendText("&lt;", out);
        continue;
      case '>':
        AppendText("&gt;", out);
        continue;
      case '"':
        AppendText("&quot;", out);
        continue;
      // As they are they would come back as blanks.
      case '\t':
        AppendText("&#9;", out);
        continue;
      case '\n':
        AppendText("&#10;", out);
        continue;
      case '\r':
        AppendText("&#13;", out);
        continue;
      default:
        break;
    }
    // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
    const bool no_character = text.substr(i, 2) == "\xEF\xBF" && i + 2 < text.size() &&
                              static_cast<unsigned char>(text[i + 2]) >= 0xBE;
    if (c < 0x20 || no_character) {
      return Error(Code::kUnsupported, "a text has a character that XML cannot write");
    }
    out.push_back(c);
  }
  return {};
}

class XmlWriter {
 public:
  XmlWriter(const Vocabulary& vocabulary, XmlLayout layout)
      : vocabulary_(vocabulary), indented_(layout == XmlLayout::kIndented) {}

  Result<void> Begin(const Item& item, bool /*first*/) {
    BreakLine();
    Open(item.tag);
    if (item.value.empty()) {
      AppendText("/>", out_);
    } else {
      AppendText(">", out_);
    }
    ++depth_;
    return {};
  }

  Result<void> End(const Item& item) {
    --depth_;
    if (item.value.empty()) return {};
    BreakLine();
    AppendText("</", out_);
    const std::string_view name = vocabulary_.TagName(item.tag);
    AppendText(name.empty() ? kGenericElement : name, out_);
    AppendText(">", out_);
    return {};
  }

  Result<void> Value(const Item& item, kmip::Tag field, bool /*first*/) {
    BreakLine();
    Open(item.tag);
    AppendText(" type=\"", out_);
    AppendText(TypeToken(item.type), out_);
    AppendText("\" value=\"", out_);
    TRY(AppendValue(item, field));
    AppendText("\"/>", out_);
    return {};
  }

  WipingBytes Take() {
    if (indented_) out_.push_back('\n');
    return std::move(out_);
  }

 private:
  void BreakLine() {
    if (!indented_) return;
    if (!out_.empty()) out_.push_back('\n');
    out_.insert(out_.end(), 2 * depth_, ' ');
  }

  void Open(kmip::Tag tag) {
    const std::string_view name = vocabulary_.TagName(tag);
    AppendText("<", out_);
    AppendText(name.empty() ? kGenericElement : name, out_);
    if (!name.empty()) return;
    AppendText(" tag=\"", out_);
    AppendHexNumber(TagNumber(tag), 6, out_);
    AppendText("\"", out_);
  }

  Result<void> AppendValue(const Item& item, kmip::Tag field) {
    switch (item.type) {
      case Type::kInteger: {
        const std::int32_t number = TRY(item.AsInteger());
        if (number != 0 && vocabulary_.IsMask(field)) {
          AppendMask(static_cast<std::uint32_t>(number), field, vocabulary_, ' ', out_);
        } else {
          AppendDecimal(number, out_);
        }
        return {};
      }
      case Type::kLongInteger:
        AppendDecimal(TRY(item.AsLongInteger()), out_);
        return {};
      case Type::kEnumeration:
        AppendEnumeration(TRY(item.AsEnumeration()), field, vocabulary_, out_);
        return {};
      case Type::kBoolean:
        AppendText(TRY(item.AsBoolean()) ? "true" : "false", out_);
        return {};
      case Type::kTextString:
      case Type::kIdentifier:
      case Type::kReference:
      case Type::kNameReference:
        return AppendEscaped(AsText(item.value), out_);
      case Type::kBigInteger:
      case Type::kByteString:
        AppendHex(item.value, out_);
        return {};
      case Type::kDateTime:
        AppendDateTime(TRY(item.AsDateTime()), out_);
        return {};
      case Type::kInterval:
        AppendDecimal(TRY(item.AsInterval()), out_);
        return {};
      case Type::kDateTimeExtended:
        AppendDateTimeExtended(TRY(item.AsDateTimeExtended()), out_);
        return {};
      case Type::kStructure:
        break;
    }
    return Error(Code::kInternal, "a type that XML does not know");
  }

  const Vocabulary& vocabulary_;
  const bool indented_;
  std::size_t depth_ = 0;
  WipingBytes out_;
};

}  // namespace

Result<WipingBytes> FromXml(ByteView xml, const Vocabulary& vocabulary, const Limits& limits,
                            WipingBytes* begun) {
  // Far above every limit on messages, and what expat can count.
  if (xml.size() > std::numeric_limits<int>::max() / 4) {
    return Error(Code::kTooLarge, "XML over the length limit");
  }
  XmlReader reader(vocabulary, limits);
  Result<WipingBytes> item = reader.Read(xml);
  if (!item && begun != nullptr) *begun = reader.Begun();
  return item;
}

Result<WipingBytes> ToXml(ByteView item, const Vocabulary& vocabulary, const Limits& limits,
                          XmlLayout layout) {
  TRY(ValidateItem(item, limits));
  XmlWriter writer(vocabulary, layout);
  TRY(WalkItems(item, vocabulary, writer));
  return writer.Take();
}

}  // namespace dare::ttlv
