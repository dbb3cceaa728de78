// Tickets, asynchronous requests and credentials, seen from outside: whole messages.
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "engine/credential_source.h"
#include "engine/engine_for_test.h"
#include "engine/kms.h"
#include "kmip/credential.h"
#include "kmip/message.h"
#include "kmip/payloads/cancel.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/delegated_login.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/interop.h"
#include "kmip/payloads/log.h"
#include "kmip/payloads/login.h"
#include "kmip/payloads/logout.h"
#include "kmip/payloads/ping.h"
#include "kmip/payloads/poll.h"
#include "kmip/payloads/process.h"
#include "kmip/payloads/query.h"
#include "kmip/payloads/query_asynchronous_requests.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Operation;
using kmip::ResultReason;
using kmip::ResultStatus;
using kmip::Tag;

const Bytes kKey(16, 9);

// One item in a message with a header of its own.
struct Sent {
  kmip::ResponseHeader header;
  std::optional<Operation> operation;
  ResultStatus status{};
  ResultReason reason{};
  Bytes correlation;
  WipingBytes payload;

  bool ok() const { return status == ResultStatus::kSuccess; }
};

template <typename Request>
Sent Send(EngineForTest& engine, const Request& request,
          const std::optional<kmip::Credential>& credential = std::nullopt,
          kmip::Asynchrony asynchrony = kmip::Asynchrony::kProhibited,
          const std::string& principal = "alice",
          kmip::ProtocolVersion version = kmip::kVersion2_1) {
  kmip::RequestHeader header;
  header.version = version;
  header.batch_count = 1;
  header.asynchrony = asynchrony;
  ttlv::Writer authentication;
  if (credential) {
    kmip::WriteAuthentication(authentication, *credential);
    header.authentication = *ttlv::ParseItem(authentication.bytes());
  }
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    kmip::WriteRequestHeader(out, header);
    out.Structure(Tag::kBatchItem, [&] {
      out.Enum(Tag::kOperation, Request::kOperation);
      out.Structure(Tag::kRequestPayload, [&] { request.Encode(out, version); });
    });
  });
  const WipingBytes answer = engine.Exchange(out.bytes(), principal);
  auto message = kmip::ResponseMessage::Open(answer);
  EXPECT_TRUE(message);
  const auto item = message->Next();
  EXPECT_TRUE(item) << item.error().message;
  Sent sent;
  sent.header = message->header();
  sent.operation = item->operation;
  sent.status = item->status;
  sent.reason = item->reason.value_or(ResultReason{});
  if (item->asynchronous_correlation) {
    sent.correlation.assign(item->asynchronous_correlation->begin(),
                            item->asynchronous_correlation->end());
  }
  if (item->payload) sent.payload.assign(item->payload->value.begin(), item->payload->value.end());
  return sent;
}

kmip::QueryRequest AskOperations() {
  return {.functions = {kmip::QueryFunction::kQueryOperations}};
}

kmip::Credential Show(const kmip::Ticket& ticket) { return kmip::TicketCredential{ticket}; }

kmip::Ticket LogIn(EngineForTest& engine, const kmip::TicketTerms& terms = {}) {
  return engine.Must<kmip::LoginResponse>(kmip::LoginRequest{.terms = terms}).ticket;
}

// --- tickets

TEST(Tickets, StandForWhoLoggedInUntilTheirRequestsAreUsedUp) {
  EngineForTest engine;
  const kmip::Ticket ticket = LogIn(engine, {.lease = 0, .request_count = 2});
  EXPECT_TRUE(Send(engine, AskOperations(), Show(ticket)).ok());
  EXPECT_TRUE(Send(engine, AskOperations(), Show(ticket)).ok());
  const Sent third = Send(engine, AskOperations(), Show(ticket));
  EXPECT_EQ(third.reason, ResultReason::kUsageLimitExceeded);
  EXPECT_FALSE(third.operation) << "the message as a whole is refused (TC-LOGIN-3-20)";
}

TEST(Tickets, AMessageThatGoesToTheWriterCountsOnce) {
  EngineForTest engine;
  const kmip::Ticket ticket = LogIn(
      engine, {.request_count = 2, .usage_limits = kmip::OperationLimit{.total = 2, .count = 2}});
  kmip::CreateRequest create;
  create.object_type = kmip::ObjectType::kSymmetricKey;
  EXPECT_TRUE(Send(engine, create, Show(ticket)).ok());
  EXPECT_TRUE(Send(engine, create, Show(ticket)).ok());
  EXPECT_EQ(Send(engine, create, Show(ticket)).reason, ResultReason::kUsageLimitExceeded);
}

TEST(Tickets, EndWithTheirLeaseAndWithLogoutAndWithTheServer) {
  EngineForTest engine;
  const kmip::Ticket brief = LogIn(engine, {.lease = 10});
  EXPECT_TRUE(Send(engine, AskOperations(), Show(brief)).ok());
  engine.clock().Advance(10);
  EXPECT_EQ(Send(engine, AskOperations(), Show(brief)).reason, ResultReason::kInvalidTicket);

  const kmip::Ticket ticket = LogIn(engine);
  EXPECT_EQ(engine.Do(kmip::LogoutRequest{ticket}, kmip::kVersion2_1, "bob").reason,
            ResultReason::kInvalidTicket);
  EXPECT_TRUE(Send(engine, AskOperations(), Show(ticket)).ok());
  EXPECT_TRUE(engine.Do(kmip::LogoutRequest{ticket}).success);
  EXPECT_EQ(Send(engine, AskOperations(), Show(ticket)).reason, ResultReason::kInvalidTicket);

  const kmip::Ticket last = LogIn(engine);
  engine.Restart();
  EXPECT_EQ(Send(engine, AskOperations(), Show(last)).reason, ResultReason::kInvalidTicket);
}

TEST(Tickets, LiveNoLongerThanTheServerPermits) {
  EngineForTest engine;
  const kmip::Ticket ticket = LogIn(engine, {.lease = 1'000'000});
  engine.clock().Advance(3600);
  EXPECT_EQ(Send(engine, AskOperations(), Show(ticket)).reason, ResultReason::kInvalidTicket);
  EXPECT_EQ(engine.Do(kmip::LoginRequest{{.good_until = engine.clock().Now()}}).reason,
            ResultReason::kInvalidField);
  EXPECT_EQ(engine.Do(kmip::LoginRequest{{.request_count = -1}}).reason,
            ResultReason::kInvalidField);
}

TEST(Tickets, AreWorthNothingToAnotherClient) {
  EngineForTest engine;
  const kmip::Ticket ticket = LogIn(engine);
  const auto stolen =
      Send(engine, AskOperations(), Show(ticket), kmip::Asynchrony::kProhibited, "mallory");
  EXPECT_EQ(stolen.reason, ResultReason::kInvalidTicket);
  kmip::Ticket forged = ticket;
  forged.value[0] ^= 1;
  EXPECT_EQ(Send(engine, AskOperations(), Show(forged)).reason, ResultReason::kInvalidTicket);
}

TEST(Tickets, EndWithTheCertificateOfWhoGotThem) {
  bool revoked = false;
  KmsOptions options;
  options.certificate_revoked = [&](const std::string&, const std::string& name) {
    return revoked && name == "alice";
  };
  EngineForTest engine(options);
  const kmip::Ticket ticket = LogIn(engine);
  EXPECT_TRUE(Send(engine, AskOperations(), Show(ticket)).ok());
  revoked = true;
  EXPECT_EQ(Send(engine, AskOperations(), Show(ticket)).reason, ResultReason::kInvalidTicket);
}

TEST(Tickets, AreBoundedInNumber) {
  EngineForTest engine;
  for (int i = 0; i < 64; ++i) LogIn(engine);
  EXPECT_EQ(engine.Do(kmip::LoginRequest{}).reason, ResultReason::kServerLimitExceeded);
  EXPECT_TRUE(engine.Do(kmip::LoginRequest{}, kmip::kVersion2_1, "bob").success);
  engine.clock().Advance(3600);
  EXPECT_TRUE(engine.Do(kmip::LoginRequest{}).success);
}

TEST(DelegatedLogin, GivesTheRightsItNamesToAnybodyEnrolled) {
  EngineForTest engine;
  const std::string mine = engine.AddAesKey(kKey), other = engine.AddAesKey(kKey);
  kmip::DelegatedLoginRequest request;
  request.rights.resize(2);
  request.rights[0].operations = {{Operation::kQuery, Operation::kLogin}};
  request.rights[1].operations = {{Operation::kGet}};
  request.rights[1].objects = {{mine}};
  request.rights[1].usage_limits = kmip::OperationLimit{.total = 2, .count = 2};
  const auto ticket = Show(engine.Must<kmip::DelegatedLoginResponse>(request).ticket);
  const auto as_bob = [&](const auto& asked) {
    return Send(engine, asked, ticket, kmip::Asynchrony::kProhibited, "bob");
  };
  const kmip::GetRequest get{.id = kmip::Identifier(mine)};
  EXPECT_TRUE(as_bob(AskOperations()).ok());
  EXPECT_TRUE(as_bob(get).ok());
  EXPECT_EQ(as_bob(kmip::GetRequest{.id = kmip::Identifier(other)}).reason,
            ResultReason::kNotAuthorised);
  kmip::CreateRequest create;
  create.object_type = kmip::ObjectType::kSymmetricKey;
  EXPECT_EQ(as_bob(create).reason, ResultReason::kNotAuthorised);
  EXPECT_EQ(as_bob(kmip::LoginRequest{}).reason, ResultReason::kPermissionDenied)
      << "no ticket gives another";
  EXPECT_TRUE(as_bob(get).ok());
  EXPECT_EQ(as_bob(get).reason, ResultReason::kUsageLimitExceeded);
  const auto nobody = Send(engine, get, ticket, kmip::Asynchrony::kProhibited, "");
  EXPECT_EQ(nobody.reason, ResultReason::kAuthenticationNotSuccessful);
}

// --- asynchronous requests

kmip::CreateRequest AKey() {
  kmip::CreateRequest create;
  create.object_type = kmip::ObjectType::kSymmetricKey;
  return create;
}

Sent BeginCreate(EngineForTest& engine) {
  const Sent sent = Send(engine, AKey(), std::nullopt, kmip::Asynchrony::kMandatory);
  EXPECT_EQ(sent.status, ResultStatus::kOperationPending);
  EXPECT_EQ(sent.operation, Operation::kCreate);
  EXPECT_FALSE(sent.correlation.empty());
  return sent;
}

WipingBytes Value(const Sent& sent) { return {sent.correlation.begin(), sent.correlation.end()}; }

TEST(Asynchronous, ProcessMakesTheNextPollAnswer) {
  EngineForTest engine;
  const WipingBytes value = Value(BeginCreate(engine));
  EXPECT_EQ(Send(engine, kmip::PollRequest{value}).status, ResultStatus::kOperationPending);
  const auto list = engine.Must<kmip::QueryAsynchronousRequestsResponse>(
      kmip::QueryAsynchronousRequestsRequest{});
  ASSERT_EQ(list.requests.size(), 1u);
  EXPECT_EQ(list.requests[0].stage, kmip::ProcessingStage::kSubmitted);
  EXPECT_EQ(engine.Must<kmip::ProcessResponse>(kmip::ProcessRequest{value}).correlation, value);
  EXPECT_EQ(engine.Do(kmip::ProcessRequest{value}).reason, ResultReason::kDuplicateProcessRequest);
  const Sent done = Send(engine, kmip::PollRequest{value});
  EXPECT_TRUE(done.ok());
  EXPECT_EQ(done.operation, Operation::kCreate);
  ttlv::Reader in = ttlv::Reader::Members(done.payload);
  const auto created = kmip::CreateResponse::Decode(in, kmip::kVersion2_1);
  ASSERT_TRUE(created);
  EXPECT_TRUE(engine.Do(kmip::GetRequest{.id = kmip::Identifier(created->id)}).success);
  // Fetched is forgotten.
  EXPECT_EQ(Send(engine, kmip::PollRequest{value}).reason,
            ResultReason::kInvalidAsynchronousCorrelationValue);
}

TEST(Asynchronous, IsDoneByItselfAfterASecond) {
  EngineForTest engine;
  const WipingBytes value = Value(BeginCreate(engine));
  engine.clock().Advance(2);
  Sent polled;
  do {
    polled = Send(engine, kmip::PollRequest{value});
    std::this_thread::yield();
  } while (polled.status == ResultStatus::kOperationPending);
  EXPECT_TRUE(polled.ok());
}

TEST(Asynchronous, CanBeCancelledBeforeItBegins) {
  EngineForTest engine;
  const WipingBytes value = Value(BeginCreate(engine));
  EXPECT_EQ(engine.Must<kmip::CancelResponse>(kmip::CancelRequest{value}).result,
            kmip::CancellationResult::kCanceled);
  EXPECT_EQ(Send(engine, kmip::PollRequest{value}).reason,
            ResultReason::kInvalidAsynchronousCorrelationValue);
  const WipingBytes done = Value(BeginCreate(engine));
  EXPECT_TRUE(engine.Do(kmip::ProcessRequest{done}).success);
  EXPECT_EQ(engine.Must<kmip::CancelResponse>(kmip::CancelRequest{done}).result,
            kmip::CancellationResult::kCompleted);
}

TEST(Asynchronous, RequestsOfOthersDoNotExist) {
  EngineForTest engine;
  const WipingBytes value = Value(BeginCreate(engine));
  const auto unknown = ResultReason::kInvalidAsynchronousCorrelationValue;
  EXPECT_EQ(engine.Do(kmip::PollRequest{value}, kmip::kVersion2_1, "bob").reason, unknown);
  EXPECT_EQ(engine.Do(kmip::CancelRequest{value}, kmip::kVersion2_1, "bob").reason, unknown);
  EXPECT_EQ(engine.Do(kmip::ProcessRequest{value}, kmip::kVersion2_1, "bob").reason, unknown);
  EXPECT_TRUE(engine
                  .Must<kmip::QueryAsynchronousRequestsResponse>(
                      kmip::QueryAsynchronousRequestsRequest{.operations = {Operation::kGet}})
                  .requests.empty());
  EXPECT_EQ(engine.Do(kmip::PollRequest{value}, kmip::kVersion1_4, "bob").reason,
            ResultReason::kItemNotFound);
  engine.Restart();
  EXPECT_EQ(engine.Do(kmip::PollRequest{value}).reason, unknown) << "a restart forgets";
}

TEST(Asynchronous, PollIsNeverAsynchronousAndTheNumberIsBounded) {
  EngineForTest engine;
  const WipingBytes value = Value(BeginCreate(engine));
  EXPECT_EQ(
      Send(engine, kmip::PollRequest{value}, std::nullopt, kmip::Asynchrony::kMandatory).status,
      ResultStatus::kOperationFailed);
  for (int i = 1; i < 64; ++i) BeginCreate(engine);
  EXPECT_EQ(Send(engine, AKey(), std::nullopt, kmip::Asynchrony::kMandatory).reason,
            ResultReason::kServerLimitExceeded);
}

TEST(Asynchronous, WhatTheClientOnlyPermitsIsAnsweredAtOnce) {
  EngineForTest engine;
  EXPECT_TRUE(Send(engine, AKey(), std::nullopt, kmip::Asynchrony::kOptional).ok());
}

// --- credentials

class SourceForTest : public CredentialSource {
 public:
  void Add(const std::string& login, const std::string& password, const std::string& principal,
           ByteView one_time_secret = {}) {
    auto verifier = crypto::MakePasswordVerifier(login, AsBytes(password), one_time_secret, 10);
    ASSERT_TRUE(verifier) << verifier.error().message;
    records_[login] = {login, principal, {}, *verifier};
    ++generation_;
  }
  Result<std::optional<CredentialRecord>> Find(const std::string& login) override {
    const auto found = records_.find(login);
    if (found == records_.end()) return std::optional<CredentialRecord>();
    return std::optional<CredentialRecord>(found->second);
  }
  std::uint64_t Generation() override { return generation_; }

 private:
  std::map<std::string, CredentialRecord> records_;
  std::uint64_t generation_ = 1;
};

class Credentials : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20));
    KmsOptions options;
    options.credentials = &source_;
    options.credential_options.gateways = {"gateway"};
    engine_ = std::make_unique<EngineForTest>(options);
    source_.Add("Fred", "password1", "fred");
    source_.Add("alice", "wonderland", "alice");
  }
  Sent As(const std::string& certificate, const kmip::Credential& credential) {
    return Send(*engine_, AskOperations(), credential, kmip::Asynchrony::kProhibited, certificate);
  }
  static kmip::Credential Password(std::string_view user, std::string_view password) {
    return kmip::PasswordCredential{.username = user, .password = password};
  }
  static constexpr auto kRefused = ResultReason::kAuthenticationNotSuccessful;

  SourceForTest source_;
  std::unique_ptr<EngineForTest> engine_;
};

TEST_F(Credentials, DecideWhoAsksOnAGatewaysConnectionOnly) {
  EXPECT_TRUE(As("gateway", Password("Fred", "password1")).ok());
  EXPECT_EQ(As("gateway", Password("Fred", "password2")).reason, kRefused);
  EXPECT_EQ(As("mallory", Password("Fred", "password1")).reason, kRefused);
  EXPECT_TRUE(As("alice", Password("alice", "wonderland")).ok()) << "they agree";
  EXPECT_EQ(As("", Password("Fred", "password1")).reason, kRefused);
  // What fred makes through the gateway is his, not the gateway's.
  const Sent made = Send(*engine_, AKey(), Password("Fred", "password1"),
                         kmip::Asynchrony::kProhibited, "gateway");
  ASSERT_TRUE(made.ok());
  ttlv::Reader in = ttlv::Reader::Members(made.payload);
  const kmip::GetRequest get{
      .id = kmip::Identifier(kmip::CreateResponse::Decode(in, kmip::kVersion2_1)->id)};
  EXPECT_TRUE(engine_->Do(get, kmip::kVersion2_1, "fred").success);
  EXPECT_FALSE(engine_->Do(get, kmip::kVersion2_1, "gateway").success);
}

TEST_F(Credentials, OneAnswerForAnUnknownUserAndAWrongPassword) {
  const Sent unknown = As("gateway", Password("nobody", "x"));
  const Sent wrong = As("gateway", Password("Fred", "x"));
  const Sent without = As("gateway", kmip::PasswordCredential{.username = "Fred"});
  EXPECT_EQ(unknown.reason, kRefused);
  EXPECT_EQ(wrong.reason, kRefused);
  EXPECT_EQ(without.reason, kRefused);
  EXPECT_FALSE(unknown.operation || wrong.operation);
}

TEST_F(Credentials, WhoGuessesWaitsLongerAndLonger) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(As("gateway", Password("Fred", "x")).reason, kRefused);
  EXPECT_EQ(As("gateway", Password("Fred", "password1")).reason, kRefused) << "blocked";
  engine_->clock().Advance(2);
  EXPECT_TRUE(As("gateway", Password("Fred", "password1")).ok());
}

TEST_F(Credentials, AChangedPasswordCountsAtOnce) {
  EXPECT_TRUE(As("gateway", Password("Fred", "password1")).ok());
  source_.Add("Fred", "new", "fred");
  EXPECT_EQ(As("gateway", Password("Fred", "password1")).reason, kRefused);
  EXPECT_TRUE(As("gateway", Password("Fred", "new")).ok());
}

TEST_F(Credentials, AHashedPasswordProvesBothSidesAndCannotBeSentAgain) {
  const auto hashes = crypto::HashPassword("Fred", AsBytes(std::string_view("password1")));
  const auto credential = [&](std::int64_t time, Bytes& hashed) {
    hashed = crypto::PasswordProof(hashes->s1.Reveal(), time);
    Append(hashed, hashes->s2.Reveal());
    return kmip::HashedPasswordCredential{
        .username = "Fred", .time_stamp = time, .hashed_password = hashed};
  };
  Bytes hashed;
  const std::int64_t now = engine_->clock().Now() * 1'000'000;
  const Sent first = As("gateway", credential(now, hashed));
  EXPECT_TRUE(first.ok());
  EXPECT_EQ(first.header.server_hashed_password,
            crypto::ServerPasswordProof(hashes->s1.Reveal(), hashes->s2.Reveal(), now));
  EXPECT_EQ(As("gateway", credential(now, hashed)).reason, kRefused) << "sent again";
  EXPECT_EQ(As("gateway", credential(now - 1, hashed)).reason, kRefused) << "older";
  EXPECT_EQ(As("gateway", credential(now + 400'000'000, hashed)).reason, kRefused) << "too new";
  EXPECT_TRUE(As("gateway", credential(now + 1, hashed)).ok());
  const auto wrong = credential(now + 2, hashed);
  hashed[0] ^= 1;
  EXPECT_EQ(As("gateway", wrong).reason, kRefused);
}

TEST_F(Credentials, AHashedPasswordMayMakeAChange) {
  const auto hashes = crypto::HashPassword("Fred", AsBytes(std::string_view("password1")));
  const std::int64_t now = engine_->clock().Now() * 1'000'000;
  Bytes hashed = crypto::PasswordProof(hashes->s1.Reveal(), now);
  Append(hashed, hashes->s2.Reveal());
  const kmip::HashedPasswordCredential credential{
      .username = "Fred", .time_stamp = now, .hashed_password = hashed};
  EXPECT_TRUE(Send(*engine_, AKey(), credential, kmip::Asynchrony::kProhibited, "gateway").ok())
      << "judged once, though the message goes to the writer";
}

TEST_F(Credentials, AOneTimePasswordWorksOnce) {
  const std::string secret = "12345678901234567890";
  source_.Add("carol", "pw", "carol", AsBytes(secret));
  const auto code = [&](std::int64_t at) {
    return crypto::TotpCode(AsBytes(secret), at / crypto::kTotpStepSeconds);
  };
  const auto show = [&](const std::string& once) {
    return As("gateway", kmip::OneTimePasswordCredential{
                             .username = "carol", .password = "pw", .one_time_password = once});
  };
  const std::string now = code(engine_->clock().Now());
  EXPECT_EQ(show("000000").reason, kRefused);
  EXPECT_TRUE(show(now).ok());
  EXPECT_EQ(show(now).reason, kRefused) << "used";
  engine_->clock().Advance(30);
  EXPECT_TRUE(show(code(engine_->clock().Now())).ok());
  EXPECT_EQ(As("gateway",
               kmip::OneTimePasswordCredential{
                   .username = "Fred", .password = "password1", .one_time_password = "000000"})
                .reason,
            kRefused)
      << "Fred has none";
}

TEST_F(Credentials, ADeviceIsTheUserOfItsFields) {
  const kmip::DeviceCredential device{.serial_number = "S1", .password = "pw", .machine = "M1"};
  source_.Add(device.Name(), "pw", "tape-1");
  EXPECT_TRUE(As("gateway", device).ok());
  kmip::DeviceCredential other = device;
  other.machine = "M2";
  EXPECT_EQ(As("gateway", other).reason, kRefused);
  other = device;
  other.machine.reset();
  EXPECT_EQ(As("gateway", other).reason, kRefused) << "every field counts";
  // No value can pretend to be another field.
  const kmip::DeviceCredential forged{.serial_number = "S1,machine=2:M1", .password = "pw"};
  EXPECT_NE(forged.Name(), device.Name());
}

TEST_F(Credentials, NobodyVerifiesAttestations) {
  EXPECT_EQ(
      As("gateway", kmip::AttestationCredential{.type = kmip::AttestationType::kTPMQuote}).reason,
      ResultReason::kAttestationFailed);
}

TEST(AnyUser, IsBelievedForConformanceRunsOnly) {
  ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20));
  const kmip::Credential fred = kmip::PasswordCredential{.username = "Fred", .password = "1"};
  const kmip::Credential wrong = kmip::PasswordCredential{.username = "Fred", .password = "2"};
  EngineForTest strict;
  EXPECT_FALSE(Send(strict, AskOperations(), fred).ok());
  KmsOptions options;
  options.credential_options.accept_any_user_insecure = true;
  EngineForTest engine(options);
  EXPECT_TRUE(Send(engine, AskOperations(), fred).ok());
  EXPECT_FALSE(Send(engine, AskOperations(), wrong).ok());
  EXPECT_TRUE(Send(engine, AskOperations(), fred).ok());
}

// --- Log, Ping, Interop

TEST(Log, WritesTheMessageIntoTheAuditLog) {
  EngineForTest engine;
  EXPECT_TRUE(engine.Do(kmip::LogRequest{"tape 7 was moved"}).success);
  EXPECT_NE(engine.AuditLines().back().find("tape 7 was moved"), std::string::npos);
  EXPECT_EQ(engine.Do(kmip::LogRequest{std::string(513, 'x')}).reason, ResultReason::kInvalidField);
}

TEST(Ping, IsAnswered) {
  EngineForTest engine;
  EXPECT_TRUE(engine.Do(kmip::PingRequest{}).success);
  EXPECT_EQ(engine.Do(kmip::PingRequest{}, kmip::kVersion2_0).reason,
            ResultReason::kOperationNotSupported);
}

TEST(Interop, ExistsOnTestServersOnlyAndResetsWhatIsOnes) {
  const auto function = [](kmip::InteropFunction f) {
    return kmip::InteropRequest{.function = f, .identifier = "TC"};
  };
  EngineForTest production;
  EXPECT_EQ(production.Do(function(kmip::InteropFunction::kBegin)).reason,
            ResultReason::kOperationNotSupported);
  ServerFacts facts;
  facts.interop = true;
  EngineForTest engine(false, facts);
  const kmip::GetRequest mine{.id = kmip::Identifier(engine.AddAesKey(kKey))};
  const kmip::GetRequest bobs{.id = kmip::Identifier(engine.AddAesKey(kKey, {}, "bob"))};
  EXPECT_TRUE(engine.Do(function(kmip::InteropFunction::kBegin)).success);
  EXPECT_TRUE(engine.Do(function(kmip::InteropFunction::kEnd)).success);
  EXPECT_TRUE(engine.Do(mine).success);
  EXPECT_TRUE(engine.Do(function(kmip::InteropFunction::kReset)).success);
  EXPECT_FALSE(engine.Do(mine).success);
  EXPECT_TRUE(engine.Do(bobs, kmip::kVersion2_1, "bob").success);
}

}  // namespace
}  // namespace dare::engine
