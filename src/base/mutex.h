#pragma once

#include <condition_variable>
#include <mutex>

// Clang checks these with -Wthread-safety; other compilers see nothing.
#if defined(__clang__)
#define DARE_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define DARE_THREAD_ANNOTATION(x)
#endif
#define CAPABILITY(x) DARE_THREAD_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY DARE_THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(x) DARE_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES(...) DARE_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) DARE_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) DARE_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define EXCLUDES(...) DARE_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS DARE_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace dare {

class CAPABILITY("mutex") Mutex {
 public:
  void Lock() ACQUIRE() { mutex_.lock(); }
  void Unlock() RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits with `mutex` held; the caller re-checks its condition in a loop.
class CondVar {
 public:
  void Wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when `timeout` passed first.
  template <typename Duration>
  bool WaitFor(Mutex& mutex, Duration timeout) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool notified = condition_.wait_for(lock, timeout) == std::cv_status::no_timeout;
    lock.release();
    return notified;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace dare
