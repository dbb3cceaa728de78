#include "engine/operations/locate.h"

#include <algorithm>
#include <utility>

#include "engine/locate_match.h"
#include "engine/object_index.h"
#include "engine/refusal.h"
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

// A Link is found by the index only when both of its fields are given.
bool IsIndexed(const Attribute& wanted) {
  if (wanted.tag != Tag::kLink) return true;
  auto members = wanted.View().Members();
  return members && members->Enumeration(Tag::kLinkType) &&
         members->Text(Tag::kLinkedObjectIdentifier) && members->AtEnd();
}

// The question to the store's index; what it cannot answer is filtered by LocateMatch.
store::Query QueryFor(const kmip::LocateRequest& request, const LocateMatch& match,
                      const OperationContext& context) {
  store::Query query;
  query.limit = kPage;
  const std::string& owner = context.principal().name;
  const bool everybody = context.principal().administrator;
  if (!everybody) query.owner = owner;
  for (const Attribute& wanted : request.attributes.all()) {
    if (wanted.tag == Tag::kObjectType) {
      if (const auto type = wanted.View().AsEnumeration()) query.object_type = *type;
    }
    // Destroyed objects are not found by name: theirs are free for others.
    if (wanted.tag == Tag::kName && match.wants_destroyed()) continue;
    if (!IsIndexed(wanted)) continue;
    for (store::IndexEntry& entry : IndexEntriesOf(owner, wanted)) {
      store::EntryMatch entry_match{.tag = entry.tag, .key = std::move(entry.key), .scope = {}};
      if (!everybody) entry_match.scope = owner;
      query.entries.push_back(std::move(entry_match));
    }
  }
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
  TRY(search.Run(count_all ? kMostExamined
                           : std::max(skip + most, oldest_first ? kMostReordered : 0)));
  std::vector<std::string>& found = search.found();
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
