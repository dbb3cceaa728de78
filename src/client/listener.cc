#include "client/listener.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "client/server_request.h"
#include "crypto/random.h"
#include "kmip/payloads/set_endpoint_role.h"
#include "kmip/tags.h"

namespace dare::client {
namespace {

using std::chrono::milliseconds;

// From a message's first byte to the last one of its answer.
constexpr std::chrono::seconds kMessageTime{10};

// The server's word, not the network's.
bool Refused(const Error& error) {
  return error.code == Code::kDenied || error.code == Code::kUnauthenticated;
}

// Of [0, 1).
double RandomShare() {
  std::uint8_t bytes[4] = {};
  if (!crypto::RandomBytes(bytes)) return 0;
  return GetU32(bytes) / 4294967296.0;
}

}  // namespace

Result<void> Listener::CheckVersion(kmip::ProtocolVersion version) {
  if (version >= kmip::kVersion2_0) return {};
  return Error(Code::kInvalidArgument,
               "listening to key servers needs KMIP 2.0 or later (kmip_version)");
}

Result<std::unique_ptr<Listener>> Listener::Start(const KmsClient& client, Ear& ear,
                                                  const Options& options) {
  TRY(CheckVersion(client.version()));
  FileDescriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return IoError("cannot make an eventfd", errno);
  std::unique_ptr<Listener> listener(new Listener(client, ear, options, std::move(wake)));
  try {
    listener->thread_ = std::jthread([raw = listener.get()] { raw->Run(); });
  } catch (const std::system_error&) {
    return Error(Code::kExhausted, "no thread to listen to key servers");
  }
  return listener;
}

Listener::Listener(const KmsClient& client, Ear& ear, const Options& options, FileDescriptor wake)
    : client_(client), ear_(ear), options_(options), wake_(std::move(wake)) {}

Listener::~Listener() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    end_.NotifyAll();
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

void Listener::Run() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // they are for the program's own threads
  milliseconds pause = options_.least_pause;
  while (!ending_) {
    const auto began = std::chrono::steady_clock::now();
    const Result<void> over = ListenOnce();
    if (over) continue;
    if (Refused(over.error())) ear_.OnDeaf(true);
    // One that lasted says nothing against the next.
    if (std::chrono::steady_clock::now() - began >= options_.most_pause) {
      pause = options_.least_pause;
    }
    Rest(pause);
    pause = std::min(pause * 2, options_.most_pause);
  }
}

Result<void> Listener::ListenOnce() {
  const Deadline deadline = Within(client_.config().request_timeout);
  const Pool::Own own = TRY(client_.pool().ConnectToPreferred(deadline));
  own.connection->WatchPeer();
  const kmip::SetEndpointRoleRequest request{kmip::EndpointRole::kClient};
  const auto taken =
      TRY(client_.CallOn<kmip::SetEndpointRoleResponse>(*own.connection, request, deadline));
  if (taken.role != kmip::EndpointRole::kClient) {
    return Error(Code::kUnsupported, "the key server did not take the role of the client");
  }
  ear_.OnHearing();
  Result<void> over = Serve(*own.connection, own.server);
  ear_.OnDeaf(false);
  return over;
}

Result<void> Listener::Serve(Connection& connection, std::size_t server) {
  while (client_.pool().Preferred() == server) {
    const bool came = TRY(connection.AwaitMessage(Within(options_.look)));
    if (!came) continue;
    const Deadline deadline = Within(kMessageTime);
    const WipingBytes message =
        TRY(connection.Receive(kmip::Tag::kRequestMessage, kServerRequestLimits, deadline));
    const WipingBytes answer = TRY(AnswerServer(message, ear_, options_.clock->Now()));
    TRY(connection.Send(answer, deadline));
  }
  return {};
}

void Listener::Rest(milliseconds pause) {
  const auto share =
      static_cast<std::int64_t>(static_cast<double>(pause.count()) * RandomShare() / 2);
  const auto until = std::chrono::steady_clock::now() + pause - milliseconds(share);
  const MutexLock lock(mutex_);
  while (!ending_) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= until) return;
    end_.WaitFor(mutex_, until - now);
  }
}

}  // namespace dare::client
