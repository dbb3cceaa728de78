#include "ttlv/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ttlv/item_builder.h"
#include "ttlv/item_walk.h"
#include "ttlv/validate.h"
#include "ttlv/value_text.h"

namespace dare::ttlv {
namespace {

namespace json = boost::json;

// Each structure is an object and the array of its members; and the object of a value.
constexpr std::size_t kDeepestJson = 2 * kDeepestNesting + 1;

// The members of an object.
enum class Key : std::uint8_t { kTag, kName, kType, kValue };

std::optional<Key> KeyByName(std::string_view name) {
  if (name == "tag") return Key::kTag;
  if (name == "name") return Key::kName;
  if (name == "type") return Key::kType;
  if (name == "value") return Key::kValue;
  return std::nullopt;
}

enum class Kind : std::uint8_t { kNull, kText, kNumber, kBoolean, kMembers };

Error Fault(std::string reason) { return {Code::kMalformed, "JSON: " + std::move(reason)}; }

// Builds the item from what the parser tells, without a tree: memory is that of the item and of one
// value. The first error stops it.
class JsonItems {
 public:
  JsonItems(const Vocabulary& vocabulary, const Limits& limits)
      : vocabulary_(vocabulary), builder_(vocabulary, limits) {}

  Result<void> BeginObject() {
    if (root_done_ || (!open_.empty() && !open_.back().in_members)) {
      return Fault("an object where none belongs");
    }
    open_.emplace_back();
    return {};
  }

  Result<void> EndObject() {
    const Object object = open_.back();
    open_.pop_back();
    root_done_ = open_.empty();
    if (!object.tag) return Fault("an object without a tag");
    const Type type = object.type.value_or(Type::kStructure);
    if (object.kind == Kind::kMembers) {
      if (type != Type::kStructure) return Fault("members of an item that is not a Structure");
      return builder_.End(*object.tag);
    }
    if (type != Type::kStructure) return AddValue(*object.tag, type, object.kind);
    if (object.kind != Kind::kNull) return Fault("a Structure whose value is not an array");
    TRY(builder_.Begin(*object.tag));
    return builder_.End(*object.tag);
  }

  Result<void> BeginArray() {
    if (open_.empty() || open_.back().in_members || key_ != Key::kValue) {
      return Fault("an array where none belongs");
    }
    Object& object = open_.back();
    object.in_members = true;
    object.kind = Kind::kMembers;
    return builder_.Begin(object.tag.value_or(kmip::Tag{}));
  }

  Result<void> EndArray() {
    open_.back().in_members = false;
    return {};
  }

  Result<void> Member(std::string_view name) {
    const auto key = KeyByName(name);
    if (!key) return Fault("a member that is not tag, name, type or value");
    const std::uint8_t bit = static_cast<std::uint8_t>(1u << static_cast<unsigned>(*key));
    if ((open_.back().seen & bit) != 0) return Fault("a member that comes twice");
    open_.back().seen |= bit;
    key_ = *key;
    return {};
  }

  // Everything but objects and arrays; for null, `text` is empty.
  Result<void> Scalar(Kind kind, std::string_view text) {
    if (open_.empty() || open_.back().in_members) return Fault("a value that is not an object");
    Object& object = open_.back();
    if (key_ == Key::kValue) {
      object.kind = kind;
      value_.assign(text.begin(), text.end());
      return {};
    }
    if (kind != Kind::kText) return Fault("a tag, name or type that is not a text");
    if (key_ == Key::kTag) {
      object.tag = TRY(ParseTag(text));
    } else if (key_ == Key::kType) {
      object.type = TypeByToken(text);
      if (!object.type) return Fault("a type that is unknown");
    }
    return {};
  }

  Result<WipingBytes> Finish() { return builder_.Finish(); }
  WipingBytes Begun() { return builder_.Begun(); }

 private:
  struct Object {
    std::optional<kmip::Tag> tag;
    std::optional<Type> type;
    Kind kind = Kind::kNull;  // of its value
    bool in_members = false;  // within the array
    std::uint8_t seen = 0;    // bit n: the member n came
  };

  Result<kmip::Tag> ParseTag(std::string_view text) const {
    if (const auto tag = vocabulary_.TagByName(text)) return *tag;
    if (!text.starts_with("0x")) return Fault("a tag whose name is unknown");
    return ParseTagHex(text);
  }

  Result<void> AddValue(kmip::Tag tag, Type type, Kind kind) {
    const bool is_text =
        type == Type::kTextString || type == Type::kByteString || IsDraft3Type(type);
    const bool fits = kind == Kind::kText || (kind == Kind::kBoolean && type == Type::kBoolean) ||
                      (kind == Kind::kNumber && type != Type::kBoolean && !is_text);
    if (!fits) return Fault("a value that its type cannot have");
    if (kind == Kind::kNumber && type == Type::kBigInteger) {
      const std::int64_t number = TRY(ParseLongInteger(AsText(value_)));
      value_.clear();
      AppendHexNumber(static_cast<std::uint64_t>(number), 16, value_);
    }
    return builder_.Add(tag, type, AsText(value_));
  }

  const Vocabulary& vocabulary_;
  ItemBuilder builder_;
  std::vector<Object> open_;
  Key key_ = Key::kTag;  // of the member being read
  WipingBytes value_;    // of the innermost object, which has no members then
  bool root_done_ = false;
};

// What boost::json::basic_parser calls: collects texts that come in parts, keeps the first error.
class Handler {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = 16;
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  explicit Handler(JsonItems& items) : items_(items) {}
  std::optional<Error>& error() { return error_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code& ec) { return Go(items_.BeginObject(), ec); }
  bool on_object_end(std::size_t, json::error_code& ec) { return Go(items_.EndObject(), ec); }
  bool on_array_begin(json::error_code& ec) { return Go(items_.BeginArray(), ec); }
  bool on_array_end(std::size_t, json::error_code& ec) { return Go(items_.EndArray(), ec); }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return Part(part); }
  bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
    Part(part);
    const Result<void> done = items_.Member(AsText(text_));
    text_.clear();
    return Go(done, ec);
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return Part(part); }
  bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
    Part(part);
    const Result<void> done = items_.Scalar(Kind::kText, AsText(text_));
    text_.clear();
    return Go(done, ec);
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t number, json::string_view, json::error_code& ec) {
    return Go(items_.Scalar(Kind::kNumber, std::to_string(number)), ec);
  }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code& ec) {
    return Go(Fault("a number over 64 bits with sign; write it as hexadecimal text"), ec);
  }
  bool on_double(double, json::string_view, json::error_code& ec) {
    return Go(Fault("a number that is not whole"), ec);
  }
  bool on_bool(bool value, json::error_code& ec) {
    return Go(items_.Scalar(Kind::kBoolean, value ? "true" : "false"), ec);
  }
  bool on_null(json::error_code& ec) { return Go(items_.Scalar(Kind::kNull, ""), ec); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  bool Part(json::string_view part) {
    Append(text_, AsBytes({part.data(), part.size()}));
    return true;
  }
  bool Go(const Result<void>& done, json::error_code& ec) {
    if (done) return true;
    error_ = done.error();
    ec = json::make_error_code(json::error::exception);  // any will do: error_ says what happened
    return false;
  }

  JsonItems& items_;
  WipingBytes text_;
  std::optional<Error> error_;
};

class JsonWriter {
 public:
  explicit JsonWriter(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  Result<void> Begin(const Item& item, bool first) {
    Open(item.tag, first);
    AppendText(item.value.empty() ? R"(, "value":[)" : R"(, "value":[ )", out_);
    return {};
  }

  Result<void> End(const Item& item) {
    AppendText(item.value.empty() ? "]}" : " ]}", out_);
    return {};
  }

  Result<void> Value(const Item& item, kmip::Tag field, bool first) {
    Open(item.tag, first);
    AppendText(R"(, "type":")", out_);
    AppendText(TypeToken(item.type), out_);
    AppendText(R"(", "value":)", out_);
    TRY(AppendValue(item, field));
    AppendText("}", out_);
    return {};
  }

  WipingBytes Take() { return std::move(out_); }

 private:
  void Open(kmip::Tag tag, bool first) {
    if (!first) AppendText(", ", out_);
    AppendText(R"({"tag":")", out_);
    const std::string_view name = vocabulary_.TagName(tag);
    if (name.empty()) {
      AppendHexNumber(TagNumber(tag), 6, out_);
    } else {
      AppendText(name, out_);
    }
    AppendText("\"", out_);
  }

  Result<void> AppendValue(const Item& item, kmip::Tag field) {
    if (item.type == Type::kBoolean) {
      AppendText(TRY(item.AsBoolean()) ? "true" : "false", out_);
      return {};
    }
    AppendText("\"", out_);
    TRY(AppendQuoted(item, field));
    AppendText("\"", out_);
    return {};
  }

  Result<void> AppendQuoted(const Item& item, kmip::Tag field) {
    switch (item.type) {
      case Type::kInteger: {
        const auto number = static_cast<std::uint32_t>(TRY(item.AsInteger()));
        if (number != 0 && vocabulary_.IsMask(field)) {
          AppendMask(number, field, vocabulary_, '|', out_);
        } else {
          AppendHexNumber(number, 8, out_);
        }
        return {};
      }
      case Type::kLongInteger:
        AppendHexNumber(static_cast<std::uint64_t>(TRY(item.AsLongInteger())), 16, out_);
        return {};
      case Type::kBigInteger:
        AppendText("0x", out_);
        AppendHex(item.value, out_);
        return {};
      case Type::kEnumeration:
        AppendEnumeration(TRY(item.AsEnumeration()), field, vocabulary_, out_);
        return {};
      case Type::kTextString:
      case Type::kIdentifier:
      case Type::kReference:
      case Type::kNameReference:
        AppendEscaped(AsText(item.value));
        return {};
      case Type::kByteString:
        AppendHex(item.value, out_);
        return {};
      case Type::kDateTime:
        AppendDateTime(TRY(item.AsDateTime()), out_);
        return {};
      case Type::kInterval:
        AppendHexNumber(TRY(item.AsInterval()), 8, out_);
        return {};
      case Type::kDateTimeExtended:
        AppendDateTimeExtended(TRY(item.AsDateTimeExtended()), out_);
        return {};
      case Type::kBoolean:
      case Type::kStructure:
        break;
    }
    return Error(Code::kInternal, "a type that JSON does not know");
  }

  // RFC 8259, section 7.
  void AppendEscaped(std::string_view text) {
    for (const char c : text) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (c == '"' || c == '\\') {
        out_.push_back('\\');
        out_.push_back(byte);
      } else if (byte < 0x20) {
        AppendText("\\u00", out_);
        AppendHex({&byte, 1}, out_);
      } else {
        out_.push_back(byte);
      }
    }
  }

  const Vocabulary& vocabulary_;
  WipingBytes out_;
};

Result<void> ParseInto(JsonItems& items, ByteView text) {
  json::parse_options options;
  options.max_depth = kDeepestJson;
  json::basic_parser<Handler> parser(options, items);
  json::error_code failure;
  const std::size_t used =
      parser.write_some(false, reinterpret_cast<const char*>(text.data()), text.size(), failure);
  if (parser.handler().error()) return std::move(*parser.handler().error());
  if (failure == json::error::too_deep) return Error(Code::kTooLarge, "JSON: nested too deeply");
  if (failure) return Fault(failure.message() + " at byte " + std::to_string(used));
  if (used != text.size()) return Fault("something behind the item");
  return {};
}

}  // namespace

Result<WipingBytes> FromJson(ByteView text, const Vocabulary& vocabulary, const Limits& limits,
                             WipingBytes* begun) {
  JsonItems items(vocabulary, limits);
  const Result<void> parsed = ParseInto(items, text);
  if (parsed) return items.Finish();
  if (begun != nullptr) *begun = items.Begun();
  return parsed.error();
}

Result<WipingBytes> ToJson(ByteView item, const Vocabulary& vocabulary, const Limits& limits) {
  TRY(ValidateItem(item, limits));
  JsonWriter writer(vocabulary);
  TRY(WalkItems(item, vocabulary, writer));
  return writer.Take();
}

}  // namespace dare::ttlv
