#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace dare::store {

// A PostgreSQL server of a test's own: in a temporary folder, on a socket in that folder, or with
// TLS on a free port of the loopback. As root it runs as an unprivileged user, which is what
// PostgreSQL wants. Ended, and its folder removed, by the destructor.
class PostgresServerForTest {
 public:
  enum class Transport { kSocket, kTls };
  // kNotFound where no PostgreSQL is installed.
  static Result<std::unique_ptr<PostgresServerForTest>> Start(
      Transport transport = Transport::kSocket);
  ~PostgresServerForTest();

  // The one that a whole test program shares, made at the first call; null where there is none,
  // which the reason says.
  static PostgresServerForTest* Shared();
  static const std::string& WhyNot();

  // A connection string for a schema that nobody used yet. Safe characters only.
  std::string NewSchema();
  // The same for one of this name, which is made where it does not exist.
  std::string Schema(const std::string& name);
  // The same for one that exists.
  std::string Connection(const std::string& schema) const;
  // SQL as the superuser, by psql; its output.
  Result<std::string> Execute(const std::string& sql) const;

  // The authority of the server's certificate, which is for "localhost". Only with TLS.
  std::string ca_file() const { return folder_ + "/ca.pem"; }
  int port() const { return port_; }

  // SIGKILL for the postmaster, and waits until its children are gone, too.
  void Kill();
  // Starts it again in the same folder; waits until it answers.
  Result<void> StartAgain();
  // Freezes (and wakes) all its processes: a server that does not answer.
  void Freeze();
  void Thaw();

 private:
  explicit PostgresServerForTest(Transport transport) : transport_(transport) {}
  Result<void> Initialise();
  Result<void> MakeCertificates() const;
  Result<void> AwaitAnswer() const;
  void Signal(int signal) const;

  const Transport transport_;
  std::string programs_;  // the folder of initdb and postgres
  std::string folder_;
  int port_ = 5432;
  int schemas_ = 0;
  pid_t postmaster_ = 0;
};

}  // namespace dare::store
