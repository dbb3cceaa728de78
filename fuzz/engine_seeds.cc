// Writes the seeds of corpus/engine with our own encoder: each operation on a key that is there
// and behind a Create in one batch, in the first, the last 1.x and the newest version of KMIP; and
// messages that once broke something.
#include <cstdio>
#include <optional>
#include <string>

#include "base/file.h"
#include "engine_key.h"
#include "kmip/managed_object.h"
#include "kmip/message.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/add_attribute.h"
#include "kmip/payloads/adjust_attribute.h"
#include "kmip/payloads/check.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/create_split_key.h"
#include "kmip/payloads/decrypt.h"
#include "kmip/payloads/delete_attribute.h"
#include "kmip/payloads/derive_key.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/discover_versions.h"
#include "kmip/payloads/encrypt.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/get_attribute_list.h"
#include "kmip/payloads/get_attributes.h"
#include "kmip/payloads/hash.h"
#include "kmip/payloads/join_split_key.h"
#include "kmip/payloads/locate.h"
#include "kmip/payloads/mac.h"
#include "kmip/payloads/mac_verify.h"
#include "kmip/payloads/modify_attribute.h"
#include "kmip/payloads/query.h"
#include "kmip/payloads/re_key.h"
#include "kmip/payloads/register.h"
#include "kmip/payloads/revoke.h"
#include "kmip/payloads/rng_retrieve.h"
#include "kmip/payloads/rng_seed.h"
#include "kmip/payloads/set_attribute.h"
#include "kmip/payloads/sign.h"
#include "kmip/payloads/signature_verify.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Identifier;
using kmip::Tag;

struct Seeds {
  std::string folder;
  kmip::ProtocolVersion version{};
  bool failed = false;

  void Save(const std::string& name, ByteView bytes) {
    const std::string file = folder + "/" + name + "-" + std::to_string(version.major) + "." +
                             std::to_string(version.minor);
    const Result<void> saved = WriteFileDurably(file, bytes, 0644);
    if (saved.has_value()) return;
    std::fprintf(stderr, "%s: %s\n", file.c_str(), saved.error().message.c_str());
    failed = true;
  }
  template <typename Request>
  void Item(ttlv::Writer& out, const Request& request) {
    out.Structure(Tag::kBatchItem, [&] {
      out.Enum(Tag::kOperation, Request::kOperation);
      const std::uint8_t id[] = {static_cast<std::uint8_t>(out.size())};
      out.ByteString(Tag::kUniqueBatchItemID, id);
      out.Structure(Tag::kRequestPayload, [&] { request.Encode(out, version); });
    });
  }
  template <typename WriteItems>
  void Message(const std::string& name, std::int32_t count,
               kmip::BatchErrorContinuationOption option, WriteItems write) {
    kmip::RequestHeader header;
    header.version = version;
    header.batch_count = count;
    header.on_error = option;
    header.on_error_given = true;
    ttlv::Writer out;
    out.Structure(Tag::kRequestMessage, [&] {
      kmip::WriteRequestHeader(out, header);
      write(out);
    });
    Save(name, out.bytes());
  }
  template <typename Request>
  void Alone(const std::string& name, const Request& request) {
    Message(name, 1, kmip::BatchErrorContinuationOption::kStop,
            [&](ttlv::Writer& out) { Item(out, request); });
  }
  // One message after the other.
  template <typename... Requests>
  void Conversation(const std::string& name, const Requests&... requests) {
    ttlv::Writer out;
    const auto message = [&](const auto& request) {
      kmip::RequestHeader header;
      header.version = version;
      header.batch_count = 1;
      out.Structure(Tag::kRequestMessage, [&] {
        kmip::WriteRequestHeader(out, header);
        Item(out, request);
      });
    };
    (message(requests), ...);
    Save(name, out.bytes());
  }
  // On a key that is there; and, by the ID Placeholder, on one that the batch has made.
  template <typename Request>
  void OnKey(const std::string& name, Request request);
};

kmip::CreateRequest NewKey() {
  kmip::CreateRequest request;
  request.object_type = kmip::ObjectType::kSymmetricKey;
  kmip::AttributeSet& attributes = request.attributes.attributes;
  attributes.Add(
      Attribute::OfEnumeration(Tag::kCryptographicAlgorithm,
                               static_cast<std::uint32_t>(kmip::CryptographicAlgorithm::kAES)));
  attributes.Add(Attribute::OfInteger(Tag::kCryptographicLength, 256));
  attributes.Add(Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x0C));
  attributes.Add(Attribute::OfDate(Tag::kActivationDate, 1'600'000'000));
  attributes.Add(Attribute::OfName("a key"));
  return request;
}

template <typename Request>
void Seeds::OnKey(const std::string& name, Request request) {
  request.id = Identifier(kKeyForFuzz);
  Alone(name, request);
  request.id = Identifier();
  Message(name + "-of-new", 2, kmip::BatchErrorContinuationOption::kUndo, [&](ttlv::Writer& out) {
    Item(out, NewKey());
    Item(out, request);
  });
}

kmip::CryptographicParameters Gcm() {
  kmip::CryptographicParameters parameters;
  parameters.block_cipher_mode = kmip::BlockCipherMode::kGCM;
  parameters.random_iv = true;
  parameters.iv_length = 12;
  parameters.tag_length = 16;
  return parameters;
}

void Uses(Seeds& seeds) {
  static const Bytes data(32, 0x55);
  static const Bytes iv(12, 0x11);
  kmip::EncryptRequest encrypt{.parameters = Gcm()};
  encrypt.data = data;
  seeds.OnKey("encrypt", encrypt);
  encrypt.init = true;
  seeds.OnKey("encrypt-part", encrypt);
  kmip::DecryptRequest decrypt{.parameters = Gcm()};
  decrypt.data = data;
  decrypt.iv = iv;
  decrypt.tag = ByteView(data).first(16);
  seeds.OnKey("decrypt", decrypt);
  kmip::MacRequest mac;
  mac.parameters.emplace().block_cipher_mode = kmip::BlockCipherMode::kCMAC;
  mac.data = data;
  seeds.OnKey("mac", mac);
  kmip::GetRequest get;
  seeds.OnKey("get", get);
  get.wrapping.emplace().encryption.emplace().id = kKeyForFuzz;
  get.wrapping->encryption->parameters.emplace().block_cipher_mode =
      kmip::BlockCipherMode::kNISTKeyWrap;
  get.wrapping->encoding = kmip::EncodingOption::kTTLVEncoding;
  seeds.OnKey("get-wrapped", get);
}

void Parts(Seeds& seeds) {
  static const Bytes data(32, 0x55);
  kmip::HashRequest hash;
  hash.parameters.hashing_algorithm = kmip::HashingAlgorithm::kSHA_256;
  hash.data = data;
  seeds.Alone("hash", hash);
  kmip::MacVerifyRequest verify{.id = Identifier(kKeyForFuzz)};
  verify.parameters.emplace().hashing_algorithm = kmip::HashingAlgorithm::kSHA_256;
  verify.data = data;
  verify.mac = data;
  seeds.Alone("mac-verify", verify);
  kmip::SignRequest sign{.id = Identifier(kKeyForFuzz)};
  sign.data = data;
  seeds.Alone("sign", sign);
  kmip::SignatureVerifyRequest verify_signature{.id = Identifier(kKeyForFuzz)};
  verify_signature.data = data;
  verify_signature.signature = data;
  seeds.Alone("signature-verify", verify_signature);
  kmip::RngSeedRequest seed;
  seed.data = data;
  seeds.Alone("rng-seed", seed);
  if (seeds.version < kmip::kVersion1_3) return;
  hash.init = true;
  kmip::HashRequest last = hash;
  last.init.reset();
  last.correlation = AsBytes(kCorrelationForFuzz);
  last.final = true;
  seeds.Conversation("hash-in-parts", hash, last);
  verify.init = true;
  kmip::MacVerifyRequest end = verify;
  end.init.reset();
  end.correlation = AsBytes(kCorrelationForFuzz);
  end.final = true;
  seeds.Conversation("mac-verify-in-parts", verify, end);
}

void Derivations(Seeds& seeds) {
  static const Bytes data(16, 0x55);
  using Method = kmip::DerivationMethod;
  for (const auto& [name, method] :
       {std::pair{"pbkdf2", Method::kPBKDF2}, std::pair{"hash", Method::kHASH},
        std::pair{"hmac", Method::kHMAC}, std::pair{"encrypt", Method::kENCRYPT},
        std::pair{"counter", Method::kNIST800_108_C}, std::pair{"feedback", Method::kNIST800_108_F},
        std::pair{"pipeline", Method::kNIST800_108_DPI}, std::pair{"hkdf", Method::kHKDF},
        std::pair{"aws", Method::kAWSSignatureVersion4},
        std::pair{"agreement", Method::kAsymmetricKey}}) {
    kmip::DeriveKeyRequest derive;
    derive.ids = {Identifier(kKeyForFuzz)};
    derive.method = method;
    derive.attributes = NewKey().attributes;
    auto& parameters = derive.derivation.parameters.emplace();
    parameters.hashing_algorithm = kmip::HashingAlgorithm::kSHA_256;
    parameters.block_cipher_mode = kmip::BlockCipherMode::kCBC;
    if (method != Method::kPBKDF2 && method != Method::kHASH) derive.derivation.data = {data};
    if (method == Method::kAWSSignatureVersion4) derive.derivation.data = {data, data, data};
    derive.derivation.iv = data;
    derive.derivation.salt = data;
    derive.derivation.iterations = 2;
    seeds.Alone(std::string("derive-key-") + name, derive);
  }
}

void Splits(Seeds& seeds) {
  if (seeds.version < kmip::kVersion1_2) return;
  for (const std::uint32_t method : {1u, 2u, 3u, 4u}) {
    kmip::CreateSplitKeyRequest split{.id = Identifier(kKeyForFuzz), .parts = 3, .threshold = 3};
    split.method = kmip::SplitKeyMethod{method};
    kmip::JoinSplitKeyRequest join;
    for (std::size_t n = 1; n <= 3; ++n) join.ids.emplace_back(AnsweredIdForFuzz(n));
    seeds.Conversation("split-and-join-" + std::to_string(method), split, join);
  }
}

void Attributes(Seeds& seeds) {
  const kmip::AttributeIn name{.attribute = Attribute::OfName("another")};
  const kmip::AttributeIn date{.attribute = Attribute::OfDate(Tag::kDeactivationDate, INT64_MAX)};
  seeds.OnKey("get-attributes", kmip::GetAttributesRequest{});
  seeds.OnKey("get-attribute-list", kmip::GetAttributeListRequest{});
  seeds.OnKey("add-attribute", kmip::AddAttributeRequest{.attribute = name});
  seeds.OnKey("modify-attribute", kmip::ModifyAttributeRequest{.attribute = date});
  seeds.OnKey("delete-attribute",
              kmip::DeleteAttributeRequest{.reference = kmip::ReferenceTo(name.attribute)});
  if (seeds.version.major < 2) return;
  seeds.OnKey("set-attribute", kmip::SetAttributeRequest{.attribute = date});
  seeds.OnKey("adjust-attribute",
              kmip::AdjustAttributeRequest{.reference = {Tag::kCryptographicUsageMask, "", ""},
                                           .type = kmip::AdjustmentType::kIncrement});
}

void Life(Seeds& seeds) {
  seeds.Alone("create", NewKey());
  seeds.OnKey("activate", kmip::ActivateRequest{});
  seeds.OnKey("revoke", kmip::RevokeRequest{.reason = kmip::RevocationReasonCode::kKeyCompromise});
  seeds.OnKey("destroy", kmip::DestroyRequest{});
  seeds.OnKey("check", kmip::CheckRequest{.usage_limits_count = 1});
  seeds.OnKey("re-key", kmip::ReKeyRequest{.offset = 0});
  kmip::LocateRequest locate;
  locate.maximum_items = 3;
  locate.attributes.Add(Attribute::OfName("a key"));
  seeds.Alone("locate", locate);
  seeds.Alone("query", kmip::QueryRequest{.functions = {kmip::QueryFunction::kQueryOperations}});
  seeds.Alone("discover-versions", kmip::DiscoverVersionsRequest{});
  seeds.Alone("rng-retrieve", kmip::RngRetrieveRequest{.length = 16});
  const auto key = kmip::MakeSymmetricKey(Bytes(32, 1), kmip::CryptographicAlgorithm::kAES);
  kmip::RegisterRequest put{.object_type = kmip::ObjectType::kSymmetricKey};
  put.attributes = NewKey().attributes;
  put.object = *ttlv::ParseItem(key->Reveal());
  seeds.Alone("register", put);
}

void OnceBroken(Seeds& seeds) {
  // Read again and again for ever.
  seeds.Message("no-batch-item", 2, kmip::BatchErrorContinuationOption::kContinue,
                [&](ttlv::Writer& out) {
                  out.Structure(Tag::kRequestPayload, [] {});
                  seeds.Item(out, kmip::RngRetrieveRequest{.length = 8});
                });
  // Answered with success for what was undone.
  seeds.Message("undo-before-unreadable", 2, kmip::BatchErrorContinuationOption::kUndo,
                [&](ttlv::Writer& out) {
                  seeds.Item(out, NewKey());
                  out.Structure(Tag::kBatchItem, [] {});
                });
}

}  // namespace
}  // namespace dare::engine

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: engine_seeds FOLDER\n");
    return 2;
  }
  if (auto heap = dare::StartSecureHeap(1 << 16); !heap) return 1;
  dare::engine::Seeds seeds{.folder = argv[1]};
  for (const auto version :
       {dare::kmip::kVersion1_0, dare::kmip::kVersion1_4, dare::kmip::kVersion2_1}) {
    seeds.version = version;
    dare::engine::Life(seeds);
    dare::engine::Attributes(seeds);
    dare::engine::Uses(seeds);
    dare::engine::Parts(seeds);
    dare::engine::Derivations(seeds);
    dare::engine::Splits(seeds);
    dare::engine::OnceBroken(seeds);
  }
  return seeds.failed ? 1 : 0;
}
