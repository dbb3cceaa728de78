#include "envelope/frame_pipeline.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "base/secret_bytes.h"

namespace dare::envelope {
namespace {

constexpr std::size_t kPage = 4096;
constexpr unsigned kMostWorkers = 64;

unsigned WorkersFor(const PipelineShape& shape, const FlowOptions& options) {
  unsigned workers = options.workers != 0 ? options.workers : std::thread::hardware_concurrency();
  workers = std::clamp(workers, 1u, kMostWorkers);
  return static_cast<unsigned>(
      std::min<std::uint64_t>(workers, std::max<std::uint64_t>(shape.most_frames, 1)));
}

// Shared by the workers of one run. Two turns: the input turn is a lock, the output turn goes round
// in the order of claims.
class Run {
 public:
  Run(FrameFlow& flow, const PipelineShape& shape, const FlowOptions& options)
      : flow_(flow), shape_(shape), options_(options) {}

  void Work(FrameBuffer& frame, FrameCipher& cipher) {
    for (;;) {
      std::uint64_t turn = 0;
      if (!Claim(frame, turn)) return;
      if (Result<void> processed = flow_.Process(frame, cipher); !processed) {
        return Fail(std::move(processed).error());
      }
      if (!Deliver(frame, turn)) return;
    }
  }

  void Fail(Error error) {
    const MutexLock lock(output_);
    if (!error_) error_ = std::move(error);
    stopped_.store(true, std::memory_order_relaxed);
    turn_changed_.NotifyAll();
  }

  Result<std::uint64_t> Finish() {
    const MutexLock lock(output_);
    if (error_) return *std::move(error_);
    return done_;
  }

 private:
  bool Claim(FrameBuffer& frame, std::uint64_t& turn) {
    const MutexLock lock(input_);
    if (ended_ || stopped_.load(std::memory_order_relaxed)) return false;
    if (options_.cancelled != nullptr && options_.cancelled->load(std::memory_order_relaxed)) {
      Fail(Cancelled());
      return false;
    }
    const Result<bool> claimed = flow_.Claim(frame);
    if (!claimed) {
      Fail(claimed.error());
      return false;
    }
    ended_ = !*claimed;
    turn = claimed_++;
    return *claimed;
  }

  // Emits in turn and counts.
  bool Deliver(FrameBuffer& frame, std::uint64_t turn) {
    if (shape_.ordered) {
      {
        const MutexLock lock(output_);
        while (emitted_ != turn && !stopped_.load(std::memory_order_relaxed)) {
          turn_changed_.Wait(output_);
        }
        if (stopped_.load(std::memory_order_relaxed)) return false;
      }
      // The turn is ours, so nobody else writes; others may wait meanwhile.
      if (Result<void> emitted = flow_.Emit(frame); !emitted) {
        Fail(std::move(emitted).error());
        return false;
      }
    }
    const MutexLock lock(output_);
    ++emitted_;
    done_ += frame.length;
    if (options_.progress) options_.progress(done_, shape_.total);
    turn_changed_.NotifyAll();
    return true;
  }

  FrameFlow& flow_;
  const PipelineShape& shape_;
  const FlowOptions& options_;
  std::atomic<bool> stopped_{false};

  Mutex input_;
  bool ended_ GUARDED_BY(input_) = false;
  std::uint64_t claimed_ GUARDED_BY(input_) = 0;

  Mutex output_;
  CondVar turn_changed_;
  std::uint64_t emitted_ GUARDED_BY(output_) = 0;
  std::uint64_t done_ GUARDED_BY(output_) = 0;
  std::optional<Error> error_ GUARDED_BY(output_);
};

}  // namespace

Result<FrameBuffer> FrameBuffer::Create(std::size_t frame_length) {
  const std::size_t need = kDataOffset + frame_length + kFinalFrameOverhead;
  const std::size_t size = (need + kPage - 1) / kPage * kPage;
  auto* memory = static_cast<std::uint8_t*>(std::aligned_alloc(kPage, size));
  if (memory == nullptr) return Error(Code::kExhausted, "not enough memory for a frame buffer");
  return FrameBuffer(memory, size);
}

FrameBuffer::FrameBuffer(FrameBuffer&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), size_(other.size_), used_(other.used_) {}

FrameBuffer::~FrameBuffer() {
  if (memory_ == nullptr) return;
  Wipe({memory_, used_});  // no more: a page never touched costs nothing
  std::free(memory_);
}

MutableBytes FrameBuffer::At(std::size_t offset, std::size_t n) {
  CHECK(offset <= size_ && n <= size_ - offset);
  used_ = std::max(used_, offset + n);
  return {memory_ + offset, n};
}

Result<std::uint64_t> RunPipeline(FrameFlow& flow, const FrameCipher& cipher,
                                  const PipelineShape& shape, const FlowOptions& options) {
  struct Worker {
    FrameBuffer buffer;
    FrameCipher cipher;
  };
  const unsigned count = WorkersFor(shape, options);
  std::vector<Worker> workers;
  workers.reserve(count);
  for (unsigned i = 0; i < count; ++i) {
    FrameBuffer buffer = TRY(FrameBuffer::Create(shape.frame_length));
    FrameCipher own = TRY(cipher.Clone());
    workers.push_back(Worker{std::move(buffer), std::move(own)});
  }
  Run run(flow, shape, options);
  {
    std::vector<std::jthread> threads;
    threads.reserve(count);
    for (unsigned i = 1; i < count; ++i) {
      try {
        threads.emplace_back(
            [&run, &worker = workers[i]] { run.Work(worker.buffer, worker.cipher); });
      } catch (const std::system_error&) {
        break;  // no more threads to be had: those we have do the work
      }
    }
    run.Work(workers[0].buffer, workers[0].cipher);
  }
  return run.Finish();
}

}  // namespace dare::envelope
