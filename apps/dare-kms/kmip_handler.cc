#include "kmip_handler.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "base/mutex.h"
#include "engine/outbox.h"
#include "kmip/tags.h"
#include "lockout_administration.h"
#include "server/issued_chain.h"
#include "ttlv/tag.h"

namespace dare::kms {
namespace {

class LateAnswer : public engine::Completion {
 public:
  LateAnswer(server::Reply reply, engine::Kms& kms, std::shared_ptr<const engine::Caller> caller)
      : reply_(std::move(reply)), kms_(kms), caller_(std::move(caller)) {}
  void Done(WipingBytes answer) override {
    reply_.Send(std::move(answer));
    kms_.AnswerLeft(*caller_);
  }

 private:
  server::Reply reply_;
  engine::Kms& kms_;
  const std::shared_ptr<const engine::Caller> caller_;
};

// A client's connection, as far as the engine may send to it. Thread-safe.
class ConnectionEndpoint : public engine::Endpoint {
 public:
  // At each request, until it is known.
  bool Attach(const server::ReplyTo& reply) {
    if (attached_.load(std::memory_order_acquire)) return false;
    const auto pusher = reply.Push();
    if (!pusher) return false;
    const MutexLock lock(mutex_);
    pusher_ = *pusher;
    attached_.store(true, std::memory_order_release);
    return true;
  }
  void Push(WipingBytes message) override {
    const MutexLock lock(mutex_);
    if (pusher_) pusher_->Send(std::move(message));
  }

 private:
  std::atomic<bool> attached_ = false;
  Mutex mutex_;
  std::optional<server::Pusher> pusher_ GUARDED_BY(mutex_);
};

bool IsResponse(ByteView message) {
  return message.size() >= 4 &&
         GetU32(message.data()) >> 8 == ttlv::TagNumber(kmip::Tag::kResponseMessage);
}

bool Contains(const std::vector<std::string>& list, std::string_view wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

// All by which the certificate is found revoked, later, where its connection is gone.
std::string MarkOf(const server::Peer& peer) {
  server::CertificateMark mark{.serial = peer.serial, .chain = {}};
  if (peer.chain != nullptr) mark.chain = *peer.chain;
  return mark.Text();
}

}  // namespace

bool KmipHandler::IsAdministrator(const server::Peer& peer) const {
  if (!peer.authenticated()) return false;
  if (Contains(administrators_, peer.common_name)) return true;
  // Only a certificate that says so is looked up: handshakes of clients wait for no database.
  if (!Contains(peer.units, server::kAdministratorUnit)) return false;
  const auto record = records_.Find(peer.serial, peer.common_name);
  return record && record->fingerprint == peer.fingerprint &&
         Contains(record->subject.units, server::kAdministratorUnit);
}

std::shared_ptr<const void> KmipHandler::Meet(const server::Peer& peer) {
  auto caller = std::make_shared<engine::Caller>();
  caller->address = peer.address;
  caller->certificate = MarkOf(peer);
  if (carries_requests_) caller->endpoint = std::make_shared<ConnectionEndpoint>();
  policy::Principal& principal = caller->principal;
  if (!peer.authenticated()) return caller;  // nobody
  principal.name = peer.common_name;
  principal.administrator = IsAdministrator(peer);
  principal.groups = GroupsOf(peer.units);
  return caller;
}

server::Handled KmipHandler::Handle(ByteView request, const server::Caller& caller,
                                    const server::ReplyTo& later, WipingBytes& answer) {
  const auto& who = *static_cast<const engine::Caller*>(caller.principal.get());
  if (IsResponse(request)) {
    return kms_.TakeResponse(who, request) ? server::Handled::kTaken : server::Handled::kRefused;
  }
  if (who.endpoint != nullptr && static_cast<ConnectionEndpoint&>(*who.endpoint).Attach(later)) {
    kms_.Meet(who);
  }
  const Result<bool> done = kms_.Answer(request, who, answer);
  if (!done) {
    log::Failure("request refused: " + done.error().message);
    return server::Handled::kRefused;
  }
  if (*done) {
    kms_.AnswerLeft(who);  // what is sent now goes behind the answer
    return server::Handled::kAnswered;
  }
  const auto shared = std::static_pointer_cast<const engine::Caller>(caller.principal);
  kms_.Submit(WipingBytes(request.begin(), request.end()), shared,
              std::make_unique<LateAnswer>(later.Defer(), kms_, shared));
  return server::Handled::kLater;
}

server::Handled KmipHandler::HandleUnreadable(const Error& error, ByteView begun,
                                              const server::Caller& caller, WipingBytes& answer) {
  const auto& who = *static_cast<const engine::Caller*>(caller.principal.get());
  if (const Result<void> recorded = kms_.AnswerUnreadable(error, begun, who, answer); !recorded) {
    log::Failure("request refused: " + recorded.error().message);
    return server::Handled::kRefused;
  }
  return server::Handled::kAnswered;
}

}  // namespace dare::kms
