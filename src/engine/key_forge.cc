#include "engine/key_forge.h"

#include <utility>

#include "engine/message_answer.h"

namespace dare::engine {

KeyForge::KeyForge(Drafter& drafter, GroupCommit& group_commit)
    : drafter_(drafter), group_commit_(group_commit), line_([this](Waiting one, bool ending) {
        std::unique_ptr<Draft> draft = ending ? nullptr : Prepare(one);
        group_commit_.Submit(std::move(one.request), std::move(one.caller),
                             std::move(one.completion), std::move(one.admission), std::move(draft));
      }) {}

bool KeyForge::Concerns(ByteView request) { return TakesTime(request); }

void KeyForge::Submit(WipingBytes request, std::shared_ptr<const Caller> caller,
                      std::unique_ptr<Completion> completion, std::optional<Admission> admission) {
  line_.Add({std::move(request), std::move(caller), std::move(completion), std::move(admission)});
}

std::unique_ptr<Draft> KeyForge::Prepare(const Waiting& one) {
  if (!one.admission) return drafter_.Prepare(*one.caller, one.request);
  if (one.admission->refusal) return nullptr;
  return drafter_.Prepare(one.admission->caller, one.request);
}

}  // namespace dare::engine
