#include "audit/syslog_witness.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/json.hpp>
#include <cstring>

#include "audit/signed_log_for_test.h"

namespace dare::audit {
namespace {

using testing::StartsWith;

class SyslogWitnessTest : public SignedLogTest {
 protected:
  // One text for one test: each signature is another.
  const std::string& Sample() {
    if (sample_.empty())
      sample_ = key_.Sign({.origin = OriginOf("kms-1"),
                           .size = 7,
                           .root = HashOfLeaf("x"),
                           .time = 1'700'000'000,
                           .last_line = HashOf("last")});
    return sample_;
  }
  // A socket on the loopback interface, at a port that is free.
  static FileDescriptor Listen(int type, std::string& port) {
    FileDescriptor socket(::socket(AF_INET, type, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket.get(), plain, size), 0);
    EXPECT_EQ(::getsockname(socket.get(), plain, &size), 0);
    EXPECT_TRUE(type != SOCK_STREAM || ::listen(socket.get(), 1) == 0);
    port = std::to_string(ntohs(address.sin_port));
    return socket;
  }
  static std::string Receive(const FileDescriptor& socket) {
    std::string all(8192, '\0');
    std::size_t size = 0;
    ssize_t n = 0;
    do {  // a stream to its end; of datagrams one
      n = ::recv(socket.get(), all.data() + size, all.size() - size, 0);
      size += static_cast<std::size_t>(n < 0 ? 0 : n);
      int type = 0;
      socklen_t length = sizeof type;
      ::getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &type, &length);
      if (type == SOCK_DGRAM) break;
    } while (n > 0);
    all.resize(size);
    return all;
  }
  static Result<void> Tell(const std::string& place, const std::string& text) {
    const auto witness = MakeWitness(place);
    EXPECT_TRUE(witness.has_value()) << witness.error().message;
    EXPECT_EQ((*witness)->name(), place);
    return (*witness)->Record(text);
  }

  std::string sample_;
};

TEST_F(SyslogWitnessTest, AMessageGivesTheCheckpointBack) {
  const auto message = SyslogMessage(Sample());
  ASSERT_TRUE(message.has_value());
  const std::string head = "<109>1 2023-11-14T22:13:20Z kms-1 dare-kms - checkpoint - ";
  ASSERT_THAT(*message, StartsWith(head));
  for (const char c : *message) EXPECT_TRUE(c >= 0x20 && c < 0x7F);
  const auto object = boost::json::parse(message->substr(head.size()));
  EXPECT_EQ(object.at("checkpoint").as_string(), Sample());
  EXPECT_EQ(SyslogMessage("nonsense").error().code, Code::kMalformed);
}

TEST_F(SyslogWitnessTest, GoesOverUdp) {
  std::string port;
  const FileDescriptor socket = Listen(SOCK_DGRAM, port);
  ASSERT_TRUE(Tell("syslog:udp:127.0.0.1:" + port, Sample()).has_value());
  EXPECT_EQ(Receive(socket), *SyslogMessage(Sample()));
}

TEST_F(SyslogWitnessTest, GoesOverTcpWithItsLength) {
  std::string port;
  const FileDescriptor socket = Listen(SOCK_STREAM, port);
  ASSERT_TRUE(Tell("syslog:tcp:127.0.0.1:" + port, Sample()).has_value());
  const FileDescriptor accepted(::accept(socket.get(), nullptr, nullptr));
  const std::string message = *SyslogMessage(Sample());
  EXPECT_EQ(Receive(accepted), std::to_string(message.size()) + " " + message);
}

TEST_F(SyslogWitnessTest, GoesToAUnixSocketAndSaysWhenThereIsNone) {
  const std::string path = folder_ + "/log";
  EXPECT_FALSE(Tell("syslog:unix:" + path, Sample()).has_value());
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_TRUE(Tell("syslog:unix:" + path, Sample()).has_value());
  EXPECT_EQ(Receive(socket), *SyslogMessage(Sample()));
}

TEST_F(SyslogWitnessTest, OtherPlacesAreRefused) {
  for (const char* place :
       {"syslog:", "syslog:unix:relative", "syslog:udp:", "syslog:udp:host", "syslog:udp::514",
        "syslog:tcp:host:", "syslog:tcp:host:http", "syslog:sctp:host:514"}) {
    EXPECT_EQ(MakeWitness(place).error().code, Code::kInvalidArgument) << place;
  }
  EXPECT_TRUE(MakeWitness("syslog:udp:[::1]:514").has_value());
}

}  // namespace
}  // namespace dare::audit
