#include "engine/operations/locate.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/group_turns.h"
#include "engine/key_generation.h"
#include "engine/locate_match.h"
#include "engine/new_object.h"
#include "engine/object_index.h"
#include "engine/object_policy.h"
#include "engine/refusal.h"
#include "engine/templates.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::ResultReason;
using kmip::Tag;

constexpr std::size_t kPage = 256;              // candidates asked of the store at once
constexpr std::size_t kMostExamined = 200'000;  // candidates of one request
constexpr std::size_t kMostCached = 16;         // of those, kept for the next one to ask
constexpr std::size_t kMostAnswered = 10'000;   // identifiers in one response
constexpr std::size_t kMostReordered = 1'000;   // matches put in another order than the store's

// Objects that have this state now are kept with it, or with an earlier one that a date ends.
void NarrowByState(kmip::State wanted, store::Query& query) {
  const auto number = static_cast<std::uint32_t>(wanted);
  if (wanted == kmip::State::kActive || wanted == kmip::State::kDeactivated) {
    query.state_to = number;
  } else {
    query.state = number;
  }
}

// One Initial Date, or two as a range. The largest possible date means none, which the index does
// not know.
void NarrowByInitialDate(const kmip::LocateRequest& request, store::Query& query) {
  for (const Attribute& wanted : request.attributes.all()) {
    if (wanted.tag != Tag::kInitialDate) continue;
    const auto date = wanted.View().AsDateTime();
    if (!date || *date == std::numeric_limits<std::int64_t>::max()) continue;
    query.created_from = std::min(*date, query.created_from.value_or(*date));
    query.created_to = std::max(*date, query.created_to.value_or(*date));
  }
}

// The question to the store's index; what it cannot answer is filtered by LocateMatch.
store::Query QueryFor(const kmip::LocateRequest& request, const LocateMatch& match,
                      const OperationContext& context) {
  store::Query query;
  query.limit = kPage;
  const std::string& owner = context.principal().name;
  const bool everybody = context.MaySeeOthers();
  if (!everybody) query.owner = owner;
  for (const Attribute& wanted : request.attributes.all()) {
    if (wanted.tag == Tag::kObjectType) {
      if (const auto type = wanted.View().AsEnumeration()) query.object_type = *type;
    }
    if (wanted.tag == Tag::kState) {
      const auto state = wanted.View().AsEnumeration();
      if (state) NarrowByState(static_cast<kmip::State>(*state), query);
    }
    // Destroyed objects are not found by name: theirs are free for others.
    if (wanted.tag == Tag::kName && match.wants_destroyed()) continue;
    for (store::IndexEntry& entry : IndexEntriesOf(owner, wanted)) {
      store::EntryMatch entry_match{.tag = entry.tag, .key = std::move(entry.key), .scope = {}};
      if (!everybody) entry_match.scope = owner;
      query.entries.push_back(std::move(entry_match));
    }
  }
  NarrowByInitialDate(request, query);
  // One name or link selects more than a group.
  std::ranges::stable_sort(query.entries, {}, [](const store::EntryMatch& entry) {
    return entry.tag == static_cast<std::uint32_t>(Tag::kObjectGroup);
  });
  return query;
}

// The walk over the candidates.
class Search {
 public:
  Search(const kmip::LocateRequest& request, const LocateMatch& match, OperationContext& context)
      : request_(request), match_(match), context_(context) {}

  // Stops when `most` matches are known.
  Result<void> Run(std::size_t most) {
    if (const Attribute* id = request_.attributes.Find(Tag::kUniqueIdentifier)) {
      if (const auto text = id->View().AsText()) TRY(Examine(std::string(*text)));
      return {};
    }
    store::Query query = QueryFor(request_, match_, context_);
    while (true) {
      const store::Page<store::ObjectId> page = TRY(context_.reader().Find(query));
      for (const store::ObjectId& id : page.items) {
        if (found_.size() >= most) return {};
        TRY(Examine(id));
      }
      if (page.next == 0) return {};
      query.after = page.next;
    }
  }

  std::vector<std::string>& found() { return found_; }

 private:
  Result<void> Examine(const std::string& id) {
    if (++examined_ > kMostExamined) {
      return RejectIn(context_.version(), ResultReason::kGeneralFailure,
                      ResultReason::kServerLimitExceeded,
                      "too many candidates: add a Name, Object Group, Link or custom attribute");
    }
    const Result<ObjectPointer> stored = context_.Peek(id, examined_ <= kMostCached);
    if (!stored) {
      if (stored.error().code == Code::kNotFound) return {};
      return stored.error();
    }
    if (!context_.MaySee(**stored)) return {};
    if ((*stored)->object.type == kmip::ObjectType::kTemplate &&
        !MayReachTemplate(kmip::Operation::kLocate, context_.version())) {
      return {};
    }
    // An administrator is not told digests (Get Attributes), nor may he guess them here.
    const bool own = (*stored)->object.owner == context_.principal().name;
    if (!own && request_.attributes.Has(Tag::kDigest)) return {};
    if (!match_.Matches((*stored)->object.attributes, context_.now())) return {};
    found_.push_back((*stored)->object.id);
    return {};
  }

  const kmip::LocateRequest& request_;
  const LocateMatch& match_;
  OperationContext& context_;
  std::vector<std::string> found_;
  std::size_t examined_ = 0;
};

// kmip-2.1 orders: the newest first. 1.x leaves it open; its published cases up to 1.3 hand out the
// oldest first where Maximum Items limits the answer (TC-OFFSET-1-13, TC-152), from 1.4 on the
// newest (TC-OFFSET-1-14).
bool OldestFirst(const kmip::LocateRequest& request, kmip::ProtocolVersion version) {
  return version < kmip::kVersion1_4 && request.maximum_items.has_value();
}

// The Object Group of a request about a member of it; null where there is none.
const Attribute* GroupOf(const kmip::LocateRequest& request, kmip::ObjectGroupMember member) {
  if (request.object_group_member != member) return nullptr;
  return request.attributes.Find(Tag::kObjectGroup);
}

//= kmip-1.4 4.9 Locate
//# If the Object Group Member is Group Member Fresh [...] the server MAY create a new object if no
//# fresh object is available
// It does for the groups that the configuration names.
Result<void> MakeFreshMember(const kmip::LocateRequest& request, const LocateMatch& match,
                             OperationContext& context, std::vector<std::string>& found) {
  const Attribute* group = GroupOf(request, kmip::ObjectGroupMember::kGroupMemberFresh);
  if (group == nullptr || !found.empty() || request.maximum_items == 0) return {};
  if (!context.May(kmip::Operation::kCreate)) return {};
  const auto policy = context.objects().groups.find(TRY(group->View().AsText()));
  if (policy == context.objects().groups.end()) return {};
  const GroupPolicy& rules = policy->second;
  kmip::AttributeSet attributes;
  attributes.Add(Attribute::OfEnumeration(Tag::kCryptographicAlgorithm,
                                          static_cast<std::uint32_t>(rules.algorithm)));
  attributes.Add(Attribute::OfInteger(Tag::kCryptographicLength, rules.length));
  attributes.Add(
      Attribute::OfInteger(Tag::kCryptographicUsageMask, static_cast<std::int32_t>(rules.usage)));
  attributes.Add(Attribute::OfText(Tag::kObjectGroup, policy->first));
  TRY(context.RequireWriter());
  TRY(CheckSymmetricKey(context.algorithms(), rules.algorithm, rules.length, true));
  SecretBytes material = TRY(GenerateSymmetricKey(rules.algorithm, rules.length, context.random()));
  const kmip::ManagedObject object =
      TRY(MakeObject(kmip::ObjectType::kSymmetricKey, Origin::kGenerated, std::move(attributes),
                     std::move(material), context));
  if (!match.Matches(object.attributes, context.now())) return {};
  TRY(context.Insert(object));
  found.push_back(object.id);
  return {};
}

// Group Member Default: the member whose turn it is.
Result<void> OfferDefaultMember(const kmip::LocateRequest& request, OperationContext& context,
                                std::vector<std::string>& found) {
  const Attribute* group = GroupOf(request, kmip::ObjectGroupMember::kGroupMemberDefault);
  if (group == nullptr || found.empty()) return {};
  std::ranges::reverse(found);
  const std::string name(TRY(group->View().AsText()));
  found = {context.turns().Offer(context.principal().name, name, found)};
  return {};
}

void UpdatePlaceholder(const std::vector<std::string>& ids, OperationContext& context) {
  //= kmip-2.1 6.1.28 Locate
  //# If the Locate operation matches more than one object, and the Maximum Items value is omitted
  //# in the request, or is set to a value larger than one, then the server SHALL empty the ID
  //# Placeholder
  if (ids.size() == 1) {
    context.SetPlaceholder(ids.front());
  } else {
    context.ClearPlaceholder();
  }
}

}  // namespace

Result<kmip::LocateResponse> Locate(const kmip::LocateRequest& request, OperationContext& context) {
  TRY(context.Authorise());
  if (request.maximum_items.value_or(0) < 0 || request.offset_items.value_or(0) < 0) {
    return kmip::Reject(ResultReason::kInvalidField, "a negative number of items");
  }
  const LocateMatch match = TRY(LocateMatch::Of(request));
  const auto skip = static_cast<std::size_t>(request.offset_items.value_or(0));
  const std::size_t most = std::min(
      kMostAnswered,
      request.maximum_items ? static_cast<std::size_t>(*request.maximum_items) : kMostAnswered);
  const bool oldest_first = OldestFirst(request, context.version());
  // With Offset Items the client pages, and is told how many there are in all.
  const bool count_all = request.offset_items.has_value();
  Search search(request, match, context);
  const bool reorders =
      oldest_first || GroupOf(request, kmip::ObjectGroupMember::kGroupMemberDefault);
  TRY(search.Run(count_all ? kMostExamined : std::max(skip + most, reorders ? kMostReordered : 0)));
  std::vector<std::string>& found = search.found();
  TRY(MakeFreshMember(request, match, context, found));
  TRY(OfferDefaultMember(request, context, found));
  kmip::LocateResponse response;
  if (count_all) response.located_items = static_cast<std::int32_t>(found.size());
  if (oldest_first && (count_all || found.size() < kMostReordered)) std::ranges::reverse(found);
  for (std::size_t i = skip; i < found.size() && i < skip + most; ++i) {
    context.Answered(found[i]);
    response.ids.push_back(std::move(found[i]));
  }
  UpdatePlaceholder(response.ids, context);
  return response;
}

}  // namespace dare::engine
