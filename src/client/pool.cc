#include "client/pool.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <numeric>
#include <system_error>
#include <utility>

namespace dare::client {
namespace {

constexpr std::chrono::seconds kLeastPause{1};
constexpr std::chrono::seconds kMostPause{30};

// The network's or the server's fault, so that another try may help.
bool AnotherMayHelp(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout;
}

}  // namespace

struct Pool::Server {
  bool resting = false;           // it did not answer: left out while others do
  std::chrono::seconds pause{0};  // how long its last rest was; grows until it answers a call
  std::chrono::steady_clock::time_point rest_until{};
  enum class Probe : std::uint8_t { kNone, kWanted, kUnderWay } probe = Probe::kNone;
};

struct Pool::Idle {
  std::unique_ptr<Connection> connection;
  std::size_t server = 0;
  std::chrono::steady_clock::time_point since;
};

// The right to use one of the pool's places, with a connection in it.
struct Pool::Lease {
  std::unique_ptr<Connection> connection;
  std::size_t server = 0;
  bool kept = false;  // it was idle before, so that it may have died unseen
};

Pool::Pool(const Config& config, std::shared_ptr<TlsContext> tls, Options options)
    : config_(config),
      tls_(std::move(tls)),
      options_(std::move(options)),
      servers_(config.servers.size()) {}

Pool::~Pool() {
  std::jthread prober;
  {
    MutexLock lock(mutex_);
    ending_ = true;
    prober = std::move(prober_);
    probe_wanted_.NotifyAll();
  }
}

std::size_t Pool::idle() const {
  MutexLock lock(mutex_);
  return idle_.size();
}

std::vector<std::size_t> Pool::Order() const {
  std::vector<std::size_t> order(servers_.size());
  std::iota(order.begin(), order.end(), 0);
  std::vector<std::chrono::steady_clock::time_point> until(servers_.size());
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (servers_[i].resting) until[i] = servers_[i].rest_until;
  }
  // Those that answer in the configured order, then the others, the one that rests shortest first.
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return until[a] < until[b]; });
  return order;
}

void Pool::Report(std::size_t server, bool answers) {
  MutexLock lock(mutex_);
  Server& s = servers_[server];
  s.resting = !answers;
  if (answers) {
    s.pause = std::chrono::seconds(0);
    return;
  }
  s.pause = s.pause.count() == 0 ? kLeastPause : std::min(s.pause * 2, kMostPause);
  s.rest_until = options_.clock->Steady() + s.pause;
}

Result<Pool::Lease> Pool::AwaitPlace(const std::vector<bool>& tried, const Deadline& deadline) {
  std::vector<Idle> dropped;
  MutexLock lock(mutex_);
  for (;;) {
    if (deadline.Cancelled()) return IoError("cancelled", EINTR);
    if (in_use_ < config_.connections) break;
    if (deadline.Passed()) {
      return Error(Code::kTimeout, "all connections to the key servers stayed in use");
    }
    place_free_.WaitFor(mutex_, std::min(deadline.Left(), std::chrono::milliseconds(200)));
  }
  ++in_use_;
  WantProbes();
  Lease lease;
  for (const std::size_t server : Order()) {
    if (tried[server]) continue;
    lease.connection = TakeIdle(server, dropped);
    lease.server = server;
    lease.kept = lease.connection != nullptr;
    break;  // a better server is worth a new connection
  }
  return lease;
}

void Pool::Leave() {
  MutexLock lock(mutex_);
  --in_use_;
  place_free_.NotifyOne();
}

std::unique_ptr<Connection> Pool::TakeIdle(std::size_t server, std::vector<Idle>& dropped) {
  const auto oldest = options_.clock->Steady() - config_.idle_timeout;
  for (std::size_t i = idle_.size(); i-- > 0;) {
    const bool old = idle_[i].since < oldest;
    if (!old && idle_[i].server != server) continue;
    Idle taken = std::move(idle_[i]);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
    if (!old && taken.connection->StillOpen()) return std::move(taken.connection);
    dropped.push_back(std::move(taken));
  }
  return nullptr;
}

Result<Pool::Lease> Pool::Borrow(std::vector<bool>& tried, const Deadline& deadline) {
  Lease lease = TRY(AwaitPlace(tried, deadline));
  if (lease.kept) return lease;
  std::vector<std::size_t> order;
  {
    MutexLock lock(mutex_);
    order = Order();
  }
  Error last(Code::kUnavailable, "no key server is left to try");
  std::string failures;
  auto untried = std::count(tried.begin(), tried.end(), false);
  for (const std::size_t server : order) {
    if (tried[server]) continue;
    const Deadline share = untried-- > 1 ? deadline.Within(deadline.Left() / 2) : deadline;
    auto opened =
        Connection::Open(tls_, config_.servers[server], share.Within(config_.connect_timeout));
    if (opened) return Lease{*std::move(opened), server, false};
    last = std::move(opened).error();
    tried[server] = true;
    if (!AnotherMayHelp(last)) break;
    Report(server, false);
    failures += (failures.empty() ? "" : "; ") + last.message;
    if (deadline.Passed()) break;
  }
  Leave();
  if (!failures.empty() && AnotherMayHelp(last)) last.message = failures;
  return last;
}

void Pool::GiveBack(Lease lease) {
  Report(lease.server, true);
  Keep(std::move(lease));
}

void Pool::Keep(Lease lease) {
  std::vector<Idle> dropped;  // closed after the lock is given up
  MutexLock lock(mutex_);
  --in_use_;
  // Those that are idle and those in use are never more than the limit together.
  while (!idle_.empty() && idle_.size() + in_use_ >= config_.connections) {
    dropped.push_back(std::move(idle_.front()));
    idle_.erase(idle_.begin());
  }
  idle_.push_back({std::move(lease.connection), lease.server, options_.clock->Steady()});
  place_free_.NotifyOne();
}

void Pool::WantProbes() {
  const auto rests = [](const Server& server) { return server.resting; };
  if (std::all_of(servers_.begin(), servers_.end(), rests)) return;  // calls try them anyway
  const auto now = options_.clock->Steady();
  bool wanted = false;
  for (Server& server : servers_) {
    if (!server.resting || server.rest_until > now || server.probe != Server::Probe::kNone)
      continue;
    server.probe = Server::Probe::kWanted;
    wanted = true;
  }
  if (!wanted) return;
  if (!prober_.joinable()) {
    try {
      prober_ = std::jthread([this] { ProbeUntilEnd(); });
    } catch (const std::system_error&) {
      // No thread to be had: the servers rest on, and a later call asks again.
      for (Server& server : servers_) server.probe = Server::Probe::kNone;
    }
  }
  probe_wanted_.NotifyOne();
}

void Pool::ProbeUntilEnd() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // they are for the program's own threads
  while (const std::optional<std::size_t> server = AwaitProbe()) Probe(*server);
}

std::optional<std::size_t> Pool::AwaitProbe() {
  MutexLock lock(mutex_);
  for (;;) {
    if (ending_) return std::nullopt;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      if (servers_[i].probe != Server::Probe::kWanted) continue;
      servers_[i].probe = Server::Probe::kUnderWay;
      return i;
    }
    probe_wanted_.Wait(mutex_);
  }
}

bool Pool::TakePlace() {
  MutexLock lock(mutex_);
  if (in_use_ >= config_.connections) return false;
  ++in_use_;
  return true;
}

// False when it said nothing, or when all places are taken: a later call wants it again.
bool Pool::AnswersProbe(std::size_t server) {
  if (!TakePlace()) return false;
  const Deadline deadline(config_.connect_timeout, &ending_);
  auto opened = Connection::Open(tls_, config_.servers[server], deadline);
  if (opened && (*opened)->Exchange(options_.probe, options_.limits, deadline)) {
    Keep({*std::move(opened), server, false});
    return true;
  }
  opened = Error(Code::kUnavailable, "closed before its place is given up");
  Leave();
  Report(server, false);
  return false;
}

void Pool::Probe(std::size_t server) {
  const bool answers = AnswersProbe(server);
  MutexLock lock(mutex_);
  servers_[server].probe = Server::Probe::kNone;
  // On probation: the length of its rests is forgotten when it answers a call.
  if (answers) servers_[server].resting = false;
}

// How far one Exchange has come.
struct Pool::Course {
  Deadline deadline;
  std::vector<bool> tried;  // servers not to be asked again while others are left
  std::size_t tries_left;
  bool unknown = false;                // a server may have done it
  bool kept_died = false;              // once: a connection that may have been dead before
  std::optional<WipingBytes> failure;  // a server's word that it failed, should no other do better
};

Result<std::optional<WipingBytes>> Pool::Try(const Question& question, Course& course) {
  Lease lease = TRY(Borrow(course.tried, course.deadline));
  --course.tries_left;
  const bool may_repeat = !question.again.empty() && course.tries_left > 0;
  // A try leaves time for the next one.
  const Deadline until = may_repeat && config_.servers.size() > 1
                             ? course.deadline.Within(course.deadline.Left() / 2)
                             : course.deadline;
  const ByteView message = course.unknown ? question.again : question.message;
  messages_.fetch_add(1, std::memory_order_relaxed);
  Result<WipingBytes> answer = lease.connection->Exchange(message, options_.limits, until);
  const bool several = config_.servers.size() > 1;
  if (answer) {
    const std::size_t server = lease.server;
    const bool failed = options_.failed != nullptr && options_.failed(*answer);
    if (!failed) {
      GiveBack(std::move(lease));
      return std::optional(std::move(*answer));
    }
    Keep(std::move(lease));
    Report(server, false);
    if (!may_repeat || !several) return std::optional(std::move(*answer));
    course.unknown = true;
    course.tried[server] = true;
    course.failure = std::move(*answer);
    return std::optional<WipingBytes>();
  }
  const bool unsent = lease.connection->nothing_sent();
  const bool kept = lease.kept;
  const std::size_t server = lease.server;
  lease.connection.reset();
  Leave();
  Error error = std::move(answer).error();
  if (!AnotherMayHelp(error)) return error;
  course.unknown |= !unsent;
  // A kept connection that died tells nothing about its server; one on which nothing comes does.
  const bool to_blame = !kept || error.code == Code::kTimeout;
  if (to_blame) Report(server, false);
  if (to_blame && several) course.tried[server] = true;
  if (!to_blame && !std::exchange(course.kept_died, true)) ++course.tries_left;
  const bool again = unsent ? course.tries_left > 0 : !question.again.empty();
  if (!again || course.tries_left == 0 || course.deadline.Passed()) return error;
  return std::optional<WipingBytes>();
}

Result<Reply> Pool::Exchange(const Question& question, const Deadline& deadline) {
  // Each server once, and a single one twice.
  const std::size_t servers = config_.servers.size();
  Course course{.deadline = deadline,
                .tried = std::vector<bool>(servers, false),
                .tries_left = std::max<std::size_t>(servers, 2)};
  for (;;) {
    const bool repeated = course.unknown;
    Result<std::optional<WipingBytes>> answer = Try(question, course);
    if (answer && *answer) return Reply{std::move(**answer), repeated};
    if (answer) continue;
    if (course.failure) return Reply{std::move(*course.failure), repeated};
    Error error = std::move(answer).error();
    if (course.unknown && question.changes && AnotherMayHelp(error)) {
      error.message += "; it is not known whether the operation was carried out";
    }
    return error;
  }
}

std::size_t Pool::Preferred() const {
  MutexLock lock(mutex_);
  return Order().front();
}

Result<Pool::Own> Pool::ConnectToPreferred(const Deadline& deadline) {
  const std::size_t server = Preferred();
  auto opened =
      Connection::Open(tls_, config_.servers[server], deadline.Within(config_.connect_timeout));
  if (opened) return Own{*std::move(opened), server};
  if (AnotherMayHelp(opened.error())) Report(server, false);
  return std::move(opened).error();
}

Result<std::unique_ptr<Connection>> Pool::Connect(const Endpoint& endpoint) {
  return Connection::Open(tls_, endpoint, NewDeadline().Within(config_.connect_timeout));
}

}  // namespace dare::client
