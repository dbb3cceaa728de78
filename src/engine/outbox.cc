#include "engine/outbox.h"

#include <algorithm>
#include <utility>

#include "kmip/dialect.h"
#include "kmip/message.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/writer.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Operation;
using kmip::Tag;

template <typename Payload>
WipingBytes Request(Operation operation, kmip::ProtocolVersion version, Payload&& payload) {
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    kmip::RequestHeader header;
    header.version = version;
    header.batch_count = 1;
    kmip::WriteRequestHeader(out, header);
    out.Structure(Tag::kBatchItem, [&] {
      out.Enum(Tag::kOperation, operation);
      out.Structure(Tag::kRequestPayload, [&] { payload(out); });
    });
  });
  return out.Take();
}

// 1.x: Attribute, each by itself; 2.x: Attributes.
void WriteChanged(ttlv::Writer& out, const ObjectChange& change, kmip::ProtocolVersion version) {
  kmip::WriteAttributeList(out, version, change.changed.all());
}

WipingBytes Notify(const ObjectChange& change, kmip::ProtocolVersion version) {
  return Request(Operation::kNotify, version, [&](ttlv::Writer& out) {
    out.Text(Tag::kUniqueIdentifier, change.id);
    WriteChanged(out, change, version);
    //= kmip-2.1 6.2.2 Notify
    //# The attributes that have been deleted.
    // 1.x can only say that something changed.
    if (kmip::IsVersion1(version)) return;
    for (const auto& reference : change.removed) kmip::WriteReference(out, version, reference);
  });
}

WipingBytes Put(const ObjectChange& change, kmip::ProtocolVersion version) {
  return Request(Operation::kPut, version, [&](ttlv::Writer& out) {
    out.Text(Tag::kUniqueIdentifier, change.id);
    const bool replaces = !change.replaced.empty();
    out.Enum(Tag::kPutFunction, replaces ? kmip::PutFunction::kReplace : kmip::PutFunction::kNew);
    if (replaces) out.Text(Tag::kReplacedUniqueIdentifier, change.replaced);
    out.Raw(change.object);
    WriteChanged(out, change, version);
  });
}

}  // namespace

void NoteDifference(const kmip::AttributeSet& before, const kmip::AttributeSet& after,
                    ObjectChange& change) {
  const auto holds = [](const kmip::AttributeSet& set, const Attribute& attribute) {
    return std::ranges::find(set.all(), attribute) != set.all().end();
  };
  for (const Attribute& attribute : after.all()) {
    if (attribute.tag == Tag::kDestroyDate) continue;  // the State says it, as in TC-NP-2
    if (attribute.tag == Tag::kLastChangeDate || !holds(before, attribute)) {
      change.changed.Add(attribute);
    }
  }
  for (const Attribute& attribute : before.all()) {
    const kmip::AttributeReference reference = kmip::ReferenceTo(attribute);
    if (after.Count(reference) == 0) change.removed.push_back(reference);
  }
}

Result<void> Outbox::Open(const std::shared_ptr<Endpoint>& endpoint, const std::string& principal,
                          std::optional<kmip::ProtocolVersion> version) {
  const MutexLock lock(mutex_);
  DropDead();
  const bool open = std::ranges::any_of(
      channels_, [&](const Channel& c) { return c.endpoint.lock() == endpoint; });
  if (open) return {};
  if (channels_.size() >= kMostChannels) {
    return kmip::Reject(kmip::ResultReason::kServerLimitExceeded, "too many clients to be told");
  }
  channels_.push_back({.endpoint = endpoint, .principal = principal, .version = version});
  any_ = true;
  return {};
}

bool Outbox::Wants(const std::string& owner) const {
  if (!any_.load(std::memory_order_relaxed)) return false;
  const MutexLock lock(mutex_);
  return std::ranges::any_of(channels_, [&](const Channel& c) { return c.principal == owner; });
}

void Outbox::Publish(std::vector<ObjectChange> changes) {
  const MutexLock lock(mutex_);
  DropDead();
  for (const ObjectChange& change : changes) {
    for (Channel& channel : channels_) {
      if (channel.principal != change.owner) continue;
      const kmip::ProtocolVersion version = channel.version.value_or(change.version);
      channel.waiting.push_back(change.object.empty() ? Notify(change, version)
                                                      : Put(change, version));
      Send(channel);
    }
  }
}

void Outbox::Send(Channel& channel) {
  if (channel.outstanding || channel.waiting.empty()) return;
  const std::shared_ptr<Endpoint> endpoint = channel.endpoint.lock();
  if (endpoint == nullptr) return;
  endpoint->Push(std::move(channel.waiting.front()));
  channel.waiting.pop_front();
  channel.outstanding = true;
  channel.answer_by = clock_.Steady() + kPatience;
}

bool Outbox::TakeResponse(const Endpoint* endpoint) {
  const MutexLock lock(mutex_);
  for (Channel& channel : channels_) {
    if (channel.endpoint.lock().get() != endpoint || !channel.outstanding) continue;
    channel.outstanding = false;
    Send(channel);
    return true;
  }
  return false;
}

// Connections that are gone, and those of clients that do not answer.
void Outbox::DropDead() {
  const auto now = clock_.Steady();
  std::erase_if(channels_, [&](const Channel& channel) {
    return channel.endpoint.expired() || channel.waiting.size() > kMostWaiting ||
           (channel.outstanding && channel.answer_by <= now);
  });
  any_ = !channels_.empty();
}

}  // namespace dare::engine
