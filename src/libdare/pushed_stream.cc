// Streams whose input is pushed, of the C interface (include/dare/dare.h).
#include <dare/dare.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "libdare/border.h"
#include "libdare/callbacks.h"
#include "libdare/handle.h"

namespace dare::lib {
namespace {

// Hands pieces of input from the threads that push to the one that reads. The pieces are borrowed:
// a push waits until its piece was taken, so nothing is queued and nothing copied twice.
class PieceHandOver final : public envelope::ByteSource {
 public:
  // Waits until all of it was taken; false when nobody takes anything any more.
  bool Push(ByteView piece) {
    MutexLock lock(mutex_);
    while (!piece_.empty() && !closed_) changed_.Wait(mutex_);  // another thread's
    if (closed_ || ended_) return false;
    piece_ = piece;
    changed_.NotifyAll();
    while (!piece_.empty() && !closed_) changed_.Wait(mutex_);
    return !closed_;
  }
  // No more will come. `given_up`: what came is not all that there should be.
  void End(bool given_up) {
    MutexLock lock(mutex_);
    ended_ = true;
    given_up_ = given_up;
    changed_.NotifyAll();
  }
  // Nothing will be taken any more.
  void Close() {
    MutexLock lock(mutex_);
    closed_ = true;
    piece_ = {};
    changed_.NotifyAll();
  }

  bool closed() const {
    MutexLock lock(mutex_);
    return closed_;
  }

  Result<std::size_t> Read(MutableBytes buffer) override {
    MutexLock lock(mutex_);
    std::size_t have = 0;
    while (have < buffer.size()) {
      while (piece_.empty() && !ended_) changed_.Wait(mutex_);
      if (given_up_) return envelope::Cancelled();
      if (piece_.empty()) break;
      const std::size_t n = std::min(piece_.size(), buffer.size() - have);
      std::copy_n(piece_.begin(), n, buffer.begin() + static_cast<std::ptrdiff_t>(have));
      have += n;
      piece_ = piece_.subspan(n);
      if (piece_.empty()) changed_.NotifyAll();
    }
    return have;
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  ByteView piece_ GUARDED_BY(mutex_);
  bool ended_ GUARDED_BY(mutex_) = false;
  bool given_up_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace
}  // namespace dare::lib

// Seals or opens on a thread of its own what is pushed. `outcome` is written by that thread, and
// read by others when it has closed the hand-over.
struct dare_stream {
  dare_client client;  // a copy: the caller's may be freed before
  std::optional<std::string> key;
  dare_write write;
  void* user;
  bool seals;
  dare::lib::PieceHandOver input;
  dare::Result<void> outcome;
  std::jthread thread;

  dare::Result<void> Run();
};

dare::Result<void> dare_stream::Run() {
  dare::lib::Call call(client);
  dare::lib::CallbackSink out(write, user);
  if (seals) {
    const dare::envelope::Keyring keks = TRY(call.SealingKeyring(key ? key->c_str() : nullptr));
    TRY(dare::envelope::SealStream(input, out, keks, dare::lib::SealOptionsOf(call, 0)));
  } else {
    const dare::envelope::Keyring keks = TRY(call.OpeningKeyring());
    TRY(dare::envelope::OpenStream(input, out, keks, dare::lib::OpenOptionsOf(call, 0)));
  }
  return {};
}

namespace dare::lib {
namespace {

Result<void> RunSafely(dare_stream& stream) {
  try {
    return stream.Run();
  } catch (const std::exception& thrown) {
    return Error(Code::kExhausted, thrown.what());
  }
}

Result<void> Begin(dare_client* client, const char* key, dare_write write, void* user, bool seals,
                   dare_stream** begun) {
  TRY(RequireArguments(client != nullptr && write != nullptr && begun != nullptr));
  std::unique_ptr<dare_stream> stream(new dare_stream{.client = *client,
                                                      .key = {},
                                                      .write = write,
                                                      .user = user,
                                                      .seals = seals,
                                                      .input = {},
                                                      .outcome = {},
                                                      .thread = {}});
  if (key != nullptr) stream->key = key;
  stream->client.cancel = CancelFlag::Under(client->cancel);
  stream->thread = std::jthread([s = stream.get()] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // they are for the program's own threads
    s->outcome = RunSafely(*s);
    s->input.Close();
  });
  *begun = stream.release();
  return {};
}

}  // namespace
}  // namespace dare::lib

using dare::Result;
using dare::lib::AtBorder;
using dare::lib::RequireArguments;

extern "C" {

dare_status dare_seal_begin(dare_client* client, const char* key, dare_write write, void* user,
                            dare_stream** stream) {
  if (stream != nullptr) *stream = nullptr;
  return AtBorder([&] { return dare::lib::Begin(client, key, write, user, true, stream); });
}

dare_status dare_open_begin(dare_client* client, dare_write write, void* user,
                            dare_stream** stream) {
  if (stream != nullptr) *stream = nullptr;
  return AtBorder([&] { return dare::lib::Begin(client, nullptr, write, user, false, stream); });
}

dare_status dare_stream_push(dare_stream* stream, const void* bytes, size_t size) {
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(stream != nullptr && (bytes != nullptr || size == 0)));
    if (stream->input.Push({static_cast<const std::uint8_t*>(bytes), size})) return {};
    if (stream->input.closed() && !stream->outcome) return stream->outcome;
    return dare::Error(dare::Code::kInvalidArgument, "the stream has ended");
  });
}

dare_status dare_stream_finish(dare_stream* stream) {
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(stream != nullptr));
    stream->input.End(false);
    if (stream->thread.joinable()) stream->thread.join();
    return stream->outcome;
  });
}

void dare_stream_free(dare_stream* stream) {
  if (stream == nullptr) return;
  const dare::lib::WithoutSigpipe without_sigpipe;  // it may hold the last connection
  stream->client.cancel->Set();                     // also while it waits for a key server
  stream->input.End(true);
  delete stream;
}

}  // extern "C"
