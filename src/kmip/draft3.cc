#include "kmip/draft3.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "kmip/enums.h"
#include "kmip/message.h"
#include "kmip/tags.h"
#include "ttlv/writer.h"

namespace dare::kmip {
namespace {

constexpr std::uint8_t kIdentifier = 0x0C;
constexpr std::uint8_t kReference = 0x0D;
constexpr std::uint8_t kTextString = static_cast<std::uint8_t>(ttlv::Type::kTextString);
constexpr std::uint8_t kStructure = static_cast<std::uint8_t>(ttlv::Type::kStructure);
constexpr std::size_t kDeepest = 32;
constexpr std::uint32_t kClassUser = 1;  // Object Class

struct LinkRow {
  Tag tag;                  // 3.0
  std::uint32_t link_type;  // 2.1
};
constexpr std::array<LinkRow, 14> kLinks = {{
    {Tag::kCertificateLink, 0x101},
    {Tag::kPublicKeyLink, 0x102},
    {Tag::kPrivateKeyLink, 0x103},
    {Tag::kDerivationObjectLink, 0x104},
    {Tag::kDerivedObjectLink, 0x105},
    {Tag::kReplacementObjectLink, 0x106},
    {Tag::kReplacedObjectLink, 0x107},
    {Tag::kParentLink, 0x108},
    {Tag::kChildLink, 0x109},
    {Tag::kPreviousLink, 0x10A},
    {Tag::kNextLink, 0x10B},
    {Tag::kPKCS_12CertificateLink, 0x10C},
    {Tag::kPKCS_12PasswordLink, 0x10D},
    {Tag::kWrappingKeyLink, 0x10E},
}};
const LinkRow* LinkByTag(Tag tag) {
  for (const LinkRow& row : kLinks) {
    if (row.tag == tag) return &row;
  }
  return nullptr;
}
const LinkRow* LinkByType(std::uint32_t link_type) {
  for (const LinkRow& row : kLinks) {
    if (row.link_type == link_type) return &row;
  }
  return nullptr;
}

// An item of any type, the unknown ones included: ttlv::Item knows those of 2.1 only.
struct RawItem {
  Tag tag{};
  std::uint8_t type = 0;
  ByteView value;
  ByteView whole;

  std::string_view Text() const { return AsText(value); }
  bool IsEnumeration() const { return type == 0x05 && value.size() == 4; }
  std::uint32_t Enumeration() const { return GetU32(value.data()); }
};

Result<RawItem> TakeRaw(ByteView& rest) {
  if (rest.size() < ttlv::kHeaderBytes) {
    return Error(Code::kMalformed, "TTLV: an item header is cut off");
  }
  const std::uint32_t head = GetU32(rest.data());
  const std::uint32_t length = GetU32(rest.data() + 4);
  if (ttlv::Padded(length) > rest.size() - ttlv::kHeaderBytes) {
    return Error(Code::kMalformed, "TTLV: an item is longer than its container");
  }
  const auto padded = static_cast<std::size_t>(ttlv::Padded(length));
  RawItem item;
  item.tag = static_cast<Tag>(head >> 8);
  item.type = static_cast<std::uint8_t>(head & 0xFF);
  item.value = rest.subspan(ttlv::kHeaderBytes, length);
  item.whole = rest.first(ttlv::kHeaderBytes + padded);
  rest = rest.subspan(item.whole.size());
  return item;
}

// For our own answers, and for what was read before.
template <typename Each>
void ForEach(ByteView members, Each&& each) {
  while (!members.empty()) {
    const Result<RawItem> item = TakeRaw(members);
    if (!item) return;
    each(*item);
  }
}

// A Text String under one of the new types.
void PutAs(WipingBytes& buffer, ttlv::Writer& out, std::uint8_t type, Tag tag,
           std::string_view text) {
  const std::size_t at = buffer.size();
  out.Text(tag, text);
  buffer[at + 3] = type;
}

std::string MadeBatchId(std::size_t index) { return "#" + std::to_string(index); }

}  // namespace

bool Draft3Exchange::Speaks(ByteView request) { return PeekVersion(request) == kVersion3_0; }

// Rewrites a request.
class Draft3Request {
 public:
  explicit Draft3Request(Draft3Exchange& exchange) : exchange_(exchange), out_(buffer_) {}

  Result<WipingBytes> Run(ByteView request) {
    ByteView rest = request;
    const RawItem message = TRY(TakeRaw(rest));
    if (!rest.empty()) return Error(Code::kMalformed, "TTLV: bytes behind the message");
    const std::vector<RawItem> members = TRY(Members(message));
    std::size_t items = 0;
    for (const RawItem& member : members) items += member.tag == Tag::kBatchItem ? 1 : 0;
    const ttlv::Writer::Mark mark = out_.Begin(message.tag);
    std::size_t index = 0;
    for (const RawItem& member : members) {
      if (member.type != kStructure) {
        out_.Raw(member.whole);
      } else if (member.tag == Tag::kRequestHeader) {
        TRY(Header(member, items));
      } else if (member.tag == Tag::kBatchItem) {
        TRY(BatchItem(member, index++, items > 1));
      } else {
        TRY(Structure(member, nullptr, 1));
      }
    }
    out_.End(mark);
    return std::move(buffer_);
  }

 private:
  static Result<std::vector<RawItem>> Members(const RawItem& structure) {
    std::vector<RawItem> members;
    ByteView rest = structure.value;
    while (!rest.empty()) members.push_back(TRY(TakeRaw(rest)));
    return members;
  }

  Result<void> Header(const RawItem& header, std::size_t items) {
    const std::vector<RawItem> members = TRY(Members(header));
    const ttlv::Writer::Mark mark = out_.Begin(header.tag);
    bool counted = false;
    for (const RawItem& member : members) {
      counted |= member.tag == Tag::kBatchCount;
      if (member.tag == Tag::kProtocolVersion) {
        WriteProtocolVersion(out_, kVersion2_1);
      } else if (member.type == kStructure) {
        TRY(Structure(member, nullptr, 2));
      } else {
        out_.Raw(member.whole);
      }
    }
    if (!counted) out_.Integer(Tag::kBatchCount, static_cast<std::int32_t>(items));
    out_.End(mark);
    return {};
  }

  Result<void> BatchItem(const RawItem& item, std::size_t index, bool needs_id) {
    const std::vector<RawItem> members = TRY(Members(item));
    Operation operation{};
    bool has_id = false;
    for (const RawItem& member : members) {
      has_id |= member.tag == Tag::kUniqueBatchItemID;
      if (member.tag == Tag::kOperation && member.IsEnumeration()) {
        operation = static_cast<Operation>(member.Enumeration());
      }
    }
    Draft3Exchange::Item memory;
    const ttlv::Writer::Mark mark = out_.Begin(item.tag);
    for (const RawItem& member : members) {
      if (member.tag == Tag::kRequestPayload && member.type == kStructure) {
        if (needs_id && !has_id) {
          out_.ByteString(Tag::kUniqueBatchItemID, AsBytes(MadeBatchId(index)));
          memory.made_batch_id = true;
        }
        AskForClass(member, operation, memory);
        if (operation == Operation::kPKCS_11) RememberCorrelation(member, memory);
        TRY(Structure(member, &memory, 2));
      } else if (member.type == kStructure) {
        TRY(Structure(member, nullptr, 2));
      } else {
        out_.Raw(member.whole);
      }
    }
    out_.End(mark);
    if (memory.made_batch_id || memory.object_class || !memory.pkcs11_correlation.empty() ||
        !memory.links.empty()) {
      exchange_.items_.emplace(index, std::move(memory));
    }
    return {};
  }

  static void AskForClass(const RawItem& payload, Operation operation,
                          Draft3Exchange::Item& memory) {
    if (operation == Operation::kGetAttributeList) memory.object_class = true;
    if (operation != Operation::kGetAttributes) return;
    bool any = false;
    ForEach(payload.value, [&](const RawItem& member) {
      if (member.tag != Tag::kAttributeReference) return;
      any = true;
      memory.object_class |=
          member.IsEnumeration() && static_cast<Tag>(member.Enumeration()) == Tag::kObjectClass;
    });
    memory.object_class |= !any;
  }

  static void RememberCorrelation(const RawItem& payload, Draft3Exchange::Item& memory) {
    ForEach(payload.value, [&](const RawItem& member) {
      if (member.tag == Tag::kCorrelationValue) memory.pkcs11_correlation = ToBytes(member.value);
    });
  }

  // `memory` is null outside of payloads.
  Result<void> Structure(const RawItem& structure, Draft3Exchange::Item* memory,
                         std::size_t depth) {
    if (depth > kDeepest) return Error(Code::kTooLarge, "TTLV: nested too deeply");
    const std::vector<RawItem> members = TRY(Members(structure));
    const ttlv::Writer::Mark mark = out_.Begin(structure.tag);
    bool asked_for_links = false;
    for (const RawItem& member : members) {
      if (member.type == kStructure) {
        TRY(Structure(member, memory, depth + 1));
      } else if (memory == nullptr) {
        out_.Raw(member.whole);
      } else {
        Primitive(member, *memory, asked_for_links);
      }
    }
    out_.End(mark);
    return {};
  }

  void Primitive(const RawItem& item, Draft3Exchange::Item& memory, bool& asked_for_links) {
    const bool id_like =
        item.type == kIdentifier || item.type == kReference || item.type == kTextString;
    if (const LinkRow* link = LinkByTag(item.tag); link != nullptr && id_like) {
      out_.Structure(Tag::kLink, [&] {
        out_.Enumeration(Tag::kLinkType, link->link_type);
        out_.Text(Tag::kLinkedObjectIdentifier, item.Text());
      });
    } else if (item.tag == Tag::kName && item.type == kTextString) {
      out_.Structure(Tag::kName, [&] {
        out_.Text(Tag::kNameValue, item.Text());
        out_.Enum(Tag::kNameType, NameType::kUninterpretedTextString);
      });
    } else if (item.type == kIdentifier || item.type == kReference) {
      out_.Text(item.tag, item.Text());
    } else if (item.tag == Tag::kAttributeReference && item.IsEnumeration()) {
      Reference(item, memory, asked_for_links);
    } else if (item.tag == Tag::kObjectClass && item.IsEnumeration() &&
               item.Enumeration() == kClassUser) {
      return;  // all objects are of this class
    } else {
      out_.Raw(item.whole);
    }
  }

  void Reference(const RawItem& item, Draft3Exchange::Item& memory, bool& asked_for_links) {
    const LinkRow* link = LinkByTag(static_cast<Tag>(item.Enumeration()));
    if (link == nullptr) return out_.Raw(item.whole);
    memory.links.insert(link->link_type);
    if (asked_for_links) return;
    asked_for_links = true;
    out_.Enum(Tag::kAttributeReference, Tag::kLink);
  }

  Draft3Exchange& exchange_;
  WipingBytes buffer_;
  ttlv::Writer out_;
};

// Rewrites an answer.
class Draft3Answer {
 public:
  explicit Draft3Answer(const Draft3Exchange& exchange) : exchange_(exchange), out_(buffer_) {}

  WipingBytes Run(ByteView answer) {
    ByteView rest = answer;
    const Result<RawItem> message = TakeRaw(rest);
    if (!message) return {};
    const ttlv::Writer::Mark mark = out_.Begin(message->tag);
    std::size_t index = 0;
    ForEach(message->value, [&](const RawItem& member) {
      if (member.tag == Tag::kResponseHeader) return Header(member);
      static const Draft3Exchange::Item kNothing;
      const auto found = exchange_.items_.find(index++);
      Structure(member, found == exchange_.items_.end() ? kNothing : found->second);
    });
    out_.End(mark);
    return std::move(buffer_);
  }

 private:
  void Header(const RawItem& header) {
    const ttlv::Writer::Mark mark = out_.Begin(header.tag);
    ForEach(header.value, [&](const RawItem& member) {
      // The published answers have neither.
      if (member.tag == Tag::kBatchCount || member.tag == Tag::kClientCorrelationValue) return;
      if (member.tag == Tag::kProtocolVersion) return WriteProtocolVersion(out_, kVersion3_0);
      out_.Raw(member.whole);
    });
    out_.End(mark);
  }

  // Our answers are never nested deeply.
  void Structure(const RawItem& structure, const Draft3Exchange::Item& memory) {
    const ttlv::Writer::Mark mark = out_.Begin(structure.tag);
    bool listed = false;
    ForEach(structure.value, [&](const RawItem& member) {
      listed |= member.tag == Tag::kAttributeReference;
      Member(member, memory);
    });
    if (memory.object_class && structure.tag == Tag::kAttributes) {
      out_.Enumeration(Tag::kObjectClass, kClassUser);
    }
    if (memory.object_class && structure.tag == Tag::kResponsePayload && listed) {
      out_.Enum(Tag::kAttributeReference, Tag::kObjectClass);
    }
    out_.End(mark);
  }

  void Member(const RawItem& member, const Draft3Exchange::Item& memory) {
    switch (member.tag) {
      case Tag::kUniqueBatchItemID:
        if (!memory.made_batch_id) out_.Raw(member.whole);
        return;
      case Tag::kName:
        if (member.type != kStructure) break;
        return ForEach(member.value, [&](const RawItem& part) {
          if (part.tag == Tag::kNameValue) out_.Text(Tag::kName, part.Text());
        });
      case Tag::kLink:
        if (member.type != kStructure) break;
        return Link(member, memory);
      case Tag::kUniqueIdentifier:
      case Tag::kPrivateKeyUniqueIdentifier:
      case Tag::kPublicKeyUniqueIdentifier:
        if (member.type != kTextString) break;
        return PutAs(buffer_, out_, kIdentifier, member.tag, member.Text());
      default:
        break;
    }
    if (member.type == kStructure) return Structure(member, memory);
    out_.Raw(member.whole);
    if (member.tag == Tag::kPKCS_11Function && !memory.pkcs11_correlation.empty()) {
      out_.ByteString(Tag::kCorrelationValue, memory.pkcs11_correlation);
    }
  }

  void Link(const RawItem& link, const Draft3Exchange::Item& memory) {
    std::uint32_t type = 0;
    std::string_view linked;
    ForEach(link.value, [&](const RawItem& part) {
      if (part.tag == Tag::kLinkType && part.IsEnumeration()) type = part.Enumeration();
      if (part.tag == Tag::kLinkedObjectIdentifier) linked = part.Text();
    });
    if (!memory.links.empty() && !memory.links.contains(type)) return;
    const LinkRow* row = LinkByType(type);
    if (row == nullptr) return;  // a vendor's own kind: the draft has no attribute for it
    PutAs(buffer_, out_, kReference, row->tag, linked);
  }

  const Draft3Exchange& exchange_;
  WipingBytes buffer_;
  ttlv::Writer out_;
};

Result<WipingBytes> Draft3Exchange::TakeRequest(ByteView request) {
  return Draft3Request(*this).Run(request);
}

WipingBytes Draft3Exchange::GiveAnswer(ByteView answer) const {
  return Draft3Answer(*this).Run(answer);
}

}  // namespace dare::kmip
