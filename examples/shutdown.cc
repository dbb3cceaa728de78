// shutdown CONFIG: a time limit for each call, and an end to all of them from another thread.
//
// A server gives each request a handle with a time limit; all share connections, and what is known
// of the key servers. When it shuts down it cancels the handle they were made of: calls that wait
// for a key server, or seal a stream, end within a quarter of a second.
#include <dare/client.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>

namespace {

using dare::lib::Client;
using dare::lib::Result;
using dare::lib::Status;

// A request without an end: seals zeroes for ever.
Status Serve(Client& client, std::atomic<bool>& started) {
  return client.SealStream(
      "",
      [](std::span<std::byte> buffer) {
        std::fill(buffer.begin(), buffer.end(), std::byte{0});
        return static_cast<std::ptrdiff_t>(buffer.size());
      },
      [&](std::span<const std::byte>) { return started = true; });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: shutdown CONFIG\n", stderr), DARE_USAGE;
  Client client;
  Status status = client.Open(argv[1]);
  if (status) {
    Result<Client> request = client.WithTimeout(std::chrono::seconds(10));
    if (!request) return request.status().code;
    std::atomic<bool> started{false}, ended{false};
    std::thread serving([&] {
      status = Serve(*request, started);
      ended = true;
    });
    while (!started && !ended) std::this_thread::yield();
    client.Cancel();
    serving.join();
  }
  if (status.code == DARE_CANCELLED) return std::puts("ended in the middle"), 0;
  std::fprintf(stderr, "shutdown: %s\n", status.message.c_str());
  return status.code;
}
