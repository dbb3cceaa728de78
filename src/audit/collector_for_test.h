#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "base/file.h"

namespace dare::audit {

// A syslog collector on the loopback interface: a socket at a port that is free, or at `port`.
class CollectorForTest {
 public:
  explicit CollectorForTest(int type, std::uint16_t port = 0)
      : socket_(::socket(AF_INET, type, 0)) {
    const int on = 1;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const timeval patience{20, 0};  // a test that waits in vain ends
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), plain, size), 0);
    EXPECT_EQ(::getsockname(socket_.get(), plain, &size), 0);
    EXPECT_TRUE(type != SOCK_STREAM || ::listen(socket_.get(), 4) == 0);
    port_ = ntohs(address.sin_port);
  }
  std::uint16_t port() const { return port_; }
  const FileDescriptor& socket() const { return socket_; }
  // The next connection.
  FileDescriptor Accept() const {
    FileDescriptor accepted(::accept(socket_.get(), nullptr, nullptr));
    EXPECT_TRUE(accepted) << "nobody connects";
    const timeval patience{20, 0};
    ::setsockopt(accepted.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return accepted;
  }
  std::string Datagram() const {
    std::string all(65536, '\0');
    const ssize_t n = ::recv(socket_.get(), all.data(), all.size(), 0);
    EXPECT_GT(n, 0) << "nothing comes";
    all.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return all;
  }
  // The next message of a stream, by its length; empty at the end.
  static std::string Message(const FileDescriptor& stream) {
    std::size_t size = 0;
    char c = 0;
    while (::recv(stream.get(), &c, 1, 0) == 1 && c >= '0' && c <= '9') {
      size = size * 10 + static_cast<std::size_t>(c - '0');
    }
    std::string all(size, '\0');
    const ssize_t n = ::recv(stream.get(), all.data(), size, MSG_WAITALL);
    all.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return all;
  }

 private:
  FileDescriptor socket_;
  std::uint16_t port_ = 0;
};

}  // namespace dare::audit
