#include "engine/operations/import.h"

#include <string>
#include <utility>

#include "engine/key_wrapping.h"
#include "engine/lifecycle.h"
#include "engine/new_object.h"
#include "engine/operations/register.h"
#include "engine/refusal.h"
#include "kmip/tags.h"
#include "policy/policy.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::ResultReason;
using kmip::Tag;

// The attributes of the request, with the identity that the request gives.
Result<AttributeSet> WithIdentity(const kmip::ImportRequest& request,
                                  const OperationContext& context) {
  if (request.id.empty() || request.id.size() > store::kMaxObjectId) {
    return kmip::Reject(ResultReason::kInvalidField, "not a Unique Identifier to import under");
  }
  AttributeSet attributes = request.attributes;
  if (const Attribute* told = attributes.Find(Tag::kUniqueIdentifier)) {
    if (!(*told == Attribute::OfText(Tag::kUniqueIdentifier, request.id))) {
      return RejectIn(context.version(), ResultReason::kInvalidField,
                      ResultReason::kInvalidAttributeValue,
                      "the request and its attributes tell two Unique Identifiers");
    }
  }
  attributes.Set(Attribute::OfText(Tag::kUniqueIdentifier, request.id));
  if (IsDestroyed(attributes.Enum<kmip::State>(Tag::kState).value_or(kmip::State::kPreActive))) {
    return RejectIn(context.version(), ResultReason::kInvalidField,
                    ResultReason::kInvalidAttributeValue, "what was destroyed does not come back");
  }
  return attributes;
}

//= kmip-2.1 6.1.25 Import
//# If Not Wrapped then the server SHALL unwrap the object before storing it
Result<SecretBytes> Unwrapped(const kmip::ImportRequest& request, OperationContext& context) {
  kmip::ManagedObject wrapped;
  wrapped.id = request.id;
  wrapped.type = request.object_type;
  wrapped.owner = context.principal().name;
  wrapped.material = TRY(SecretBytes::CopyOf(request.object.whole));
  return UnwrapObject(context, wrapped);
}

// Makes room: what bears the identifier goes. Replacing is more than overseeing, so it is asked of
// the policy as a use.
Result<void> RemoveExisting(const kmip::ImportRequest& request, OperationContext& context) {
  const Result<ObjectPointer> existing = context.Peek(request.id, false);
  if (!existing) {
    if (existing.error().code == Code::kNotFound) return {};
    return existing.error();
  }
  if (!request.replace_existing) {
    return kmip::Reject(ResultReason::kObjectAlreadyExists, "the Unique Identifier is in use");
  }
  const ObjectPointer stored = TRY(context.OpenFor(kmip::Operation::kModifyAttribute, request.id,
                                                   Vault::Material::kLeaveSealed));
  // What takes its place is the importer's: whoever may change an object of another must not come
  // to own it.
  if (stored->object.owner != context.principal().name) {
    return kmip::Reject(ResultReason::kPermissionDenied, "not allowed");
  }
  TRY(context.RequireApproval(policy::Act::kDestroy, *stored, "replaced by an Import"));
  return context.Remove(*stored);
}

}  // namespace

Result<kmip::ImportResponse> Import(const kmip::ImportRequest& request, OperationContext& context) {
  TRY(context.Authorise());
  TRY(context.RequireWriter());
  kmip::RegisterRequest brought;
  brought.object_type = request.object_type;
  brought.attributes.attributes = TRY(WithIdentity(request, context));
  brought.object = request.object;
  SecretBytes unwrapped;
  if (request.wrap_type == kmip::KeyWrapType::kNotWrapped) {
    unwrapped = TRY(Unwrapped(request, context));
    brought.object = TRY(ttlv::ParseItem(unwrapped.Reveal()));
  }
  TRY(RemoveExisting(request, context));
  const kmip::ManagedObject object = TRY(MakeRegistered(brought, Origin::kImported, context));
  TRY(InsertObject(object, context));
  return kmip::ImportResponse{.id = object.id};
}

}  // namespace dare::engine
