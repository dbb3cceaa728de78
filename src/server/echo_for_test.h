#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "server/handler.h"
#include "server/server.h"

namespace dare::server {

// A KMIP request message of `size` bytes (8 and more) that carries `mark`. Not a lawful one beyond
// its header; the listener does not look further.
inline Bytes RequestForTest(std::uint8_t mark, std::size_t size = 64) {
  Bytes message(size, mark);
  PutU32(message.data(), 0x42007801);
  PutU32(message.data() + 4, static_cast<std::uint32_t>(size - 8));
  return message;
}

// Answers with what was asked, at once or when the test says so. Thread-safe.
class EchoForTest : public RequestHandler {
 public:
  static constexpr std::uint8_t kDefer = 0xdd;  // marks of requests that are treated otherwise
  static constexpr std::uint8_t kRefuse = 0xee;
  static constexpr std::uint8_t kLast = 0xff;

  std::shared_ptr<const void> Meet(const Peer& peer) override {
    const MutexLock lock(mutex_);
    peers_.push_back(peer);
    return nullptr;
  }
  Handled Handle(ByteView request, const Caller&, const ReplyTo& later,
                 WipingBytes& answer) override {
    const std::uint8_t mark = request.size() > 8 ? request[8] : 0;
    if (mark == kRefuse) return Handled::kRefused;
    if (mark == kDefer) {
      const MutexLock lock(mutex_);
      deferred_.emplace_back(later.Defer(), WipingBytes(request.begin(), request.end()));
      changed_.NotifyAll();
      return Handled::kLater;
    }
    Append(answer, request);
    ++unflushed_;
    return mark == kLast ? Handled::kAnsweredAndClose : Handled::kAnswered;
  }
  Result<void> Flush() override {
    ++flushes_;
    unflushed_ = 0;
    if (fail_flush_) return Error(Code::kExhausted, "the disk is full");
    return {};
  }

  void WaitForDeferred(std::size_t count) {
    const MutexLock lock(mutex_);
    while (deferred_.size() < count) changed_.Wait(mutex_);
  }
  // Answers what was deferred, the first first.
  void AnswerDeferred() {
    const MutexLock lock(mutex_);
    for (auto& [reply, request] : deferred_) reply.Send(std::move(request));
    deferred_.clear();
  }
  void DropDeferred() {
    const MutexLock lock(mutex_);
    deferred_.clear();
  }
  std::vector<Peer> peers() {
    const MutexLock lock(mutex_);
    return peers_;
  }
  void FailFlush() { fail_flush_ = true; }
  int flushes() const { return flushes_; }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::pair<Reply, WipingBytes>> deferred_ GUARDED_BY(mutex_);
  std::vector<Peer> peers_ GUARDED_BY(mutex_);
  std::atomic<int> flushes_ = 0;
  std::atomic<int> unflushed_ = 0;
  std::atomic<bool> fail_flush_ = false;
};

// Collects what the server refused and lets tests wait for it. Thread-safe.
class RefusalsForTest {
 public:
  RefusalObserver observer() {
    return [this](const RefusalEvent& event) {
      const MutexLock lock(mutex_);
      events_.push_back(event);
      changed_.NotifyAll();
    };
  }
  // The next one not seen yet; nothing after ten seconds.
  std::optional<RefusalEvent> Next() {
    const MutexLock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (events_.size() <= seen_) {
      const auto left = until - std::chrono::steady_clock::now();
      if (left <= Duration::zero()) return std::nullopt;
      changed_.WaitFor(mutex_, left);
    }
    return events_[seen_++];
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<RefusalEvent> events_ GUARDED_BY(mutex_);
  std::size_t seen_ GUARDED_BY(mutex_) = 0;
};

}  // namespace dare::server
