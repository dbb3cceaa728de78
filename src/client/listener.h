#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "base/mutex.h"
#include "client/ear.h"
#include "client/kms_client.h"

namespace dare::client {

// A Listener hears what key servers tell of changes to objects: on a connection of its own, where
// it said Set Endpoint Role, it answers what the server asks (server_request.h). It listens to the
// server that calls go to now, and moves with them: that one knows which keys we got.
//
// A connection that is lost is made anew, after a pause that grows from a second to half a minute
// while that fails, shortened by up to its half at random, so that many clients do not come
// together. A server's machine that vanishes is missed within some ten seconds.
class Listener {
 public:
  struct Options {
    std::chrono::milliseconds least_pause{1000};
    std::chrono::milliseconds most_pause{30000};
    // How often it is looked where calls go.
    std::chrono::milliseconds look{1000};
    const Clock* clock = &SystemClock::Get();  // for the time in answers
  };

  // A thread begins to listen at once. Both outlive the listener; of `client` a copy is kept.
  // kInvalidArgument where the configuration's version is before 2.0; kExhausted.
  static Result<std::unique_ptr<Listener>> Start(const KmsClient& client, Ear& ear,
                                                 const Options& options);
  static Result<std::unique_ptr<Listener>> Start(const KmsClient& client, Ear& ear) {
    return Start(client, ear, Options());
  }
  // What servers must speak, and what Start asks for.
  static Result<void> CheckVersion(kmip::ProtocolVersion version);

  // Ends the connection, whatever it waits for (but for the look-up of a host's name).
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  using Milliseconds = std::chrono::milliseconds;

  Listener(const KmsClient& client, Ear& ear, const Options& options, FileDescriptor wake);
  void Run() EXCLUDES(mutex_);
  // From connecting until it is over: an error, or nothing when calls go elsewhere.
  Result<void> ListenOnce();
  Result<void> Serve(Connection& connection, std::size_t server);
  Deadline Within(Milliseconds time) const { return {time, &ending_, wake_.get()}; }
  // Between half of `pause` and all of it.
  void Rest(Milliseconds pause) EXCLUDES(mutex_);

  KmsClient client_;
  Ear& ear_;
  const Options options_;
  const FileDescriptor wake_;  // an eventfd
  Mutex mutex_;
  CondVar end_;
  std::atomic<bool> ending_{false};  // set with mutex_ held
  std::jthread thread_;
};

}  // namespace dare::client
