#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/result.h"

namespace dare::custody {

// Calls `work` on a thread of its own and waits no longer than `patience`: kTimeout. A call into a
// token's module cannot be broken off; it is left to itself, so whatever it uses must be its own.
template <typename T>
Result<T> Within(std::chrono::milliseconds patience, std::function<Result<T>()> work) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  std::future<Result<T>> answer = promise->get_future();
  std::thread thread([promise, work = std::move(work)]() mutable {
    Result<T> result = work();
    work = nullptr;  // lets go of the token before it says that it is done
    promise->set_value(std::move(result));
  });
  if (answer.wait_for(patience) != std::future_status::ready) {
    thread.detach();
    return Error(Code::kTimeout, "no answer within " + std::to_string(patience.count()) + " ms");
  }
  // Nothing of it is left when a process ends that waited for it.
  thread.join();
  return answer.get();
}

}  // namespace dare::custody
