#include "client/listener.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/eventually_for_test.h"
#include "client/key_server_for_test.h"
#include "kmip/payloads/notify.h"
#include "kmip/payloads/rng_retrieve.h"
#include "kmip/payloads/set_endpoint_role.h"
#include "kmip/single_request.h"
#include "kmip/tags.h"

namespace dare::client {
namespace {

using kmip::Operation;
using std::chrono::milliseconds;

class EarForTest : public Ear {
 public:
  void OnHearing() override { ++hearing; }
  void OnDeaf(bool was_refused) override { ++(was_refused ? refused : deaf); }
  void OnNotify(const kmip::NotifyRequest& told) override {
    const MutexLock lock(mutex_);
    notified_.push_back(told.id);
  }
  void OnUnclear() override { ++unclear; }
  std::vector<std::string> notified() const {
    const MutexLock lock(mutex_);
    return notified_;
  }

  std::atomic<int> hearing{0}, deaf{0}, refused{0}, unclear{0};

 private:
  mutable Mutex mutex_;
  std::vector<std::string> notified_ GUARDED_BY(mutex_);
};

KeyServerForTest::Answer GiveRole(const kmip::RequestItem& item, kmip::ProtocolVersion version) {
  EXPECT_EQ(item.operation, Operation::kSetEndpointRole);
  const kmip::SetEndpointRoleResponse response{kmip::EndpointRole::kClient};
  return KeyServerForTest::Success(item.operation, version,
                                   [&](ttlv::Writer& out) { response.Encode(out, version); });
}

WipingBytes Notify(const std::string& id) {
  const kmip::NotifyRequest request{.id = id, .changed = {}, .removed = {}};
  return kmip::SingleRequest(Operation::kNotify, kmip::kVersion2_1,
                             [&](ttlv::Writer& out) { request.Encode(out, kmip::kVersion2_1); });
}

class ListenerTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(1 << 18)); }

  void Listen(std::vector<Endpoint> servers, milliseconds pause = milliseconds(1)) {
    auto created = KmsClient::Create(ConfigForTest(std::move(servers)), nullptr, clock_);
    ASSERT_TRUE(created) << created.error().message;
    client_ = *std::move(created);
    Listener::Options options;
    options.least_pause = options.most_pause = pause;
    options.look = milliseconds(1);
    auto started = Listener::Start(*client_, ear_, options);
    ASSERT_TRUE(started) << started.error().message;
    listener_ = *std::move(started);
  }
  bool Hears(const KeyServerForTest& server, int times = 1) {
    return EventuallyForTest([&] { return server.listeners() == 1 && ear_.hearing == times; });
  }

  ManualClockForTest clock_;
  EarForTest ear_;
  std::unique_ptr<KmsClient> client_;
  std::unique_ptr<Listener> listener_;  // dies first
};

TEST_F(ListenerTest, HearsWhatIsToldAndAnswersEachTime) {
  KeyServerForTest server(GiveRole);
  Listen({server.endpoint()});
  ASSERT_TRUE(Hears(server));
  for (const char* id : {"a", "b", "c"}) server.Ask(Notify(id));
  ASSERT_TRUE(EventuallyForTest([&] { return server.responses().size() == 3; }));
  EXPECT_EQ(ear_.notified(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(server.requests(), 1) << "one connection, one request";
  listener_.reset();
  EXPECT_EQ(ear_.deaf, 1);
}

TEST_F(ListenerTest, ALostConnectionIsMadeAnew) {
  KeyServerForTest server(GiveRole);
  Listen({server.endpoint()});
  ASSERT_TRUE(Hears(server));
  server.Drop();
  ASSERT_TRUE(Hears(server, 2));
  EXPECT_EQ(ear_.deaf, 1);
  server.Ask(Notify("after"));
  EXPECT_TRUE(EventuallyForTest([&] { return !ear_.notified().empty(); }));
}

TEST_F(ListenerTest, WhatIsNoMessageEndsTheConnection) {
  KeyServerForTest server(GiveRole);
  Listen({server.endpoint()});
  ASSERT_TRUE(Hears(server));
  server.Ask(WipingBytes(64, 0x41));
  ASSERT_TRUE(EventuallyForTest([&] { return ear_.deaf == 1; }));
  server.Drop();
  EXPECT_TRUE(Hears(server, 2));
  EXPECT_TRUE(ear_.notified().empty());
}

TEST_F(ListenerTest, ATooLongMessageIsNotReadAtAll) {
  KeyServerForTest server(GiveRole);
  Listen({server.endpoint()});
  ASSERT_TRUE(Hears(server));
  WipingBytes head = Notify("x");
  head.resize(8);
  PutU32(head.data() + 4, 0x10000000);
  server.Ask(head);
  EXPECT_TRUE(EventuallyForTest([&] { return ear_.deaf == 1; }));
}

TEST_F(ListenerTest, AServerThatDoesNotKnowTheRoleLeavesItDeaf) {
  KeyServerForTest server([](const kmip::RequestItem& item, kmip::ProtocolVersion version) {
    return KeyServerForTest::Failure(item.operation, version,
                                     kmip::ResultReason::kOperationNotSupported, "what?");
  });
  Listen({server.endpoint()});
  EXPECT_TRUE(EventuallyForTest([&] { return server.requests() >= 3; })) << "it goes on trying";
  listener_.reset();
  EXPECT_EQ(ear_.hearing, 0);
  EXPECT_EQ(ear_.refused, 0);
}

TEST_F(ListenerTest, ARefusalIsTold) {
  KeyServerForTest server([](const kmip::RequestItem& item, kmip::ProtocolVersion version) {
    return KeyServerForTest::Failure(item.operation, version, kmip::ResultReason::kPermissionDenied,
                                     "no");
  });
  Listen({server.endpoint()});
  EXPECT_TRUE(EventuallyForTest([&] { return ear_.refused > 0; }));
}

TEST_F(ListenerTest, ACertificateThatIsNotAcceptedIsARefusal) {
  KeyServerForTest server(GiveRole, "server", "other-ca");
  Listen({server.endpoint()});
  EXPECT_TRUE(EventuallyForTest([&] { return ear_.refused > 0; }));
  EXPECT_EQ(ear_.hearing, 0);
}

TEST_F(ListenerTest, TheNextServerIsListenedToWhenTheFirstIsAway) {
  auto first = std::make_unique<KeyServerForTest>(GiveRole);
  KeyServerForTest second(GiveRole);
  Listen({first->endpoint(), second.endpoint()});
  ASSERT_TRUE(Hears(*first));
  first.reset();
  EXPECT_TRUE(Hears(second, 2));
}

TEST_F(ListenerTest, ItGoesWhereCallsGo) {
  std::atomic<bool> fails{true};
  const auto answer = [](const kmip::RequestItem& item, kmip::ProtocolVersion version,
                         bool fail) -> KeyServerForTest::Answer {
    if (item.operation == Operation::kSetEndpointRole) return GiveRole(item, version);
    if (fail) {
      return KeyServerForTest::Failure(item.operation, version, kmip::ResultReason::kGeneralFailure,
                                       "its HSM is away");
    }
    return KeyServerForTest::Success(item.operation, version, [](ttlv::Writer& out) {
      out.ByteString(kmip::Tag::kData, Bytes(4, 7));
    });
  };
  KeyServerForTest first([&](const kmip::RequestItem& item, kmip::ProtocolVersion version) {
    return answer(item, version, fails);
  });
  KeyServerForTest second([&](const kmip::RequestItem& item, kmip::ProtocolVersion version) {
    return answer(item, version, false);
  });
  Listen({first.endpoint(), second.endpoint()});
  ASSERT_TRUE(Hears(first));
  const kmip::RngRetrieveRequest any{.length = 4};
  EXPECT_TRUE(client_->Call<kmip::RngRetrieveResponse>(any)) << "the second one answers";
  EXPECT_TRUE(Hears(second, 2));
  EXPECT_EQ(ear_.deaf, 1);
  // The first one is itself again: a call has it looked at, later ones go there.
  fails = false;
  clock_.Advance(10);
  EXPECT_TRUE(client_->Call<kmip::RngRetrieveResponse>(any));
  EXPECT_TRUE(Hears(first, 3));
}

TEST_F(ListenerTest, EndsAtOnceWhateverItWaitsFor) {
  KeyServerForTest server(GiveRole);
  Listen({server.endpoint()}, std::chrono::hours(1));
  ASSERT_TRUE(Hears(server));
  listener_.reset();  // while it waits for a message
  ear_.hearing = 0;
  KeyServerForTest gone(
      [](const kmip::RequestItem&, kmip::ProtocolVersion) { return KeyServerForTest::Answer(); });
  Listen({gone.endpoint()}, std::chrono::hours(1));
  ASSERT_TRUE(EventuallyForTest([&] { return gone.requests() == 1; }));
  listener_.reset();  // while it rests
  EXPECT_EQ(ear_.hearing, 0);
}

TEST_F(ListenerTest, NeedsAVersionThatHasTheRole) {
  Config config = ConfigForTest({{"127.0.0.1", 1}});
  config.kmip_version = kmip::kVersion1_4;
  const auto client = KmsClient::Create(config);
  ASSERT_TRUE(client);
  EXPECT_EQ(Listener::Start(**client, ear_).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace dare::client
