#include "hsm/token_objects.h"

#include <algorithm>
#include <cstring>

#include "hsm/token_quirks.h"

namespace dare::hsm {
namespace {

constexpr CK_BBOOL kTrue = CK_TRUE;
constexpr CK_BBOOL kFalse = CK_FALSE;

Result<Template> Labelled(CK_OBJECT_CLASS& object_class, const std::string& label) {
  if (label.empty()) return Error(Code::kInvalidArgument, "a key in a token needs a label");
  Template wanted;
  wanted.Number(CKA_CLASS, object_class).Bool(CKA_TOKEN, true).Data(CKA_LABEL, AsBytes(label));
  return wanted;
}

}  // namespace

Template& Template::Bool(CK_ATTRIBUTE_TYPE type, bool value) {
  attributes_.push_back({type, const_cast<CK_BBOOL*>(value ? &kTrue : &kFalse), sizeof(CK_BBOOL)});
  return *this;
}
Template& Template::Number(CK_ATTRIBUTE_TYPE type, const CK_ULONG& value) {
  attributes_.push_back({type, const_cast<CK_ULONG*>(&value), sizeof value});
  return *this;
}
Template& Template::Data(CK_ATTRIBUTE_TYPE type, ByteView value) {
  attributes_.push_back({type, const_cast<std::uint8_t*>(value.data()), value.size()});
  return *this;
}

Result<std::vector<ObjectHandle>> FindObjects(const SessionLease& lease, Template wanted,
                                              std::size_t most) {
  const CK_FUNCTION_LIST& p11 = lease.functions();
  CK_RV rv = p11.C_FindObjectsInit(lease.session(), wanted.data(), wanted.size());
  if (rv != CKR_OK) return Pkcs11Error("cannot search the token", rv);
  std::vector<ObjectHandle> found(most);
  std::size_t count = 0;
  while (count < most) {
    CK_ULONG got = 0;
    rv = p11.C_FindObjects(lease.session(), found.data() + count, most - count, &got);
    if (rv != CKR_OK || got == 0) break;
    count += got;
  }
  p11.C_FindObjectsFinal(lease.session());
  if (rv != CKR_OK) return Pkcs11Error("cannot search the token", rv);
  found.resize(count);
  return found;
}

Result<ObjectHandle> FindOne(const SessionLease& lease, CK_OBJECT_CLASS object_class,
                             const std::string& label, std::string_view what) {
  const Template wanted = TRY(Labelled(object_class, label));
  const auto found = TRY(FindObjects(lease, wanted, 2));
  const std::string name = std::string(what) + " '" + label + "'";
  if (found.empty()) return Error(Code::kNotFound, "the token has no " + name);
  if (found.size() > 1) {
    return Error(Code::kConflict,
                 "the token has more than one " + name + "; remove or relabel what is not ours");
  }
  return found.front();
}

Result<void> RefuseExisting(const SessionLease& lease, CK_OBJECT_CLASS object_class,
                            const std::string& label, std::string_view what) {
  const Template wanted = TRY(Labelled(object_class, label));
  const auto found = TRY(FindObjects(lease, wanted, 1));
  if (found.empty()) return {};
  return Error(Code::kAlreadyExists,
               "the token has a " + std::string(what) + " '" + label + "' already");
}

Result<Bytes> ReadBytes(const SessionLease& lease, ObjectHandle object, CK_ATTRIBUTE_TYPE type) {
  const CK_FUNCTION_LIST& p11 = lease.functions();
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  CK_RV rv = p11.C_GetAttributeValue(lease.session(), object, &attribute, 1);
  if (rv == CKR_OK && attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION) {
    rv = CKR_ATTRIBUTE_TYPE_INVALID;
  }
  if (rv != CKR_OK) return Pkcs11Error("cannot read an attribute", rv);
  Bytes value(attribute.ulValueLen);
  attribute.pValue = value.data();
  if (value.empty()) return value;
  rv = p11.C_GetAttributeValue(lease.session(), object, &attribute, 1);
  if (rv != CKR_OK) return Pkcs11Error("cannot read an attribute", rv);
  value.resize(std::min<std::size_t>(value.size(), attribute.ulValueLen));
  return value;
}

Result<CK_ULONG> ReadNumber(const SessionLease& lease, ObjectHandle object,
                            CK_ATTRIBUTE_TYPE type) {
  const Bytes value = TRY(ReadBytes(lease, object, type));
  CK_ULONG number = 0;
  if (value.size() != sizeof number) {
    return Error(Code::kUnsupported, "the token gives a number of the wrong length");
  }
  std::memcpy(&number, value.data(), sizeof number);
  return number;
}

Result<bool> ReadBool(const SessionLease& lease, ObjectHandle object, CK_ATTRIBUTE_TYPE type) {
  const Bytes value = TRY(ReadBytes(lease, object, type));
  if (value.size() != 1) {
    return Error(Code::kUnsupported, "the token gives a truth value of the wrong length");
  }
  return value[0] != CK_FALSE;
}

namespace {

// Where a token does not keep CKA_LOCAL, two other attributes prove the same, if they are judged.
bool LocalIsShownByOthers(const SessionLease& lease, std::span<const AttributeRule> rules) {
  const auto demands = [&](CK_ATTRIBUTE_TYPE type) {
    return std::ranges::any_of(rules, [&](const AttributeRule& rule) {
      return rule.type == type && rule.value && !rule.optional;
    });
  };
  return HasQuirk(lease.token(), Quirk::kForgetsWhereKeysWereMade) &&
         demands(CKA_ALWAYS_SENSITIVE) && demands(CKA_NEVER_EXTRACTABLE);
}

}  // namespace

bool MayNotKnowAttribute(const SessionLease& lease, CK_RV rv) {
  return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
         rv == CKR_TEMPLATE_INCONSISTENT ||
         (rv == CKR_GENERAL_ERROR &&
          HasQuirk(lease.token(), Quirk::kGeneralErrorForUnknownAttribute));
}

Result<bool> WasMadeInToken(const SessionLease& lease, ObjectHandle key) {
  if (!HasQuirk(lease.token(), Quirk::kForgetsWhereKeysWereMade)) {
    return ReadBool(lease, key, CKA_LOCAL);
  }
  return TRY(ReadBool(lease, key, CKA_ALWAYS_SENSITIVE)) &&
         TRY(ReadBool(lease, key, CKA_NEVER_EXTRACTABLE));
}

bool SetByToken(CK_ATTRIBUTE_TYPE type) {
  return type == CKA_ALWAYS_SENSITIVE || type == CKA_NEVER_EXTRACTABLE || type == CKA_LOCAL;
}

void AskFor(std::span<const AttributeRule> rules, bool optional_known, Template& wanted) {
  for (const AttributeRule& rule : rules) {
    if (SetByToken(rule.type) || (rule.optional && !optional_known)) continue;
    wanted.Bool(rule.type, rule.value);
  }
}

Result<void> CheckRules(const SessionLease& lease, ObjectHandle object,
                        std::span<const AttributeRule> rules, std::string_view what) {
  for (const AttributeRule& rule : rules) {
    if (rule.type == CKA_LOCAL && LocalIsShownByOthers(lease, rules)) continue;
    const Result<bool> value = ReadBool(lease, object, rule.type);
    if (!value) {
      const bool unknown = value.error().detail == CKR_ATTRIBUTE_TYPE_INVALID;
      if (unknown && rule.optional) continue;
      if (!unknown) return value.error().In(rule.name);
      return Error(Code::kDenied,
                   std::string(what) + " is refused: the token does not show its " + rule.name);
    }
    if (*value != rule.value) {
      return Error(Code::kDenied, std::string(what) + " is refused: its " + rule.name + " is " +
                                      (*value ? "true" : "false") + " and must be " +
                                      (rule.value ? "true" : "false"));
    }
  }
  return {};
}

}  // namespace dare::hsm
