#include "engine/gate.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "kmip/message.h"
#include "kmip/reject.h"

namespace dare::engine {

Gate::Gate(Authenticator& authenticator, Next next)
    : authenticator_(authenticator),
      next_(std::move(next)),
      line_([this](Waiting one, bool /*ending*/) { Pass(std::move(one)); }) {}

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
  if (Enqueue(one)) return;
  Admission refused;
  refused.refusal = kmip::Reject(kmip::ResultReason::kAuthenticationNotSuccessful,
                                 "authentication was not successful");
  next_(std::move(one.request), std::move(one.connection), std::move(one.completion),
        std::move(refused));
}

bool Gate::Enqueue(Waiting& one) {
  return line_.AddIf(one, [&one](const std::deque<Waiting>& waiting) {
    const auto of_one = std::ranges::count_if(waiting, [&](const Waiting& other) {
      return other.connection->address == one.connection->address;
    });
    return waiting.size() < kMost && static_cast<std::size_t>(of_one) < kMostOfOne;
  });
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
