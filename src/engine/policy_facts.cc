#include "engine/policy_facts.h"

#include "kmip/tags.h"

namespace dare::engine {

void TakeNames(const kmip::ManagedObject& object, policy::ObjectFacts& facts) {
  facts.id = object.id;
  facts.names = object.attributes.Names();
  for (const kmip::Attribute& attribute : object.attributes.all()) {
    if (attribute.tag != kmip::Tag::kObjectGroup) continue;
    if (const auto group = attribute.View().AsText()) facts.groups.emplace_back(*group);
  }
}

}  // namespace dare::engine
