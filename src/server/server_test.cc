#include "server/server.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "server/echo_for_test.h"
#include "server/framing.h"
#include "server/tls_client_for_test.h"

namespace dare::server {
namespace {

using std::chrono::milliseconds;
constexpr std::size_t kMessageLimit = 256u << 10;

class ServerTest : public testing::Test {
 protected:
  ServerTest() : alice_(pki_.Client("alice")) {
    const PkiForTest::Identity identity = pki_.Server();
    TlsOptions tls;
    tls.certificate_file = identity.certificate_file;
    tls.key_file = identity.key_file;
    tls.client_ca_file = pki_.ca_file();
    tls_ = std::move(*TlsContext::Make(tls, nullptr));
    options_.observer = refusals_.observer();
  }
  void Start() { server_ = std::move(*Server::Start(options_, *tls_, framing_, echo_)); }
  std::unique_ptr<TlsClientForTest> Connect() {
    TlsClientForTest::Options client;
    client.port = server_->port();
    client.ca_file = pki_.ca_file();
    client.identity = &alice_;
    return std::make_unique<TlsClientForTest>(client);
  }

  PkiForTest pki_;
  PkiForTest::Identity alice_;
  RefusalsForTest refusals_;
  EchoForTest echo_;
  KmipFraming framing_{kMessageLimit};
  std::unique_ptr<TlsContext> tls_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, TellsTheHandlerWhoThePeerIs) {
  Start();
  const auto client = Connect();
  ASSERT_TRUE(client->Send(RequestForTest(1)));
  EXPECT_EQ(client->Receive(64), RequestForTest(1));
  const std::vector<Peer> peers = echo_.peers();
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers[0].common_name, "alice");
  EXPECT_EQ(peers[0].address, "127.0.0.1");
  EXPECT_EQ(peers[0].serial, alice_.certificate.serial);
  EXPECT_EQ(peers[0].fingerprint, alice_.certificate.fingerprint);
  EXPECT_EQ(peers[0].not_after, alice_.certificate.not_after);
  EXPECT_EQ(peers[0].protocol, "TLSv1.3");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  const auto client = Connect();
  Bytes all;
  for (int i = 0; i < 200; ++i) Append(all, RequestForTest(static_cast<std::uint8_t>(i)));
  // The marks that mean something else to the echo are not among the first 200.
  ASSERT_TRUE(client->Send(all));
  EXPECT_EQ(client->Receive(all.size()), all);
}

TEST_F(ServerTest, PutsARequestTogetherThatComesByteByByte) {
  Start();
  const auto client = Connect();
  const Bytes request = RequestForTest(7);
  for (const std::uint8_t& byte : request) ASSERT_TRUE(client->Send({&byte, 1}));
  EXPECT_EQ(client->Receive(request.size()), request);
}

TEST_F(ServerTest, CarriesRequestsAndAnswersOfManyRecords) {
  Start();
  const auto client = Connect();
  const Bytes request = RequestForTest(9, kMessageLimit);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client->Send(request));
    EXPECT_EQ(client->Receive(request.size()), request);
  }
}

TEST_F(ServerTest, StopsReadingFromAClientThatDoesNotReadAndLosesNothing) {
  options_.limits.buffered_answer_bytes = 16384;
  Start();
  const auto client = Connect();
  const Bytes request = RequestForTest(3, 4096);
  const std::size_t sent = client->SendUntilFull(request, 16384);
  ASSERT_LT(sent, 16384u);
  for (std::size_t i = 0; i < sent; ++i) ASSERT_EQ(client->Receive(request.size()), request) << i;
}

TEST_F(ServerTest, AnswersLaterInTheOrderOfRequests) {
  Start();
  const auto client = Connect();
  Bytes all = RequestForTest(1);
  Append(all, RequestForTest(EchoForTest::kDefer));
  Append(all, RequestForTest(2));
  ASSERT_TRUE(client->Send(all));
  EXPECT_EQ(client->Receive(64), RequestForTest(1));
  echo_.WaitForDeferred(1);
  echo_.AnswerDeferred();
  Bytes rest = RequestForTest(EchoForTest::kDefer);
  Append(rest, RequestForTest(2));
  EXPECT_EQ(client->Receive(128), rest);
}

TEST_F(ServerTest, DropsALateAnswerToAConnectionThatIsGone) {
  Start();
  {
    const auto client = Connect();
    ASSERT_TRUE(client->Send(RequestForTest(EchoForTest::kDefer)));
    echo_.WaitForDeferred(1);
  }
  echo_.AnswerDeferred();
  const auto other = Connect();
  ASSERT_TRUE(other->Send(RequestForTest(1)));
  EXPECT_EQ(other->Receive(64), RequestForTest(1));
}

TEST_F(ServerTest, DropsALateAnswerWhenTheServerIsGone) {
  Start();
  const auto client = Connect();
  ASSERT_TRUE(client->Send(RequestForTest(EchoForTest::kDefer)));
  echo_.WaitForDeferred(1);
  server_.reset();
  echo_.AnswerDeferred();
  EXPECT_TRUE(client->WaitForClose());
}

TEST_F(ServerTest, ClosesWhenAReplyIsDropped) {
  Start();
  const auto client = Connect();
  ASSERT_TRUE(client->Send(RequestForTest(EchoForTest::kDefer)));
  echo_.WaitForDeferred(1);
  echo_.DropDeferred();
  EXPECT_TRUE(client->WaitForClose());
}

TEST_F(ServerTest, ClosesAfterAnAnswerThatIsTheLast) {
  Start();
  const auto client = Connect();
  Bytes two = RequestForTest(EchoForTest::kLast);
  Append(two, RequestForTest(1));
  ASSERT_TRUE(client->Send(two));
  EXPECT_EQ(client->Receive(128), RequestForTest(EchoForTest::kLast));
  EXPECT_TRUE(client->WaitForClose());
}

TEST_F(ServerTest, ClosesWhenTheHandlerRefuses) {
  Start();
  const auto client = Connect();
  ASSERT_TRUE(client->Send(RequestForTest(EchoForTest::kRefuse)));
  EXPECT_TRUE(client->WaitForClose());
}

TEST_F(ServerTest, AnswersAClientThatHasShutItsSide) {
  Start();
  const int fd = ConnectForTest(server_->port());
  ::close(fd);  // a probe that says nothing harms nobody
  const auto client = Connect();
  ASSERT_TRUE(client->Send(RequestForTest(5)));
  EXPECT_EQ(client->Receive(64), RequestForTest(5));
}

TEST_F(ServerTest, FlushesBeforeAnswersLeave) {
  Start();
  const auto client = Connect();
  ASSERT_TRUE(client->Send(RequestForTest(1)));
  EXPECT_EQ(client->Receive(64), RequestForTest(1));
  EXPECT_EQ(echo_.flushes(), 1);
}

TEST_F(ServerTest, WithholdsAnswersThatCouldNotBeRecorded) {
  Start();
  const auto client = Connect();
  echo_.FailFlush();
  ASSERT_TRUE(client->Send(RequestForTest(1)));
  EXPECT_TRUE(client->WaitForClose());
  const auto event = refusals_.Next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->refusal, Refusal::kNotRecorded);
}

TEST_F(ServerTest, RefusesAMessageOverTheLimitByItsHeader) {
  Start();
  const auto client = Connect();
  Bytes header = RequestForTest(0, 8);
  PutU32(header.data() + 4, 0x7ffffff8);
  ASSERT_TRUE(client->Send(header));
  EXPECT_TRUE(client->WaitForClose());
  const auto event = refusals_.Next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->refusal, Refusal::kMalformed);
  EXPECT_EQ(event->peer.common_name, "alice");
}

TEST_F(ServerTest, RefusesWhatIsNoRequestMessage) {
  Start();
  const auto client = Connect();
  Bytes response = RequestForTest(0);
  response[2] = 0x0f;  // Batch Item
  ASSERT_TRUE(client->Send(response));
  EXPECT_TRUE(client->WaitForClose());
}

TEST_F(ServerTest, ClosesOnAMessageThatNeverEnds) {
  options_.limits.message = milliseconds(100);
  Start();
  const auto client = Connect();
  const Bytes request = RequestForTest(1);
  ASSERT_TRUE(client->Send(ByteView(request).first(5)));
  EXPECT_TRUE(client->WaitForClose());
  const auto event = refusals_.Next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->refusal, Refusal::kTimeout);
  EXPECT_EQ(event->detail, "message time-out");
}

TEST_F(ServerTest, ClosesOnAHandshakeThatNeverEnds) {
  options_.limits.handshake = milliseconds(100);
  Start();
  const int fd = ConnectForTest(server_->port());
  char byte = 0;
  EXPECT_LE(::recv(fd, &byte, 1, 0), 0);
  ::close(fd);
  const auto event = refusals_.Next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->detail, "handshake time-out");
}

TEST_F(ServerTest, ClosesAnIdleConnectionPolitely) {
  options_.limits.idle = milliseconds(100);
  Start();
  const auto client = Connect();
  ASSERT_TRUE(client->Send(RequestForTest(1)));
  EXPECT_EQ(client->Receive(64), RequestForTest(1));
  EXPECT_TRUE(client->WaitForClose());
  EXPECT_EQ(client->alert(), 0);
}

TEST_F(ServerTest, RefusesConnectionsOverTheLimitOfAnAddress) {
  options_.limits.visitors.connections_per_address = 2;
  Start();
  const auto first = Connect();
  const auto second = Connect();
  ASSERT_TRUE(second->connected());
  EXPECT_FALSE(Connect()->connected());
  const auto event = refusals_.Next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->refusal, Refusal::kTooMany);
}

TEST_F(ServerTest, TakesANewConnectionWhenAnOldOneIsGone) {
  options_.limits.visitors.connections = 1;
  Start();
  auto first = Connect();
  ASSERT_TRUE(first->connected());
  EXPECT_FALSE(Connect()->connected());
  first.reset();
  // The server learns of it in its own time.
  while (!Connect()->connected()) std::this_thread::yield();
}

TEST_F(ServerTest, AClientThatAsksTooMuchWaitsAndLosesNothing) {
  AccountLimits limits;
  limits.requests = {.per_second = 100, .burst = 5};
  options_.accounts = std::make_shared<Accounts>(limits);
  options_.limits.slowed = milliseconds(1);
  Start();
  const auto begin = std::chrono::steady_clock::now();
  const auto client = Connect();
  constexpr int kRequests = 25;
  Bytes all;
  for (int i = 0; i < kRequests; ++i) Append(all, RequestForTest(static_cast<std::uint8_t>(i)));
  ASSERT_TRUE(client->Send(all));
  EXPECT_EQ(client->Receive(all.size()), all);
  // The first five are free, and each of the others has 10 ms to come after the one before it.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(10 * (kRequests - 5)));
  const auto event = refusals_.Next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->refusal, Refusal::kSlowed);
  EXPECT_EQ(event->peer.common_name, "alice");
}

TEST_F(ServerTest, AClientsConnectionsShareWhatItMayAsk) {
  AccountLimits limits;
  limits.bytes = {.per_second = 100'000, .burst = 64};
  options_.accounts = std::make_shared<Accounts>(limits);
  Start();
  const auto begin = std::chrono::steady_clock::now();
  const auto one = Connect(), two = Connect();
  const Bytes request = RequestForTest(1, 5000);  // 10,000 bytes with its answer
  ASSERT_TRUE(one->Send(request));
  EXPECT_EQ(one->Receive(request.size()), request);
  ASSERT_TRUE(two->Send(request));
  EXPECT_EQ(two->Receive(request.size()), request);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(99));
}

TEST_F(ServerTest, AnUnfinishedHandshakeGivesWayToANewOne) {
  options_.limits.half_open = 2;
  Start();
  std::vector<int> idle;
  for (int i = 0; i < 5; ++i) idle.push_back(ConnectForTest(server_->port()));
  const auto client = Connect();
  ASSERT_TRUE(client->Send(RequestForTest(1)));
  EXPECT_EQ(client->Receive(64), RequestForTest(1));
  for (int i = 0; i < 4; ++i) {  // five idle ones and the client, two of them at a time
    const auto event = refusals_.Next();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->detail, "too many unfinished handshakes");
  }
  char byte = 0;
  EXPECT_LE(::recv(idle.front(), &byte, 1, 0), 0) << "the oldest is gone";
  for (const int fd : idle) ::close(fd);
}

TEST_F(ServerTest, AnAddressWhoseConnectionsKeepFailingIsTurnedAway) {
  options_.limits.visitors.bad_per_address = {.per_second = 1, .burst = 4};
  options_.limits.visitors.shortest_ban = std::chrono::minutes(1);
  Start();
  const auto known = Connect();
  for (int i = 0; i < 4; ++i) {
    const int fd = ConnectForTest(server_->port());
    EXPECT_EQ(::send(fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL), 18);
    char answer[64];
    while (::recv(fd, answer, sizeof answer, 0) > 0) {
    }
    ::close(fd);
    const auto event = refusals_.Next();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->refusal, Refusal::kHandshake);
  }
  const auto banned = refusals_.Next();
  ASSERT_TRUE(banned);
  EXPECT_EQ(banned->refusal, Refusal::kBanned);
  EXPECT_FALSE(Connect()->connected());
  ASSERT_TRUE(known->Send(RequestForTest(1)));
  EXPECT_EQ(known->Receive(64), RequestForTest(1)) << "who is in stays in";
}

TEST_F(ServerTest, FinishesWhatIsInFlightBeforeItStops) {
  Start();
  const auto client = Connect();
  ASSERT_TRUE(client->Send(RequestForTest(EchoForTest::kDefer)));
  echo_.WaitForDeferred(1);
  std::thread stopper([&] { server_->Stop(); });
  echo_.AnswerDeferred();
  EXPECT_EQ(client->Receive(64), RequestForTest(EchoForTest::kDefer));
  EXPECT_TRUE(client->WaitForClose());
  stopper.join();
  EXPECT_FALSE(Connect()->connected());
}

TEST_F(ServerTest, StopsInSpiteOfARequestThatIsNeverAnswered) {
  options_.limits.shutdown = milliseconds(50);
  Start();
  const auto client = Connect();
  ASSERT_TRUE(client->Send(RequestForTest(EchoForTest::kDefer)));
  echo_.WaitForDeferred(1);
  server_->Stop();
  EXPECT_TRUE(client->WaitForClose());
}

TEST_F(ServerTest, SharesConnectionsOutAmongItsLoops) {
  options_.threads = 3;
  Start();
  std::vector<std::unique_ptr<TlsClientForTest>> clients;
  for (int i = 0; i < 12; ++i) clients.push_back(Connect());
  for (int round = 0; round < 5; ++round) {
    for (auto& client : clients) ASSERT_TRUE(client->Send(RequestForTest(4)));
    for (auto& client : clients) EXPECT_EQ(client->Receive(64), RequestForTest(4));
  }
  EXPECT_EQ(server_->connections(), 12u);
}

TEST_F(ServerTest, SaysWhenThePortIsTaken) {
  Start();
  options_.port = server_->port();
  const auto second = Server::Start(options_, *tls_, framing_, echo_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, testing::HasSubstr("cannot bind"));
}

TEST_F(ServerTest, RefusesAnAddressThatIsNone) {
  options_.address = "kms.example.org";
  const auto server = Server::Start(options_, *tls_, framing_, echo_);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace dare::server
