#include "store/postgres_server_for_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"

namespace dare::store {
namespace {

using Words = std::vector<std::string>;

struct Account {
  uid_t uid;
  gid_t gid;
};

// Whom root lends the server to.
Account Unprivileged() {
  for (const char* name : {"postgres", "nobody"}) {
    if (const passwd* found = ::getpwnam(name)) return {found->pw_uid, found->pw_gid};
  }
  return {65534, 65534};
}

std::string FindPrograms() {
  if (const char* named = ::getenv("DARE_POSTGRES_BIN")) return named;
  std::string newest;
  std::error_code ignored;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
    const std::string bin = version.path().string() + "/bin";
    if (std::filesystem::exists(bin + "/initdb") && bin > newest) newest = bin;
  }
  return newest;
}

// In the child: as the unprivileged user, in a process group of its own, its output in `log`.
[[noreturn]] void Become(const Words& words, const std::string& log) {
  ::setpgid(0, 0);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  if (::geteuid() == 0) {
    const Account account = Unprivileged();
    if (::setgroups(0, nullptr) != 0 || ::setgid(account.gid) != 0 || ::setuid(account.uid) != 0) {
      ::_exit(126);
    }
  }
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  ::setenv("LC_ALL", "C", 1);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

pid_t Spawn(const Words& words, const std::string& log) {
  const pid_t child = ::fork();
  if (child == 0) Become(words, log);
  return child;
}

// Until a server answers, or has ended.
constexpr std::chrono::seconds kPatience{60};

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  std::string state;
  std::string start;  // tells it from a later one of its number
};

// proc(5), `stat`.
std::optional<Process> FindProcess(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string word;
  while (word.empty() || word.back() != ')') {  // the command, which may have spaces
    if (!(stat >> word)) return std::nullopt;
  }
  Process process{.pid = pid};
  stat >> process.state >> process.parent;
  for (int field = 5; field <= 22; ++field) stat >> process.start;
  return process;
}

std::vector<Process> ChildrenOf(pid_t parent) {
  std::vector<Process> children;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto process = FindProcess(std::stoi(name));
    if (process && process->parent == parent) children.push_back(*process);
  }
  return children;
}

// Whether it still holds anything: a zombie does not.
bool Runs(const Process& process) {
  const auto now = FindProcess(process.pid);
  return now && now->start == process.start && now->state != "Z" && now->state != "X";
}

std::string ReadText(const std::string& path) {
  const auto text = ReadFile(path, 1u << 20);
  return text ? std::string(AsText(*text)) : std::string();
}

Result<void> Run(const Words& words, const std::string& log) {
  const pid_t child = Spawn(words, log);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error(Code::kIo, words.front() + " failed: " + ReadText(log));
}

int FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

std::string* g_why_not = new std::string;  // NOLINT: for the whole program

}  // namespace

Result<std::unique_ptr<PostgresServerForTest>> PostgresServerForTest::Start(Transport transport) {
  std::unique_ptr<PostgresServerForTest> server(new PostgresServerForTest(transport));
  TRY(server->Initialise());
  TRY(server->StartAgain());
  return server;
}

PostgresServerForTest* PostgresServerForTest::Shared() {
  static const std::unique_ptr<PostgresServerForTest> shared = [] {
    auto started = Start();
    if (!started) *g_why_not = started.error().message;
    return started ? std::move(*started) : nullptr;
  }();
  return shared.get();
}

const std::string& PostgresServerForTest::WhyNot() { return *g_why_not; }

Result<void> PostgresServerForTest::Initialise() {
  programs_ = FindPrograms();
  if (programs_.empty()) return Error(Code::kNotFound, "no PostgreSQL server is installed");
  std::string folder = (std::filesystem::temp_directory_path() / "postgres-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return IoError("cannot make a folder", errno);
  folder_ = folder;
  if (::geteuid() == 0) {
    const Account account = Unprivileged();
    if (::chown(folder.c_str(), account.uid, account.gid) != 0) return IoError(folder, errno);
  }
  TRY(Run({programs_ + "/initdb", "-D", folder_ + "/data", "-U", "dare", "-A", "trust", "-E",
           "UTF8", "--locale=C", "--no-sync"},
          folder_ + "/initdb.log"));
  if (transport_ == Transport::kSocket) return {};
  port_ = FreePort();
  return MakeCertificates();
}

Result<void> PostgresServerForTest::MakeCertificates() const {
  const std::string log = folder_ + "/openssl.log";
  const Words key = {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"};
  Words ca = {"/usr/bin/openssl",
              "req",
              "-x509",
              "-days",
              "2",
              "-subj",
              "/CN=database CA",
              "-keyout",
              folder_ + "/ca.key",
              "-out",
              folder_ + "/ca.pem"};
  ca.insert(ca.end(), key.begin(), key.end());
  TRY(Run(ca, log));
  Words leaf = {"/usr/bin/openssl",
                "req",
                "-x509",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-CA",
                folder_ + "/ca.pem",
                "-CAkey",
                folder_ + "/ca.key",
                "-keyout",
                folder_ + "/server.key",
                "-out",
                folder_ + "/server.pem"};
  leaf.insert(leaf.end(), key.begin(), key.end());
  // `openssl req -CA` came with OpenSSL 3.0, which is what we build on.
  return Run(leaf, log);
}

Result<void> PostgresServerForTest::StartAgain() {
  Words words = {programs_ + "/postgres", "-D", folder_ + "/data", "-k", folder_, "-p",
                 std::to_string(port_), "-c", "max_connections=100",
                 // What a test kills comes back by itself; only a power failure needs the disk.
                 "-c", "fsync=off"};
  if (transport_ == Transport::kSocket) {
    words.insert(words.end(), {"-c", "listen_addresses="});
  } else {
    words.insert(words.end(), {"-c", "listen_addresses=127.0.0.1", "-c", "ssl=on", "-c",
                               "ssl_cert_file=" + folder_ + "/server.pem", "-c",
                               "ssl_key_file=" + folder_ + "/server.key"});
  }
  postmaster_ = Spawn(words, folder_ + "/server.log");
  return AwaitAnswer();
}

Result<void> PostgresServerForTest::AwaitAnswer() const {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (Execute("SELECT 1")) return {};
    int status = 0;
    if (::waitpid(postmaster_, &status, WNOHANG) == postmaster_) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return Error(Code::kUnavailable,
               "PostgreSQL did not start: " + ReadText(folder_ + "/server.log"));
}

Result<std::string> PostgresServerForTest::Execute(const std::string& sql) const {
  const std::string out = folder_ + "/psql.out";
  std::filesystem::remove(out);
  TRY(Run({programs_ + "/psql", "-X", "-q", "-A", "-t", "-h", folder_, "-p", std::to_string(port_),
           "-U", "dare", "-v", "ON_ERROR_STOP=1", "-c", sql, "postgres"},
          out));
  std::string text = ReadText(out);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string PostgresServerForTest::NewSchema() { return Schema("s" + std::to_string(++schemas_)); }

std::string PostgresServerForTest::Schema(const std::string& name) {
  (void)Execute("CREATE SCHEMA IF NOT EXISTS " + name);
  return Connection(name);
}

std::string PostgresServerForTest::Connection(const std::string& schema) const {
  const std::string where =
      transport_ == Transport::kSocket ? "host=" + folder_ : std::string("host=localhost");
  return where + " port=" + std::to_string(port_) +
         " dbname=postgres user=dare options='-c search_path=" + schema + "'";
}

void PostgresServerForTest::Signal(int signal) const {
  // Each of its processes leads a session of its own.
  for (const Process& child : ChildrenOf(postmaster_)) ::kill(child.pid, signal);
  ::kill(postmaster_, signal);
}

void PostgresServerForTest::Kill() {
  if (postmaster_ == 0) return;
  ::kill(postmaster_, SIGSTOP);  // no more children than those
  const std::vector<Process> children = ChildrenOf(postmaster_);
  ::kill(postmaster_, SIGKILL);
  ::waitpid(postmaster_, nullptr, 0);
  postmaster_ = 0;
  // They see it and end by themselves; until they have, no server starts again.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::ranges::any_of(children, Runs) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

void PostgresServerForTest::Freeze() { Signal(SIGSTOP); }
void PostgresServerForTest::Thaw() { Signal(SIGCONT); }

PostgresServerForTest::~PostgresServerForTest() {
  if (postmaster_ != 0) {
    Thaw();
    ::kill(postmaster_, SIGQUIT);
    ::waitpid(postmaster_, nullptr, 0);
  }
  if (!folder_.empty()) std::filesystem::remove_all(folder_);
}

}  // namespace dare::store
