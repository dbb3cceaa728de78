#include "engine/outbox.h"

#include <algorithm>
#include <utility>

#include "kmip/message.h"
#include "kmip/payloads/notify.h"
#include "kmip/payloads/put.h"
#include "kmip/reject.h"
#include "kmip/single_request.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Operation;
using kmip::Tag;

WipingBytes Notify(const ObjectChange& change, kmip::ProtocolVersion version) {
  const kmip::NotifyRequest notify{
      .id = change.id, .changed = change.changed.all(), .removed = change.removed};
  return kmip::SingleRequest(notify, version);
}

WipingBytes Put(const ObjectChange& change, kmip::ProtocolVersion version) {
  const bool replaces = !change.replaced.empty();
  const kmip::PutRequest put{
      .id = change.id,
      .function = replaces ? kmip::PutFunction::kReplace : kmip::PutFunction::kNew,
      .replaced = change.replaced,
      .object = change.object,
      .attributes = change.changed.all()};
  return kmip::SingleRequest(put, version);
}

// Nothing when the client does not take it.
std::optional<WipingBytes> MessageFor(const ObjectChange& change, const ClientAbilities& client) {
  const bool put = !change.object.empty();
  if (!client.Takes(put ? Operation::kPut : Operation::kNotify)) return std::nullopt;
  const kmip::ProtocolVersion version = client.version().value_or(change.version);
  return put ? Put(change, version) : Notify(change, version);
}

bool IsAboutAbilities(ByteView message) {
  auto response = kmip::ResponseMessage::Open(message);
  if (!response) return false;
  const auto item = response->Next();
  return item &&
         (item->operation == Operation::kDiscoverVersions || item->operation == Operation::kQuery);
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
  Channel channel{.endpoint = endpoint, .principal = principal};
  if (version) channel.abilities = ClientAbilities(*version);
  channel.begun = !version;
  channels_.push_back(std::move(channel));
  any_ = true;
  if (version) any_to_begin_ = true;
  return {};
}

void Outbox::Begin(const Endpoint* endpoint) {
  if (!any_to_begin_.load(std::memory_order_relaxed)) return;
  const MutexLock lock(mutex_);
  if (Channel* const channel = Find(endpoint); channel != nullptr && !channel->begun) {
    channel->begun = true;
    Ask(*channel);
    Send(*channel);
  }
  any_to_begin_ = std::ranges::any_of(channels_, [](const Channel& c) { return !c.begun; });
}

Outbox::Channel* Outbox::Find(const Endpoint* endpoint) {
  const auto found = std::ranges::find_if(
      channels_, [&](const Channel& c) { return c.endpoint.lock().get() == endpoint; });
  return found == channels_.end() ? nullptr : &*found;
}

bool Outbox::Wants(const std::string& owner) const {
  if (!any_.load(std::memory_order_relaxed)) return false;
  const MutexLock lock(mutex_);
  return std::ranges::any_of(channels_, [&](const Channel& c) { return c.principal == owner; });
}

void Outbox::Publish(std::vector<ObjectChange> changes) {
  const MutexLock lock(mutex_);
  DropDead();
  for (ObjectChange& given : changes) {
    const auto change = std::make_shared<const ObjectChange>(std::move(given));
    for (Channel& channel : channels_) {
      if (channel.principal != change->owner) continue;
      channel.waiting.push_back(change);
      Send(channel);
    }
  }
}

void Outbox::Ask(Channel& channel) {
  const std::shared_ptr<Endpoint> endpoint = channel.endpoint.lock();
  std::optional<WipingBytes> question = channel.abilities.Question();
  channel.asking = question.has_value();
  if (question && endpoint != nullptr) endpoint->Push(*std::move(question));
}

void Outbox::Send(Channel& channel) {
  const std::shared_ptr<Endpoint> endpoint = channel.endpoint.lock();
  if (endpoint == nullptr || !channel.begun) return;
  while (!channel.outstanding && !channel.waiting.empty()) {
    std::optional<WipingBytes> message = MessageFor(*channel.waiting.front(), channel.abilities);
    channel.waiting.pop_front();
    if (!message) continue;
    endpoint->Push(*std::move(message));
    channel.outstanding = true;
    channel.answer_by = clock_.Steady() + kPatience;
  }
}

bool Outbox::TakeResponse(const Endpoint* endpoint, ByteView message) {
  const MutexLock lock(mutex_);
  Channel* const channel = Find(endpoint);
  if (channel == nullptr) return false;
  // Not every client says what it answers to: a change, then, when one is outstanding.
  if (channel->asking && (IsAboutAbilities(message) || !channel->outstanding)) {
    if (!channel->abilities.TakeAnswer(message)) return false;
    Ask(*channel);
    return true;
  }
  if (!channel->outstanding) return false;
  channel->outstanding = false;
  Send(*channel);
  return true;
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
