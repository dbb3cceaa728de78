#include "engine/key_forge.h"

#include <utility>

#include "engine/message_answer.h"

namespace dare::engine {

KeyForge::KeyForge(Drafter& drafter, GroupCommit& group_commit)
    : drafter_(drafter), group_commit_(group_commit) {
  thread_ = std::jthread([this] { Run(); });
}

KeyForge::~KeyForge() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

bool KeyForge::Concerns(ByteView request) { return TakesTime(request); }

void KeyForge::Submit(WipingBytes request, std::shared_ptr<const Caller> caller,
                      std::unique_ptr<Completion> completion, std::optional<Admission> admission) {
  {
    const MutexLock lock(mutex_);
    waiting_.push_back(
        {std::move(request), std::move(caller), std::move(completion), std::move(admission)});
  }
  wake_.NotifyOne();
}

std::vector<KeyForge::Waiting> KeyForge::Take() {
  const MutexLock lock(mutex_);
  while (waiting_.empty() && !stopping_) wake_.Wait(mutex_);
  return std::exchange(waiting_, {});
}

bool KeyForge::Stopping() {
  const MutexLock lock(mutex_);
  return stopping_;
}

std::unique_ptr<Draft> KeyForge::Prepare(const Waiting& one) {
  if (Stopping()) return nullptr;
  if (!one.admission) return drafter_.Prepare(*one.caller, one.request);
  if (one.admission->refusal) return nullptr;
  return drafter_.Prepare(one.admission->caller, one.request);
}

void KeyForge::Run() {
  for (std::vector<Waiting> all = Take(); !all.empty(); all = Take()) {
    for (Waiting& one : all) {
      std::unique_ptr<Draft> draft = Prepare(one);
      group_commit_.Submit(std::move(one.request), std::move(one.caller), std::move(one.completion),
                           std::move(one.admission), std::move(draft));
    }
  }
}

}  // namespace dare::engine
