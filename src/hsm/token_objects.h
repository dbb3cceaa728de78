#pragma once

// Internal to src/hsm: reading, finding and judging objects in a token.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "hsm/pkcs11.h"
#include "hsm/session_pool.h"

namespace dare::hsm {

using ObjectHandle = CK_OBJECT_HANDLE;

// Attributes for a call; the values are borrowed and must live until it returns.
class Template {
 public:
  Template& Bool(CK_ATTRIBUTE_TYPE type, bool value);
  Template& Number(CK_ATTRIBUTE_TYPE type, const CK_ULONG& value);
  Template& Data(CK_ATTRIBUTE_TYPE type, ByteView value);
  CK_ATTRIBUTE* data() { return attributes_.data(); }
  CK_ULONG size() const { return attributes_.size(); }

 private:
  std::vector<CK_ATTRIBUTE> attributes_;
};

// The handles of all objects that match, at most `most`.
Result<std::vector<ObjectHandle>> FindObjects(const SessionLease& lease, Template wanted,
                                              std::size_t most);
// Exactly one object of `object_class` labelled `label`: kNotFound for none, kConflict for several.
// `what` names it in messages ("master key").
Result<ObjectHandle> FindOne(const SessionLease& lease, CK_OBJECT_CLASS object_class,
                             const std::string& label, std::string_view what);
// kAlreadyExists when there is one already.
Result<void> RefuseExisting(const SessionLease& lease, CK_OBJECT_CLASS object_class,
                            const std::string& label, std::string_view what);

Result<Bytes> ReadBytes(const SessionLease& lease, ObjectHandle object, CK_ATTRIBUTE_TYPE type);
Result<CK_ULONG> ReadNumber(const SessionLease& lease, ObjectHandle object, CK_ATTRIBUTE_TYPE type);
Result<bool> ReadBool(const SessionLease& lease, ObjectHandle object, CK_ATTRIBUTE_TYPE type);

// Whether the token may have failed for an attribute in the template that it does not know.
bool MayNotKnowAttribute(const SessionLease& lease, CK_RV rv);
// Whether the token made the key itself, as far as it shows.
Result<bool> WasMadeInToken(const SessionLease& lease, ObjectHandle key);

// One thing a key must be.
struct AttributeRule {
  CK_ATTRIBUTE_TYPE type;
  const char* name;
  bool value;
  bool optional;  // may be unknown to the token (it came with PKCS#11 2.40), but not wrong
};

// What tokens tell by themselves of a key, and nobody can ask for.
bool SetByToken(CK_ATTRIBUTE_TYPE type);
// Asks for a key that is so, but for what its token sets, and for what is optional unless it is
// known there.
void AskFor(std::span<const AttributeRule> rules, bool optional_known, Template& wanted);

// kDenied naming the first attribute that is weaker than its rule.
Result<void> CheckRules(const SessionLease& lease, ObjectHandle object,
                        std::span<const AttributeRule> rules, std::string_view what);

}  // namespace dare::hsm
