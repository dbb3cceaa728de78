#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <system_error>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace dare::tree {

// Work on many items by several threads, given in and taken out in one order, with a bounded number
// of them in between. Push and Pop are for one thread. Items that were not taken are dropped
// unworked when it dies.
template <typename Item>
class InOrder {
 public:
  // `work` gets the number of its thread, 0 … workers - 1, besides.
  InOrder(unsigned workers, std::size_t window, std::function<void(Item&, unsigned)> work)
      : window_(window), work_(std::move(work)) {
    for (unsigned i = 0; i < std::max(workers, 1u); ++i) {
      try {
        threads_.emplace_back([this, i] { Work(i); });
      } catch (const std::system_error&) {
        if (threads_.empty()) throw;
        break;  // no more threads to be had: those we have do the work
      }
    }
  }
  ~InOrder() {
    {
      const MutexLock lock(mutex_);
      ending_ = true;
      more_.NotifyAll();
    }
    threads_.clear();
  }
  InOrder(const InOrder&) = delete;
  InOrder& operator=(const InOrder&) = delete;

  bool full() const {
    const MutexLock lock(mutex_);
    return slots_.size() >= window_;
  }
  bool empty() const {
    const MutexLock lock(mutex_);
    return slots_.empty();
  }
  void Push(Item item) {
    const MutexLock lock(mutex_);
    slots_.emplace_back();
    slots_.back().item = std::move(item);
    if (idle_ > 0) more_.NotifyOne();
  }
  // The oldest item, worked on. There must be one.
  Item Pop() {
    const MutexLock lock(mutex_);
    if (!slots_.front().done) {
      // For some of them at once: a wake-up for each costs as much as the work on a small file.
      Await(slots_[std::min(slots_.size(), kAtOnce) - 1]);
      Await(slots_.front());
    }
    Item item = std::move(slots_.front().item);
    slots_.pop_front();
    --claimed_;
    return item;
  }

 private:
  static constexpr std::size_t kAtOnce = 16;

  struct Slot {
    Item item;
    bool done = false;
  };

  void Await(const Slot& slot) REQUIRES(mutex_) {
    awaited_ = &slot;  // a deque: it stays where it is
    while (!slot.done) done_.Wait(mutex_);
    awaited_ = nullptr;
  }

  void Work(unsigned worker) {
    for (;;) {
      Slot* slot = nullptr;
      {
        const MutexLock lock(mutex_);
        while (claimed_ == slots_.size() && !ending_) {
          ++idle_;
          more_.Wait(mutex_);
          --idle_;
        }
        if (ending_) return;
        slot = &slots_[claimed_++];
      }
      work_(slot->item, worker);
      const MutexLock lock(mutex_);
      slot->done = true;
      if (slot == awaited_) done_.NotifyOne();
    }
  }

  const std::size_t window_;
  const std::function<void(Item&, unsigned)> work_;
  mutable Mutex mutex_;
  CondVar more_, done_;
  std::deque<Slot> slots_ GUARDED_BY(mutex_);
  std::size_t claimed_ GUARDED_BY(mutex_) = 0;
  unsigned idle_ GUARDED_BY(mutex_) = 0;
  const Slot* awaited_ GUARDED_BY(mutex_) = nullptr;
  bool ending_ GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
};

}  // namespace dare::tree
