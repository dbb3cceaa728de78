#include "engine/attribute_change.h"

#include <utility>

#include "engine/applicability.h"
#include "engine/attribute_values.h"
#include "engine/lifecycle.h"
#include "engine/refusal.h"
#include "kmip/tags.h"

namespace dare::engine {

using kmip::Attribute;
using kmip::AttributeReference;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

namespace {

Error NoSuchAttribute() {
  return Reject(ResultReason::kAttributeNotFound, "the object has no such attribute");
}
Error NoSuchInstance() {
  return Reject(ResultReason::kAttributeInstanceNotFound,
                "the object has no such instance of the attribute");
}
Error NameTaken(kmip::ProtocolVersion version) {
  //= kmip-1.4 11.15 Add Attribute
  //# Trying to add a Name attribute with the same value that another object already has
  return RejectIn(version, ResultReason::kIllegalOperation, ResultReason::kNonUniqueNameAttribute,
                  "the name is in use");
}

}  // namespace

void FollowSensitivity(kmip::AttributeSet& attributes) {
  //= kmip-1.4 3.49 Always Sensitive
  //# the value to False if the Sensitive attribute has ever been set to False
  if (!attributes.Boolean(Tag::kSensitive).value_or(false)) {
    attributes.Set(Attribute::OfBoolean(Tag::kAlwaysSensitive, false));
  }
  if (attributes.Boolean(Tag::kExtractable).value_or(true)) {
    attributes.Set(Attribute::OfBoolean(Tag::kNeverExtractable, false));
  }
}

AttributeChange::AttributeChange(const StoredObject& stored, OperationContext& context)
    : stored_(stored), context_(context), attributes_(stored.object.attributes) {
  SettleState(attributes_, context.now());
}

Result<void> AttributeChange::Check(AttributeAction action,
                                    const AttributeReference& reference) const {
  if (action != AttributeAction::kDelete && !Applies(reference.tag, stored_.object.type)) {
    return RejectIn(context_.version(), ResultReason::kInvalidField,
                    ResultReason::kInvalidAttribute, "not an attribute of objects of this type");
  }
  return CheckAction(action, reference, attributes_, context_.now(), context_.version());
}

Result<void> AttributeChange::CheckNameIsFree(const Attribute& value) const {
  if (value.tag != Tag::kName) return {};
  for (const Attribute& other : attributes_.all()) {
    if (other == value) return NameTaken(context_.version());
  }
  return {};
}

Result<Attribute> AttributeChange::Add(const kmip::AttributeIn& given) {
  const AttributeReference reference = kmip::ReferenceTo(given.attribute);
  if (given.index_given) {
    return Reject(ResultReason::kInvalidField, "Add Attribute with an Attribute Index");
  }
  TRY(Check(AttributeAction::kAdd, reference));
  if (!MayRepeat(reference) && attributes_.Count(reference) != 0) {
    return Reject(ResultReason::kAttributeSingleValued, "the attribute has a value already");
  }
  Attribute value = TRY(CheckedValue(given.attribute, Giving::kToExistingObject, context_));
  TRY(CheckNameIsFree(value));
  attributes_.Add(std::move(value));
  return attributes_.all().back();
}

Result<Attribute> AttributeChange::Modify(const kmip::AttributeIn& given,
                                          const std::optional<kmip::AttributeIn>& current) {
  const AttributeReference reference = kmip::ReferenceTo(given.attribute);
  TRY(Check(AttributeAction::kModify, reference));
  if (attributes_.Count(reference) == 0) return NoSuchAttribute();
  std::optional<std::int32_t> index;
  if (kmip::IsVersion1(context_.version())) {
    index = given.attribute.index;
  } else {
    for (const Attribute& instance : attributes_.all()) {
      if (current ? instance == current->attribute : reference.Names(instance)) {
        //= kmip-2.1 6.1.34 Modify Attribute
        //# if there are multiple instances of the Attribute an error SHALL be returned
        if (index) return NoSuchInstance();
        index = instance.index;
      }
    }
  }
  if (!index || attributes_.Find(reference, *index) == nullptr) return NoSuchInstance();
  Attribute value = TRY(CheckedValue(given.attribute, Giving::kToExistingObject, context_));
  if (!(value == *attributes_.Find(reference, *index))) TRY(CheckNameIsFree(value));
  attributes_.Replace(reference, *index, std::move(value));
  return *attributes_.Find(reference, *index);
}

Result<Attribute> AttributeChange::Set(const kmip::AttributeIn& given) {
  const AttributeReference reference = kmip::ReferenceTo(given.attribute);
  TRY(Check(AttributeAction::kSet, reference));
  //= kmip-2.1 6.1.51 Set Attribute
  //# If the object had exactly one instance, then it is modified. If it has more than one instance
  //# an error is raised.
  if (attributes_.Count(reference) > 1) {
    return Reject(ResultReason::kMultiValuedAttribute, "the attribute has several values");
  }
  attributes_.Set(TRY(CheckedValue(given.attribute, Giving::kToExistingObject, context_)));
  return *attributes_.Find(reference, 0);
}

Result<void> AttributeChange::Adjust(const AttributeReference& reference, Attribute value) {
  TRY(Check(AttributeAction::kAdjust, reference));
  attributes_.Set(TRY(CheckedValue(value, Giving::kToExistingObject, context_)));
  return {};
}

Result<Attribute> AttributeChange::DeleteInstance(const AttributeReference& reference,
                                                  std::int32_t index) {
  const kmip::ProtocolVersion version = context_.version();
  if (reference.tag == Tag{} || attributes_.Count(reference) == 0) {
    return RejectIn(version, ResultReason::kItemNotFound, ResultReason::kAttributeNotFound,
                    "the object has no such attribute");
  }
  TRY(Check(AttributeAction::kDelete, reference));
  const Attribute* found = attributes_.Find(reference, index);
  if (found == nullptr) return NoSuchInstance();
  Attribute deleted = *found;
  attributes_.Remove(reference, index);
  return deleted;
}

Result<void> AttributeChange::DeleteValue(const Attribute& current) {
  const AttributeReference reference = kmip::ReferenceTo(current);
  for (const Attribute& instance : attributes_.all()) {
    if (!(instance == current)) continue;
    TRY(DeleteInstance(reference, instance.index));
    return {};
  }
  TRY(Check(AttributeAction::kDelete, reference));
  return attributes_.Count(reference) == 0 ? NoSuchAttribute() : NoSuchInstance();
}

Result<void> AttributeChange::DeleteAll(const AttributeReference& reference) {
  if (attributes_.Count(reference) == 0) return NoSuchAttribute();
  TRY(Check(AttributeAction::kDelete, reference));
  const std::vector<Attribute> all = attributes_.all();
  for (const Attribute& instance : all) {
    if (reference.Names(instance)) attributes_.Remove(reference, instance.index);
  }
  return {};
}

// As PKCS#11 has it for CKA_SENSITIVE and CKA_EXTRACTABLE: a way in only. Else whoever may use a
// key that was never to leave, a stolen client certificate for one, could first allow it to leave.
Result<void> AttributeChange::CheckMayStillNotLeave() const {
  const kmip::AttributeSet& before = stored_.object.attributes;
  const auto sensitive = [](const kmip::AttributeSet& set) {
    return set.Boolean(Tag::kSensitive).value_or(false);
  };
  const auto extractable = [](const kmip::AttributeSet& set) {
    return set.Boolean(Tag::kExtractable).value_or(true);
  };
  if ((sensitive(before) && !sensitive(attributes_)) ||
      (!extractable(before) && extractable(attributes_))) {
    return Reject(ResultReason::kAttributeReadOnly,
                  "what was made sensitive or not extractable stays so");
  }
  return {};
}

Result<void> AttributeChange::Store() {
  TRY(CheckMayStillNotLeave());
  TRY(CheckDates(attributes_, context_.version()));
  TRY(CheckAmount(attributes_, context_.version()));
  FollowSensitivity(attributes_);
  SettleState(attributes_, context_.now());
  const Result<void> written = context_.Update(stored_, attributes_);
  if (!written && written.error().code == Code::kAlreadyExists) {
    return NameTaken(context_.version());
  }
  return written;
}

}  // namespace dare::engine
