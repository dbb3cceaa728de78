// The client side of the KMIP benchmarks: N connections, each in strict request and reply, driven
// by one epoll thread. Prints one JSON object: requests and replies counted, seconds, operations a
// second, latency percentiles, message sizes.
#include <fmt/core.h>
#include <sys/epoll.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <fstream>
#include <memory>

#include "kms_requests.h"
#include "load_connection.h"

namespace dare::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  Target target;
  std::string operation = "get";
  std::string ids_file;
  std::size_t clients = 8;
  double seconds = 5;
  bool reconnect = false;  // a new connection for every request
  std::size_t fill = 0;    // create this many named keys instead, and print their ids
  bool unchecked = false;  // the peer is an echo, its replies are no KMIP
};

struct Tally {
  std::uint64_t replies = 0, failures = 0;
  std::size_t request_bytes = 0, reply_bytes = 0;
  std::vector<float> microseconds;
  double seconds = 0;
};

class Load {
 public:
  Load(const Options& options, std::vector<WipingBytes> requests)
      : options_(options),
        requests_(std::move(requests)),
        context_(ClientContext(options.target)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

  Tally Run() {
    for (std::size_t i = 0; i < options_.clients; ++i) Open(i);
    const Clock::time_point warm = Clock::now() + std::chrono::milliseconds(300);
    Drive(warm);
    tally_ = {};
    const Clock::time_point begin = Clock::now();
    Drive(begin + std::chrono::microseconds(static_cast<std::int64_t>(options_.seconds * 1e6)));
    tally_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return std::move(tally_);
  }

 private:
  void Open(std::size_t slot) {
    if (slot == connections_.size()) connections_.emplace_back();
    connections_[slot] = std::make_unique<LoadConnection>(context_.get(), options_.target);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = slot;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[slot]->fd(), &event);
    Begin(*connections_[slot]);
    Continue(slot);
  }

  void Begin(LoadConnection& connection) {
    connection.Begin(requests_[next_++ % requests_.size()]);
  }

  void Continue(std::size_t slot) {
    LoadConnection& connection = *connections_[slot];
    for (;;) {
      switch (connection.Continue()) {
        case LoadConnection::Step::kWantRead:
        case LoadConnection::Step::kWantWrite:
          return;
        case LoadConnection::Step::kFailed:
          ++tally_.failures;
          if (tally_.failures > 100) {
            fmt::print(stderr, "too many failed connections\n");
            std::exit(1);
          }
          again_.push_back(slot);
          return;
        case LoadConnection::Step::kReply:
          Count(connection);
      }
      if (options_.reconnect) {
        again_.push_back(slot);
        return;
      }
      Begin(connection);
    }
  }

  void Count(const LoadConnection& connection) {
    ++tally_.replies;
    tally_.request_bytes = requests_[0].size();
    tally_.reply_bytes = connection.reply().size();
    if (!options_.unchecked && !Succeeded(connection.reply())) {
      fmt::print(stderr, "an answer was no success\n");
      std::exit(1);
    }
    tally_.microseconds.push_back(
        std::chrono::duration<float, std::micro>(Clock::now() - connection.began()).count());
  }

  void Drive(Clock::time_point until) {
    std::vector<epoll_event> events(256);
    while (Clock::now() < until) {
      const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 50);
      for (int i = 0; i < n; ++i) Continue(events[static_cast<std::size_t>(i)].data.u64);
      for (const std::size_t slot : std::exchange(again_, {})) Open(slot);
    }
  }

  const Options& options_;
  const std::vector<WipingBytes> requests_;
  const SslContext context_;
  const int epoll_;
  std::vector<std::unique_ptr<LoadConnection>> connections_;
  std::vector<std::size_t> again_;
  std::size_t next_ = 0;
  Tally tally_;
};

double Percentile(std::vector<float>& values, double p) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(p * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

// Creates named keys over one connection after the other reply; prints name and id, a line each.
void Fill(const Options& options) {
  const SslContext context = ClientContext(options.target);
  LoadConnection connection(context.get(), options.target);
  for (std::size_t i = 0; i < options.fill; ++i) {
    const std::string name = fmt::format("bench-{:07}", i);
    const WipingBytes request = MakeNamedCreate(name);
    connection.Begin(request);
    LoadConnection::Step step;
    while ((step = connection.Continue()) != LoadConnection::Step::kReply) {
      if (step == LoadConnection::Step::kFailed) std::exit(1);
    }
    if (!Succeeded(connection.reply())) {
      fmt::print(stderr, "Create was refused\n");
      std::exit(1);
    }
    fmt::print("{} {}\n", name, IdOf(connection.reply()));
  }
}

std::vector<std::string> ReadLines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("the client side of the KMIP benchmarks");
  app.add_option("--host", options.target.host)->default_val("127.0.0.1");
  app.add_option("--port", options.target.port)->required();
  app.add_option("--certificate", options.target.certificate)->required();
  app.add_option("--key", options.target.key)->required();
  app.add_option("--ca", options.target.ca)->required();
  app.add_option("--operation", options.operation);
  app.add_option("--ids", options.ids_file, "a file of ids (names for locate), one a line");
  app.add_option("--clients", options.clients);
  app.add_option("--seconds", options.seconds);
  app.add_flag("--reconnect", options.reconnect);
  app.add_option("--fill", options.fill);
  app.add_flag("--unchecked", options.unchecked);
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  if (options.fill != 0) {
    Fill(options);
    return 0;
  }
  std::vector<WipingBytes> requests =
      MakeRequests(options.operation, options.ids_file.empty() ? std::vector<std::string>{}
                                                               : ReadLines(options.ids_file));
  if (requests.empty()) {
    fmt::print(stderr, "no ids\n");
    return 2;
  }
  Tally tally = Load(options, std::move(requests)).Run();
  fmt::print(
      "{{\"ops_per_second\": {:.1f}, \"replies\": {}, \"failures\": {}, \"p50_us\": {:.1f}, "
      "\"p99_us\": {:.1f}, \"request_bytes\": {}, \"reply_bytes\": {}}}\n",
      static_cast<double>(tally.replies) / tally.seconds, tally.replies, tally.failures,
      Percentile(tally.microseconds, 0.5), Percentile(tally.microseconds, 0.99),
      tally.request_bytes, tally.reply_bytes);
  return 0;
}

}  // namespace
}  // namespace dare::bench

int main(int argc, char** argv) { return dare::bench::Main(argc, argv); }
