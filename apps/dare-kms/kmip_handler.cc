#include "kmip_handler.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace dare::kms {
namespace {

class LateAnswer : public engine::Completion {
 public:
  explicit LateAnswer(server::Reply reply) : reply_(std::move(reply)) {}
  void Done(WipingBytes answer) override { reply_.Send(std::move(answer)); }

 private:
  server::Reply reply_;
};

bool Contains(const std::vector<std::string>& list, std::string_view wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

}  // namespace

std::shared_ptr<const void> KmipHandler::Meet(const server::Peer& peer) {
  auto caller = std::make_shared<engine::Caller>();
  caller->address = peer.address;
  caller->certificate = peer.serial;
  policy::Principal& principal = caller->principal;
  if (!peer.authenticated()) return caller;  // nobody
  principal.name = peer.common_name;
  principal.administrator = Contains(administrators_, peer.common_name);
  const auto record = records_.Find(peer.serial);
  if (record && record->fingerprint == peer.fingerprint) {
    principal.administrator =
        principal.administrator || Contains(record->subject.units, server::kAdministratorUnit);
  }
  for (const std::string& unit : peer.units) {
    if (!unit.starts_with("dare-")) principal.groups.push_back(unit);
  }
  return caller;
}

server::Handled KmipHandler::Handle(ByteView request, const server::Caller& caller,
                                    const server::ReplyTo& later, WipingBytes& answer) {
  const auto& who = *static_cast<const engine::Caller*>(caller.principal.get());
  const Result<bool> done = kms_.Answer(request, who, answer);
  if (!done) {
    log::Failure("request refused: " + done.error().message);
    return server::Handled::kRefused;
  }
  if (*done) return server::Handled::kAnswered;
  kms_.Submit(WipingBytes(request.begin(), request.end()),
              std::static_pointer_cast<const engine::Caller>(caller.principal),
              std::make_unique<LateAnswer>(later.Defer()));
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
