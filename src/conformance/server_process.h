#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace dare::conformance {

// A ServerProcess is a server that the judge started with a command and ends by its process id. The
// command says where it listens, in lines of its output: "listening kmip HOST:PORT" and
// "listening https HOST:PORT". One thread.
class ServerProcess {
 public:
  // Runs `command` with /bin/sh and waits until it has said both that are needed. kUnavailable when
  // it ends before or says nothing for a minute.
  static Result<std::unique_ptr<ServerProcess>> Start(const std::string& command, bool needs_https);
  // Asks it to end (SIGTERM), after ten seconds makes it (SIGKILL), and waits.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::string& kmip() const { return kmip_; }    // "127.0.0.1:40123"
  const std::string& https() const { return https_; }  // the same
 private:
  ServerProcess(int pid, int output) : pid_(pid), output_(output) {}
  Result<void> AwaitAddresses(bool needs_https);
  void TakeLine(const std::string& line);

  const int pid_;
  int output_;
  std::string kmip_;
  std::string https_;
};

}  // namespace dare::conformance
