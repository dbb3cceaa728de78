#pragma once

#include <future>
#include <memory>
#include <utility>

#include "engine/kms.h"

namespace dare::engine {

// Submits a message to the writer; the answer comes through the future.
inline std::future<WipingBytes> SubmitForTest(Kms& kms, WipingBytes message,
                                              std::shared_ptr<const Caller> caller) {
  class Deliver : public Completion {
   public:
    explicit Deliver(std::promise<WipingBytes> promise) : promise_(std::move(promise)) {}
    void Done(WipingBytes answer) override { promise_.set_value(std::move(answer)); }

   private:
    std::promise<WipingBytes> promise_;
  };
  std::promise<WipingBytes> promise;
  std::future<WipingBytes> answer = promise.get_future();
  kms.Submit(std::move(message), std::move(caller), std::make_unique<Deliver>(std::move(promise)));
  return answer;
}

}  // namespace dare::engine
