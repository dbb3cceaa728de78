#pragma once

#include <optional>

#include "engine/attribute_rules.h"
#include "engine/operation.h"
#include "kmip/attributes.h"
#include "kmip/dialect.h"

// The five ways of a client to change the attributes of an object, on a copy of them: rules, value,
// then what follows from it (Always Sensitive, State by dates). Each gives the instance as it now
// is, or was.
namespace dare::engine {

class AttributeChange {
 public:
  // Starts from the attributes of `stored`, with the State that they have by now.
  AttributeChange(const StoredObject& stored, OperationContext& context);

  Result<kmip::Attribute> Add(const kmip::AttributeIn& given);
  // 1.x: the instance of the index in `given`; 2.x: the one equal to `current`, or the only one.
  Result<kmip::Attribute> Modify(const kmip::AttributeIn& given,
                                 const std::optional<kmip::AttributeIn>& current);
  Result<kmip::Attribute> Set(const kmip::AttributeIn& given);
  // A value of the attribute's own type in place of the one there is; `value` came from Adjust.
  Result<void> Adjust(const kmip::AttributeReference& reference, kmip::Attribute value);
  Result<kmip::Attribute> DeleteInstance(const kmip::AttributeReference& reference,
                                         std::int32_t index);
  Result<void> DeleteValue(const kmip::Attribute& current);
  Result<void> DeleteAll(const kmip::AttributeReference& reference);

  const kmip::AttributeSet& attributes() const { return attributes_; }
  // Writes the object. Non Unique Name Attribute (1.x: Illegal Operation) when another has the
  // name.
  Result<void> Store();

 private:
  Result<void> Check(AttributeAction action, const kmip::AttributeReference& reference) const;
  Result<void> CheckNameIsFree(const kmip::Attribute& value) const;
  Result<void> CheckMayStillNotLeave() const;

  const StoredObject& stored_;
  OperationContext& context_;
  kmip::AttributeSet attributes_;
};

// Always Sensitive and Never Extractable follow their attributes (kmip-1.4 3.49, 3.51).
void FollowSensitivity(kmip::AttributeSet& attributes);

}  // namespace dare::engine
