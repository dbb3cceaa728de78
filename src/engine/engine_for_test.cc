#include "engine/engine_for_test.h"

#include <unistd.h>

#include <iostream>
#include <utility>

#include "audit/audit_log.h"
#include "base/file.h"
#include "base/uuid.h"
#include "engine/answer_for_test.h"
#include "engine/kms.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/draft3.h"
#include "kmip/message.h"
#include "kmip/tags.h"
#include "store/memory_store.h"
#include "ttlv/validate.h"

namespace dare::engine {
namespace {

using kmip::Tag;

KmsOptions OptionsOf(bool allow_legacy, ServerFacts facts,
                     crypto::RandomGenerator random_generator) {
  KmsOptions options;
  options.algorithms.allow_legacy = allow_legacy;
  options.facts = std::move(facts);
  options.random_generator = random_generator;
  return options;
}

}  // namespace

EngineForTest::EngineForTest(bool allow_legacy, ServerFacts facts,
                             crypto::RandomGenerator random_generator)
    : EngineForTest(OptionsOf(allow_legacy, std::move(facts), random_generator)) {}

EngineForTest::EngineForTest(KmsOptions options)
    : options_(std::make_unique<KmsOptions>(std::move(options))) {
  char name[] = "/tmp/dare-engine-test.XXXXXX";
  if (::mkdtemp(name) == nullptr) Fail("no temporary folder");
  folder_ = name;
  sealer_ = hsm::MemorySealerForTest::Make();
  store_ = store::MakeMemoryStore();
  auto audit = audit::AuditLog::Open({.folder = folder_ + "/audit"}, clock_);
  if (!audit) Fail(audit.error().message);
  audit_ = std::move(*audit);
  Restart();
}

EngineForTest::~EngineForTest() {
  kms_.reset();
  audit_.reset();
  if (std::system(("rm -rf " + folder_).c_str()) != 0) std::cerr << "cannot remove " << folder_;
}

void EngineForTest::UseObjectPolicy(ObjectPolicy policy) {
  options_->objects = std::move(policy);
  Restart();
}

void EngineForTest::UseIssuer(const CertificateIssuer* issuer) {
  options_->issuer = issuer;
  Restart();
}

void EngineForTest::Restart() {
  kms_.reset();
  auto kms = Kms::Open(*options_, *store_, *sealer_, *audit_, clock_);
  if (!kms) Fail(kms.error().message);
  kms_ = std::move(*kms);
}

void EngineForTest::Fail(const std::string& why) {
  std::cerr << "EngineForTest: " << why << std::endl;
  std::abort();
}

WipingBytes EngineForTest::Exchange(ByteView request, const std::string& principal,
                                    bool administrator) {
  auto caller = std::make_shared<Caller>();
  caller->principal.name = principal;
  caller->principal.administrator = administrator;
  caller->address = "192.0.2.1";
  caller->endpoint = endpoint_;
  WipingBytes answer;
  const Result<bool> answered = kms_->Answer(request, *caller, answer);
  if (!answered) Fail(answered.error().message);
  if (!*answered) {
    answer = SubmitForTest(*kms_, WipingBytes(request.begin(), request.end()), caller).get();
  }
  ttlv::Limits limits;
  limits.max_message_bytes = 16u << 20;
  if (kmip::Draft3Exchange::Speaks(request) &&
      options_->facts.newest_version == kmip::kVersion3_0) {
    // Has items of types that Validate does not know.
    const auto length = ttlv::MessageLength(answer, Tag::kResponseMessage, limits);
    if (!length || *length != answer.size()) Fail("bad answer in 3.0");
    return answer;
  }
  if (auto valid = ttlv::Validate(answer, limits); !valid)
    Fail("bad answer: " + valid.error().message);
  return answer;
}

ItemForTest EngineForTest::DoEncoded(kmip::Operation operation, ByteView payload,
                                     kmip::ProtocolVersion version, const std::string& principal,
                                     bool administrator) {
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    kmip::RequestHeader header;
    header.version = version;
    header.batch_count = 1;
    kmip::WriteRequestHeader(out, header);
    out.Structure(Tag::kBatchItem, [&] {
      out.Enum(Tag::kOperation, operation);
      out.Structure(Tag::kRequestPayload, [&] { out.Raw(payload); });
    });
  });
  const WipingBytes answer = Exchange(out.bytes(), principal, administrator);
  auto message = kmip::ResponseMessage::Open(answer);
  if (!message) Fail(message.error().message);
  auto item = message->Next();
  if (!item) Fail(item.error().message);
  ItemForTest result;
  result.success = item->status == kmip::ResultStatus::kSuccess;
  result.reason = item->reason.value_or(kmip::ResultReason{});
  result.message = item->message;
  if (item->payload) {
    result.payload.assign(item->payload->value.begin(), item->payload->value.end());
  }
  return result;
}

std::string EngineForTest::AddAesKey(ByteView key, const std::vector<kmip::Attribute>& attributes,
                                     const std::string& owner) {
  std::vector<kmip::Attribute> all = {
      kmip::Attribute::OfEnumeration(
          Tag::kCryptographicAlgorithm,
          static_cast<std::uint32_t>(kmip::CryptographicAlgorithm::kAES)),
      kmip::Attribute::OfInteger(Tag::kCryptographicLength,
                                 static_cast<std::int32_t>(key.size() * 8)),
      kmip::Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x0C)};
  all.insert(all.end(), attributes.begin(), attributes.end());
  return AddObject(kmip::ObjectType::kSymmetricKey,
                   *kmip::MakeSymmetricKey(key, kmip::CryptographicAlgorithm::kAES), all, owner);
}

std::string EngineForTest::AddObject(kmip::ObjectType type, SecretBytes material,
                                     const std::vector<kmip::Attribute>& attributes,
                                     const std::string& owner) {
  using kmip::Attribute;
  kmip::ManagedObject object;
  object.id = *NewUuid();
  object.type = type;
  object.owner = owner;
  object.material = std::move(material);
  const auto number = [](auto value) { return static_cast<std::uint32_t>(value); };
  object.attributes.Add(Attribute::OfText(Tag::kUniqueIdentifier, object.id));
  object.attributes.Add(Attribute::OfEnumeration(Tag::kObjectType, number(object.type)));
  object.attributes.Add(Attribute::OfEnumeration(Tag::kState, number(kmip::State::kActive)));
  object.attributes.Add(Attribute::OfDate(Tag::kActivationDate, clock_.Now()));
  object.attributes.Add(Attribute::OfDate(Tag::kInitialDate, clock_.Now()));
  for (const Attribute& attribute : attributes) object.attributes.Set(attribute);
  auto vault = Vault::Open(*store_, *sealer_);
  if (!vault) Fail(vault.error().message);
  auto transaction = store_->Begin();
  if (!transaction) Fail(transaction.error().message);
  if (auto put = (*vault)->Insert(**transaction, object); !put) Fail(put.error().message);
  if (auto done = (*transaction)->Commit(); !done) Fail(done.error().message);
  return object.id;
}

std::vector<std::string> EngineForTest::AuditLines() {
  if (auto flushed = audit_->FlushAndSync(); !flushed) Fail(flushed.error().message);
  std::vector<std::string> lines;
  const auto content = ReadFile(folder_ + "/audit/audit-000001.jsonl");
  if (!content) Fail(content.error().message);
  std::string line;
  for (const char c : AsText(*content)) {
    if (c != '\n') {
      line.push_back(c);
      continue;
    }
    lines.push_back(std::exchange(line, {}));
  }
  return lines;
}

}  // namespace dare::engine
