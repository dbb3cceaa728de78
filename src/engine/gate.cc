#include "engine/gate.h"

#include <algorithm>
#include <utility>

#include "kmip/message.h"
#include "kmip/reject.h"

namespace dare::engine {

Gate::Gate(Authenticator& authenticator, Next next)
    : authenticator_(authenticator), next_(std::move(next)) {
  thread_ = std::jthread([this] { Run(); });
}

Gate::~Gate() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

bool Gate::Concerns(ByteView request) {
  const auto message = kmip::RequestMessage::Open(request);
  return message && message->header().authentication &&
         message->header().version < kmip::kVersion3_0;
}

void Gate::Submit(WipingBytes request, std::shared_ptr<const Caller> connection,
                  std::unique_ptr<Completion> completion) {
  Waiting one{std::move(request), std::move(connection), std::move(completion)};
  const auto message = kmip::RequestMessage::Open(one.request);
  const kmip::RequestHeader& header = message->header();  // Concerns() has read it
  if (!authenticator_.NeedsTime(*header.authentication, header.version))
    return Pass(std::move(one));
  if (Enqueue(one)) return wake_.NotifyOne();
  Admission refused;
  refused.refusal = kmip::Reject(kmip::ResultReason::kAuthenticationNotSuccessful,
                                 "authentication was not successful");
  next_(std::move(one.request), std::move(one.connection), std::move(one.completion),
        std::move(refused));
}

bool Gate::Enqueue(Waiting& one) {
  const MutexLock lock(mutex_);
  const auto of_one = std::ranges::count_if(waiting_, [&](const Waiting& other) {
    return other.connection->address == one.connection->address;
  });
  if (waiting_.size() >= kMost || static_cast<std::size_t>(of_one) >= kMostOfOne) return false;
  waiting_.push_back(std::move(one));
  return true;
}

bool Gate::Take(Waiting& one) {
  const MutexLock lock(mutex_);
  while (waiting_.empty() && !stopping_) wake_.Wait(mutex_);
  if (waiting_.empty()) return false;
  one = std::move(waiting_.front());
  waiting_.erase(waiting_.begin());
  return true;
}

void Gate::Run() {
  for (Waiting one; Take(one);) Pass(std::move(one));
}

void Gate::Pass(Waiting one) {
  const auto message = kmip::RequestMessage::Open(one.request);
  const kmip::RequestHeader& header = message->header();
  Admission admission =
      authenticator_.Admit(*one.connection, *header.authentication, header.version);
  next_(std::move(one.request), std::move(one.connection), std::move(one.completion),
        std::move(admission));
}

}  // namespace dare::engine
