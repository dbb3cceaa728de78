#include "engine/pair_forge.h"

#include <optional>
#include <utility>

#include "kmip/message.h"

namespace dare::engine {

PairForge::PairForge(Drafter& drafter, GroupCommit& group_commit)
    : drafter_(drafter), group_commit_(group_commit) {
  thread_ = std::jthread([this] { Run(); });
}

PairForge::~PairForge() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

bool PairForge::Concerns(ByteView request) {
  auto message = kmip::RequestMessage::Open(request);
  if (!message || message->AtEnd()) return false;
  const auto item = message->Next();
  return item && item->operation == kmip::Operation::kCreateKeyPair && message->AtEnd();
}

void PairForge::Submit(WipingBytes request, std::shared_ptr<const Caller> caller,
                       std::unique_ptr<Completion> completion) {
  {
    const MutexLock lock(mutex_);
    waiting_.push_back({std::move(request), std::move(caller), std::move(completion)});
  }
  wake_.NotifyOne();
}

std::vector<PairForge::Waiting> PairForge::Take() {
  const MutexLock lock(mutex_);
  while (waiting_.empty() && !stopping_) wake_.Wait(mutex_);
  return std::exchange(waiting_, {});
}

bool PairForge::Stopping() {
  const MutexLock lock(mutex_);
  return stopping_;
}

void PairForge::Run() {
  for (std::vector<Waiting> all = Take(); !all.empty(); all = Take()) {
    for (Waiting& one : all) {
      std::unique_ptr<Draft> draft;
      if (!Stopping()) draft = drafter_.WriteWithPair(*one.caller, one.request);
      group_commit_.Submit(std::move(one.request), std::move(one.caller), std::move(one.completion),
                           std::nullopt, std::move(draft));
    }
  }
}

}  // namespace dare::engine
