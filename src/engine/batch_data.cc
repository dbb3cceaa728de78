#include "engine/batch_data.h"

#include <optional>

#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"

namespace dare::engine {
namespace {

using kmip::Operation;
using kmip::Tag;

// kmip-2.1 11.15 Data Enumeration: which output of which operation.
std::optional<Operation> OperationOf(kmip::Data data) {
  switch (data) {
    case kmip::Data::kDecrypt:
      return Operation::kDecrypt;
    case kmip::Data::kEncrypt:
      return Operation::kEncrypt;
    case kmip::Data::kHash:
      return Operation::kHash;
    case kmip::Data::kMACMACData:
      return Operation::kMAC;
    case kmip::Data::kRNGRetrieve:
      return Operation::kRNGRetrieve;
    case kmip::Data::kSignSignatureData:
      return Operation::kSign;
    case kmip::Data::kSignatureVerify:
      return Operation::kSignatureVerify;
  }
  return std::nullopt;
}

// Under which tag an operation puts out its data; nothing for those that put out none.
std::optional<Tag> DataTagOf(Operation operation) {
  switch (operation) {
    case Operation::kDecrypt:
    case Operation::kEncrypt:
    case Operation::kHash:
    case Operation::kRNGRetrieve:
    case Operation::kSignatureVerify:
      return Tag::kData;
    case Operation::kMAC:
      return Tag::kMACData;
    case Operation::kSign:
      return Tag::kSignatureData;
    default:
      return std::nullopt;
  }
}

bool Refers(const ttlv::Item& item) {
  return item.tag == Tag::kData && item.type == ttlv::Type::kEnumeration;
}

Result<bool> AnyRefers(const ttlv::Item& payload) {
  ttlv::Reader members = TRY(payload.Members());
  while (!members.AtEnd()) {
    if (Refers(TRY(members.Next()))) return true;
  }
  return false;
}

}  // namespace

Result<ByteView> WithDataInPlace(const ttlv::Item& payload, const BatchMemory& memory,
                                 WipingBytes& made) {
  if (!TRY(AnyRefers(payload))) return payload.value;
  ttlv::Writer out(made);
  ttlv::Reader members = TRY(payload.Members());
  while (!members.AtEnd()) {
    const ttlv::Item member = TRY(members.Next());
    if (!Refers(member)) {
      out.Copy(member);
      continue;
    }
    const auto operation = OperationOf(static_cast<kmip::Data>(TRY(member.AsEnumeration())));
    const auto found = operation ? memory.data.find(*operation) : memory.data.end();
    if (found == memory.data.end()) {
      return kmip::Reject(kmip::ResultReason::kInvalidField,
                          "Data refers to an output that this batch does not have");
    }
    out.ByteString(Tag::kData, found->second);
  }
  return ByteView(made);
}

void RememberData(Operation operation, ByteView members, BatchMemory& memory) {
  const auto tag = DataTagOf(operation);
  if (!tag) return;
  ttlv::Reader in = ttlv::Reader::Members(members);
  while (!in.AtEnd()) {
    const auto member = in.Next();
    if (!member) return;
    if (member->tag != *tag) continue;
    memory.data.insert_or_assign(operation,
                                 WipingBytes(member->value.begin(), member->value.end()));
  }
}

WipingBytes WithoutData(Operation operation, ByteView members) {
  const auto tag = DataTagOf(operation);
  ttlv::Writer out;
  ttlv::Reader in = ttlv::Reader::Members(members);
  while (!in.AtEnd()) {
    const auto member = in.Next();
    if (!member) break;
    if (!tag || member->tag != *tag) out.Copy(*member);
  }
  return out.Take();
}

}  // namespace dare::engine
