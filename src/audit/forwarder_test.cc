#include "audit/forwarder.h"

#include <gmock/gmock.h>

#include <chrono>

#include "audit/collector_for_test.h"
#include "audit/signed_log_for_test.h"

namespace dare::audit {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class ForwarderTest : public SignedLogTest {
 protected:
  ForwarderTest() {
    forwarding_.folder = options_.folder;
    forwarding_.node = "kms-1";
    forwarding_.look = forwarding_.retry = std::chrono::milliseconds(2);
  }
  std::unique_ptr<Forwarder> Start(AuditLog& log, const std::string& kind, std::uint16_t port) {
    forwarding_.place = kind + ":127.0.0.1:" + std::to_string(port);
    auto made = Forwarder::Start(forwarding_, log);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return *std::move(made);
  }
  // Waits until it is so; the test's own time limit ends what never comes.
  template <typename Condition>
  static void Await(const Forwarder& forwarder, Condition condition) {
    while (!condition(forwarder.status())) std::this_thread::yield();
  }

  ForwarderOptions forwarding_;
};

TEST_F(ForwarderTest, AnEntryIsAMessageOfRfc5424WithItsLineInIt) {
  Write(*OpenLog(), 1);
  std::string line = Lines()[0];
  const std::string time = line.substr(line.find("\"time\":\"") + 8, 20);
  EXPECT_EQ(*SyslogEntry(line, "kms-1"), "<110>1 " + time + " kms-1 dare-kms - audit - " + line);
  std::string denied = line, failed = line;
  denied.replace(denied.find("allowed"), 7, "denied");
  failed.replace(failed.find("allowed"), 7, "failed");
  EXPECT_THAT(*SyslogEntry(denied, "kms-1"), StartsWith("<108>1 "));
  EXPECT_THAT(*SyslogEntry(failed, "kms-1"), StartsWith("<109>1 "));
  EXPECT_EQ(SyslogEntry("nonsense", "kms-1").error().code, Code::kDamaged);
}

TEST_F(ForwarderTest, SendsEachNewEntryOnceOverUdp) {
  const CollectorForTest collector(SOCK_DGRAM);
  const auto log = OpenLog();
  Write(*log, 3);  // from before it was first configured
  const auto forwarder = Start(*log, "udp", collector.port());
  Write(*log, 5);
  const auto lines = Lines();
  for (std::size_t i = 3; i < lines.size(); ++i) {
    EXPECT_THAT(collector.Datagram(), EndsWith(" audit - " + lines[i]));
  }
  Await(*forwarder, [](const auto& status) { return status.sent == 8; });
  EXPECT_EQ(forwarder->status().lost, 0u);
}

TEST_F(ForwarderTest, WaitsForACollectorThatIsAwayAndLosesNothing) {
  std::uint16_t port = 0;
  {
    const CollectorForTest nobody(SOCK_STREAM);
    port = nobody.port();
  }
  const auto log = OpenLog();
  const auto forwarder = Start(*log, "tcp", port);
  Write(*log, 20);
  Await(*forwarder, [](const auto& status) { return status.failure.has_value(); });
  const CollectorForTest collector(SOCK_STREAM, port);
  const FileDescriptor stream = collector.Accept();
  const auto lines = Lines();
  for (const std::string& line : lines) {
    EXPECT_THAT(CollectorForTest::Message(stream), EndsWith(" audit - " + line));
  }
  Await(*forwarder, [](const auto& status) { return !status.failure && status.sent == 20; });
  EXPECT_EQ(forwarder->status().lost, 0u);
}

TEST_F(ForwarderTest, ConnectsAnewWhenTheCollectorClosed) {
  const CollectorForTest collector(SOCK_STREAM);
  const auto log = OpenLog();
  const auto forwarder = Start(*log, "tcp", collector.port());
  for (int round = 0; round < 3; ++round) {
    Write(*log, 2);
    const FileDescriptor stream = collector.Accept();
    for (std::size_t i = Lines().size() - 2; i < Lines().size(); ++i) {
      EXPECT_THAT(CollectorForTest::Message(stream), EndsWith(Lines()[i])) << round;
    }
  }
  EXPECT_EQ(forwarder->status().lost, 0u);
}

TEST_F(ForwarderTest, WhatIsTooFarBehindIsCountedAndTheCollectorIsTold) {
  std::uint16_t port = 0;
  {
    const CollectorForTest nobody(SOCK_STREAM);
    port = nobody.port();
  }
  forwarding_.most_behind = 5;
  const auto log = OpenLog();
  const auto forwarder = Start(*log, "tcp", port);
  Write(*log, 30);
  Await(*forwarder, [](const auto& status) { return status.lost == 25 && status.failure; });
  const CollectorForTest collector(SOCK_STREAM, port);
  const FileDescriptor stream = collector.Accept();
  const std::string told = CollectorForTest::Message(stream);
  EXPECT_THAT(told, HasSubstr(" kms-1 dare-kms - audit-lost - {\"lost\":25,"));
  EXPECT_THAT(told, HasSubstr("25 entries before entry 26 were not sent"));
  const auto lines = Lines();
  for (std::size_t i = 25; i < lines.size(); ++i) {
    EXPECT_THAT(CollectorForTest::Message(stream), EndsWith(lines[i]));
  }
  Await(*forwarder, [](const auto& status) { return status.sent == 30; });
  EXPECT_EQ(forwarder->status().lost, 25u);
}

TEST_F(ForwarderTest, GoesOnAfterARestartWithWhatWasNotSent) {
  const CollectorForTest collector(SOCK_DGRAM);
  {
    const auto log = OpenLog();
    const auto forwarder = Start(*log, "udp", collector.port());
    Write(*log, 2);
  }
  Write(*OpenLog(), 3);  // while nothing was sent
  const auto log = OpenLog();
  const auto forwarder = Start(*log, "udp", collector.port());
  for (const std::string& line : Lines()) EXPECT_THAT(collector.Datagram(), EndsWith(line));
  Await(*forwarder, [](const auto& status) { return status.sent == 5; });
}

TEST_F(ForwarderTest, RefusesAPlaceThatIsNone) {
  const auto log = OpenLog();
  for (const char* place : {"", "udp:host", "tcp:host:http", "file:/x", "unix:relative"}) {
    forwarding_.place = place;
    EXPECT_EQ(Forwarder::Start(forwarding_, *log).error().code, Code::kInvalidArgument) << place;
  }
}

}  // namespace
}  // namespace dare::audit
