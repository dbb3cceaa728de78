#include "client/kms_client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <future>
#include <thread>

#include "base/eventually_for_test.h"
#include "client/key_server_for_test.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/rng_retrieve.h"
#include "kmip/tags.h"

namespace dare::client {
namespace {

using kmip::Operation;
using kmip::ProtocolVersion;
using kmip::Tag;
using Answer = KeyServerForTest::Answer;

// Answers RNG Retrieve and Activate as a good server does.
Answer Good(const kmip::RequestItem& item, ProtocolVersion version) {
  return KeyServerForTest::Success(item.operation, version, [&](ttlv::Writer& out) {
    if (item.operation == Operation::kActivate) {
      out.Text(Tag::kUniqueIdentifier, "id");
    } else {
      out.ByteString(Tag::kData, Bytes(4, 7));
    }
  });
}

Answer Hangup(const kmip::RequestItem&, ProtocolVersion) { return std::nullopt; }

// Accepts connections, and that is all it ever does.
class BlackHole {
 public:
  BlackHole() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    socklen_t size = sizeof address_;
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address_), size), 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size), 0);
  }
  ~BlackHole() {
    connections();
    for (const int socket : accepted_) ::close(socket);
    ::close(listener_);
  }
  Endpoint endpoint() const { return {"127.0.0.1", ntohs(address_.sin_port)}; }
  // So far.
  std::size_t connections() {
    for (;;) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 0) != 1) return accepted_.size();
      accepted_.push_back(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
    }
  }

 private:
  const int listener_;
  sockaddr_in address_{};
  std::vector<int> accepted_;
};

class KmsClientTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(1 << 18)); }

  static Result<kmip::RngRetrieveResponse> Random(KmsClient& client) {
    return client.Call<kmip::RngRetrieveResponse>(kmip::RngRetrieveRequest{.length = 4});
  }
  static Result<kmip::ActivateResponse> Activate(KmsClient& client) {
    return client.Call<kmip::ActivateResponse>(kmip::ActivateRequest{.id = kmip::Identifier("id")});
  }
  static std::unique_ptr<KmsClient> ClientOf(const Config& config,
                                             const std::atomic<bool>* cancelled = nullptr,
                                             const Clock& clock = SystemClock::Get()) {
    auto client = KmsClient::Create(config, cancelled, clock);
    EXPECT_TRUE(client) << client.error().message;
    return *std::move(client);
  }
};

TEST_F(KmsClientTest, KeepsOneConnectionForManyCalls) {
  KeyServerForTest server(&Good);
  const auto client = ClientOf(ConfigForTest({server.endpoint()}));
  for (int i = 0; i < 20; ++i) {
    const auto answer = Random(*client);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->data, WipingBytes(4, 7));
  }
  EXPECT_EQ(server.accepted(), 1);
  EXPECT_EQ(server.requests(), 20);
}

TEST_F(KmsClientTest, SpeaksTheConfiguredVersion) {
  ProtocolVersion seen{};
  KeyServerForTest server([&](const kmip::RequestItem& item, ProtocolVersion version) {
    seen = version;
    return Good(item, version);
  });
  Config config = ConfigForTest({server.endpoint()});
  config.kmip_version = kmip::kVersion1_2;
  EXPECT_TRUE(Random(*ClientOf(config)));
  EXPECT_EQ(seen, kmip::kVersion1_2);
}

TEST_F(KmsClientTest, ADenialIsFinalAndNamesItsReason) {
  const auto deny = [](const kmip::RequestItem& item, ProtocolVersion version) {
    return Answer(KeyServerForTest::Failure(
        item.operation, version, kmip::ResultReason::kPermissionDenied, "not \x1b[31myours"));
  };
  KeyServerForTest first(deny);
  KeyServerForTest second(&Good);
  const auto client = ClientOf(ConfigForTest({first.endpoint(), second.endpoint()}));
  const auto answer = Random(*client);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kDenied);
  EXPECT_EQ(answer.error().detail,
            static_cast<std::uint64_t>(kmip::ResultReason::kPermissionDenied));
  EXPECT_EQ(answer.error().message,
            "the key server refused RNG Retrieve: Permission Denied (not ?[31myours)");
  EXPECT_EQ(first.requests(), 1);
  EXPECT_EQ(second.accepted(), 0);
}

TEST_F(KmsClientTest, AKeptConnectionThatDiedIsReplaced) {
  KeyServerForTest server(&Good);
  const auto client = ClientOf(ConfigForTest({server.endpoint()}));
  ASSERT_TRUE(Activate(*client));
  server.Drop();
  const auto answer = Activate(*client);  // it was never sent
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(server.accepted(), 2);
  EXPECT_EQ(server.requests(), 2);
}

TEST_F(KmsClientTest, FailsOverAndRemembersWhoDidNotAnswer) {
  KeyServerForTest broken(&Hangup);
  KeyServerForTest good(&Good);
  const auto client = ClientOf(ConfigForTest({broken.endpoint(), good.endpoint()}));
  for (int i = 0; i < 3; ++i) {
    const auto answer = Random(*client);
    ASSERT_TRUE(answer) << answer.error().message;
  }
  EXPECT_EQ(broken.requests(), 1);
  EXPECT_EQ(good.requests(), 3);
}

TEST_F(KmsClientTest, ABlackHoleCostsOneCallAndNoLaterOne) {
  BlackHole hole;
  KeyServerForTest good(&Good);
  Config config = ConfigForTest({hole.endpoint(), good.endpoint()});
  config.connect_timeout = std::chrono::milliseconds(100);
  config.idle_timeout = std::chrono::hours(24 * 365);
  ManualClockForTest clock;
  const auto client = ClientOf(config, nullptr, clock);
  for (int i = 0; i < 50; ++i) {
    const auto answer = Random(*client);
    ASSERT_TRUE(answer) << answer.error().message;
  }
  EXPECT_EQ(hole.connections(), 1u);
  // From now on it is the pool's own thread that looks whether it is back.
  for (std::size_t rests = 1; rests <= 3; ++rests) {
    EXPECT_TRUE(EventuallyForTest([&] {
      clock.Advance(60);
      EXPECT_TRUE(Random(*client));
      return hole.connections() > rests;
    }));
  }
}

TEST_F(KmsClientTest, ABlackHoleAloneIsBoundedByTheTimeLimit) {
  BlackHole hole;
  Config config = ConfigForTest({hole.endpoint()});
  config.connect_timeout = std::chrono::milliseconds(100);
  const auto answer = Random(*ClientOf(config));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kTimeout);
}

TEST_F(KmsClientTest, AServerThatComesBackIsFoundWithoutAnyCallWaiting) {
  std::atomic<bool> dead{true};
  KeyServerForTest first([&](const kmip::RequestItem& item, ProtocolVersion version) {
    return dead ? Answer() : Good(item, version);
  });
  KeyServerForTest second(&Good);
  ManualClockForTest clock;
  const auto client =
      ClientOf(ConfigForTest({first.endpoint(), second.endpoint()}), nullptr, clock);
  ASSERT_TRUE(Random(*client));
  dead = false;
  ASSERT_TRUE(Random(*client));
  EXPECT_EQ(first.requests(), 1) << "it rests";
  clock.Advance(1);
  // The call that has it looked at is answered by the other one, later ones by itself.
  EXPECT_TRUE(EventuallyForTest([&] {
    EXPECT_TRUE(Random(*client));
    return first.requests() > 2;
  }));
}

TEST_F(KmsClientTest, AServerThatHangsOnAKeptConnectionRests) {
  std::promise<void> done;
  const std::shared_future<void> until = done.get_future().share();
  std::atomic<bool> hangs{false};
  KeyServerForTest first([&, until](const kmip::RequestItem& item, ProtocolVersion version) {
    if (!hangs) return Good(item, version);
    until.wait();
    return Answer();
  });
  KeyServerForTest second(&Good);
  Config config = ConfigForTest({first.endpoint(), second.endpoint()});
  config.request_timeout = std::chrono::milliseconds(2000);
  ManualClockForTest clock;
  const auto client = ClientOf(config, nullptr, clock);
  ASSERT_TRUE(Random(*client));
  hangs = true;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Random(*client));
  EXPECT_EQ(first.requests(), 2) << "one call found out";
  EXPECT_EQ(second.requests(), 10);
  done.set_value();
}

TEST_F(KmsClientTest, ATimeLimitOfOneCallLeavesTimeForTheOtherServer) {
  BlackHole hole;
  KeyServerForTest good(&Good);
  const auto client = ClientOf(ConfigForTest({hole.endpoint(), good.endpoint()}));
  KmsClient hurried = client->Within({std::chrono::milliseconds(3000), nullptr});
  const auto answer = Random(hurried);
  EXPECT_TRUE(answer) << answer.error().message;
}

TEST_F(KmsClientTest, CancellingOneCallLeavesTheOthersAlone) {
  std::promise<void> done;
  const std::shared_future<void> until = done.get_future().share();
  std::atomic<bool> cancelled{false};
  std::atomic<bool> hangs{true};
  KeyServerForTest server([&, until](const kmip::RequestItem& item, ProtocolVersion version) {
    if (!hangs) return Good(item, version);
    cancelled = true;
    until.wait();
    return Answer();
  });
  const auto client = ClientOf(ConfigForTest({server.endpoint()}));
  KmsClient one = client->Within({std::chrono::minutes(1), &cancelled});
  const auto answer = Random(one);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kIo);
  EXPECT_EQ(answer.error().detail, static_cast<std::uint64_t>(EINTR));
  hangs = false;
  EXPECT_TRUE(Random(*client));
  EXPECT_FALSE(Random(one)) << "it stays cancelled";
  done.set_value();
}

TEST_F(KmsClientTest, FailsOverWhenNobodyListens) {
  Endpoint closed;
  {
    KeyServerForTest gone(&Good);
    closed = gone.endpoint();
  }
  KeyServerForTest good(&Good);
  const auto client = ClientOf(ConfigForTest({closed, good.endpoint()}));
  EXPECT_TRUE(Activate(*client));
  const auto alone = ClientOf(ConfigForTest({closed}));
  const auto answer = Activate(*alone);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_NE(answer.error().message.find(closed.ToString()), std::string::npos);
}

// Whether the item's Message Extension must be understood.
bool IsCritical(const kmip::RequestItem& item) {
  ttlv::Reader whole = ttlv::Reader::Members(item.whole);
  ttlv::Reader members = *whole.Structure(Tag::kBatchItem);
  while (!members.At(Tag::kMessageExtension)) EXPECT_TRUE(members.Next());
  ttlv::Reader extension = *members.Structure(Tag::kMessageExtension);
  EXPECT_EQ(*extension.Text(Tag::kVendorIdentification), "OpenDaRE");
  return *extension.Boolean(Tag::kCriticalityIndicator);
}

TEST_F(KmsClientTest, AChangeWhoseAnswerWasLostIsAskedForAgainUnderItsIdentity) {
  struct Seen {
    Bytes identity, payload;
    bool critical = false;
  };
  std::vector<Seen> seen;  // by one server after the other
  const auto note = [&](const kmip::RequestItem& item) {
    seen.push_back({ToBytes(*item.identity), ToBytes(item.payload.whole), IsCritical(item)});
  };
  KeyServerForTest broken([&](const kmip::RequestItem& item, ProtocolVersion) {
    note(item);
    return Answer();  // done, for all we know
  });
  KeyServerForTest good([&](const kmip::RequestItem& item, ProtocolVersion version) {
    note(item);
    return Good(item, version);
  });
  const auto client = ClientOf(ConfigForTest({broken.endpoint(), good.endpoint()}));
  const auto answer = Activate(*client);
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].identity, seen[1].identity);
  EXPECT_EQ(seen[0].payload, seen[1].payload);
  EXPECT_FALSE(seen[0].critical) << "any server may do it";
  EXPECT_TRUE(seen[1].critical) << "only one that recognises it may answer";
  ASSERT_TRUE(Activate(*client));
  EXPECT_NE(seen[2].identity, seen[0].identity) << "another change";
}

TEST_F(KmsClientTest, AsksEachServerInTurnForAChange) {
  KeyServerForTest first(&Hangup), second(&Hangup), third(&Good);
  const auto client =
      ClientOf(ConfigForTest({first.endpoint(), second.endpoint(), third.endpoint()}));
  EXPECT_TRUE(Activate(*client));
  EXPECT_EQ(first.requests() + second.requests() + third.requests(), 3);
}

TEST_F(KmsClientTest, TellsThatAChangeMayHaveHappened) {
  KeyServerForTest broken(&Hangup);
  Endpoint closed;
  {
    KeyServerForTest gone(&Good);
    closed = gone.endpoint();
  }
  for (const auto& servers : {std::vector<Endpoint>{broken.endpoint()},
                              std::vector<Endpoint>{broken.endpoint(), closed}}) {
    const auto answer = Activate(*ClientOf(ConfigForTest(servers)));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::kUnavailable);
    EXPECT_NE(answer.error().message.find("not known"), std::string::npos);
  }
  const auto answer = Random(*ClientOf(ConfigForTest({broken.endpoint()})));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message.find("not known"), std::string::npos) << "it changes nothing";
}

TEST_F(KmsClientTest, AServerThatCannotTellARepeatIsNotMistakenForARefusal) {
  KeyServerForTest broken(&Hangup);
  for (const auto reason :
       {kmip::ResultReason::kUnknownMessageExtension, kmip::ResultReason::kFeatureNotSupported}) {
    KeyServerForTest foreign([&](const kmip::RequestItem& item, ProtocolVersion version) {
      if (!IsCritical(item)) return Good(item, version);
      return Answer(KeyServerForTest::Failure(item.operation, version, reason, "unknown"));
    });
    const auto answer = Activate(*ClientOf(ConfigForTest({broken.endpoint(), foreign.endpoint()})));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::kUnavailable);
    EXPECT_NE(answer.error().message.find("not known"), std::string::npos);
    EXPECT_TRUE(Activate(*ClientOf(ConfigForTest({foreign.endpoint()}))));
  }
}

TEST_F(KmsClientTest, AsksAnotherServerWhenOneSaysThatItFailed) {
  int failures = 0;
  KeyServerForTest sick([&](const kmip::RequestItem& item, ProtocolVersion version) {
    ++failures;
    return Answer(KeyServerForTest::Failure(
        item.operation, version, kmip::ResultReason::kGeneralFailure, "the HSM is gone"));
  });
  KeyServerForTest good(&Good);
  const auto client = ClientOf(ConfigForTest({sick.endpoint(), good.endpoint()}));
  EXPECT_TRUE(Random(*client));
  EXPECT_TRUE(Activate(*client));
  EXPECT_EQ(failures, 1) << "it rests, as one that does not answer";
  const auto alone = Activate(*ClientOf(ConfigForTest({sick.endpoint()})));
  ASSERT_FALSE(alone);
  EXPECT_NE(alone.error().message.find("the HSM is gone"), std::string::npos);
  const auto both = Activate(*ClientOf(ConfigForTest({sick.endpoint(), sick.endpoint()})));
  ASSERT_FALSE(both);
  EXPECT_NE(both.error().message.find("the HSM is gone"), std::string::npos);
}

TEST_F(KmsClientTest, ASilentServerIsATimeOut) {
  std::promise<void> done;
  const std::shared_future<void> until = done.get_future().share();
  KeyServerForTest server([until](const kmip::RequestItem&, ProtocolVersion) {
    until.wait();
    return Answer();
  });
  Config config = ConfigForTest({server.endpoint()});
  config.request_timeout = std::chrono::milliseconds(300);
  const auto answer = Random(*ClientOf(config));
  done.set_value();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kTimeout);
}

TEST_F(KmsClientTest, CancellingEndsTheWait) {
  std::promise<void> done;
  const std::shared_future<void> until = done.get_future().share();
  std::atomic<bool> cancelled{false};
  KeyServerForTest server([&, until](const kmip::RequestItem&, ProtocolVersion) {
    cancelled = true;
    until.wait();
    return Answer();
  });
  const auto client = ClientOf(ConfigForTest({server.endpoint()}), &cancelled);
  const auto answer = Random(*client);
  done.set_value();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kIo);
  EXPECT_EQ(answer.error().detail, static_cast<std::uint64_t>(EINTR));
}

TEST_F(KmsClientTest, RefusesAnAnswerThatIsTooLargeOrNone) {
  WipingBytes bytes;
  KeyServerForTest server([&](const kmip::RequestItem&, ProtocolVersion) { return Answer(bytes); });
  const auto client = ClientOf(ConfigForTest({server.endpoint()}));
  bytes = {0x42, 0x00, 0x7b, 0x01, 0x40, 0x00, 0x00, 0x00};  // says 1 GiB
  EXPECT_EQ(Random(*client).error().code, Code::kTooLarge);
  bytes = {'H', 'T', 'T', 'P', '/', '1', '.', '1'};
  EXPECT_EQ(Random(*client).error().code, Code::kMalformed);
  bytes = *Good({.operation = Operation::kGet}, kmip::kVersion2_1);
  EXPECT_EQ(Random(*client).error().code, Code::kMalformed) << "an answer to another operation";
  bytes = *Good({.operation = Operation::kRNGRetrieve}, kmip::kVersion1_4);
  EXPECT_EQ(Random(*client).error().code, Code::kMalformed) << "an answer of another version";
}

TEST_F(KmsClientTest, RefusesAServerOfAnotherCaOrName) {
  KeyServerForTest impostor(&Good, "other");
  const auto answer = Random(*ClientOf(ConfigForTest({impostor.endpoint()})));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_NE(answer.error().message.find("certificate is not accepted"), std::string::npos);
  EXPECT_EQ(impostor.requests(), 0);

  KeyServerForTest named(&Good);
  const Endpoint other_name{"localhost", named.endpoint().port};  // its certificate says 127.0.0.1
  EXPECT_EQ(Random(*ClientOf(ConfigForTest({other_name}))).error().code, Code::kUnavailable);
  EXPECT_EQ(named.requests(), 0);
}

TEST_F(KmsClientTest, AServerThatDoesNotAcceptUsIsADenial) {
  KeyServerForTest server(&Good, "server", "other-ca");
  const auto answer = Random(*ClientOf(ConfigForTest({server.endpoint()})));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnauthenticated) << answer.error().message;
}

TEST_F(KmsClientTest, ManyThreadsShareFewConnections) {
  KeyServerForTest server(&Good);
  Config config = ConfigForTest({server.endpoint()});
  config.connections = 2;
  const auto client = ClientOf(config);
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 25; ++i) failed += Random(*client) ? 0 : 1;
      });
    }
  }
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(server.requests(), 200);
  EXPECT_LE(server.accepted(), 2);
}

TEST_F(KmsClientTest, RefusesAKeyFileOthersMayRead) {
  Config config = ConfigForTest({{"127.0.0.1", 1}});
  const std::string copy = PkiFolderForTest() + "/readable.key";
  ASSERT_EQ(std::system(("cp " + config.key_file + " " + copy + " && chmod 644 " + copy).c_str()),
            0);
  config.key_file = copy;
  const auto client = KmsClient::Create(config);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, Code::kIo);
  EXPECT_NE(client.error().message.find("chmod 600"), std::string::npos);
}

TEST_F(KmsClientTest, RefusesAKeyOfAnotherCertificate) {
  Config config = ConfigForTest({{"127.0.0.1", 1}});
  config.key_file = PkiFolderForTest() + "/other.key";
  EXPECT_EQ(KmsClient::Create(config).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace dare::client
