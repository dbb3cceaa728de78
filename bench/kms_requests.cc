#include "kms_requests.h"

#include <cstdio>
#include <cstdlib>

#include "kmip/message.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/encrypt.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/locate.h"
#include "kmip/tags.h"

namespace dare::bench {
namespace {

using kmip::Attribute;
using kmip::Tag;

template <typename Request>
WipingBytes Message(const Request& request) {
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    kmip::RequestHeader header;
    header.version = kmip::kVersion2_1;
    header.batch_count = 1;
    kmip::WriteRequestHeader(out, header);
    out.Structure(Tag::kBatchItem, [&] {
      out.Enum(Tag::kOperation, Request::kOperation);
      out.Structure(Tag::kRequestPayload, [&] { request.Encode(out, header.version); });
    });
  });
  return out.Take();
}

kmip::CreateRequest AesKey() {
  kmip::CreateRequest request;
  kmip::AttributeSet& attributes = request.attributes.attributes;
  attributes.Add(
      Attribute::OfEnumeration(Tag::kCryptographicAlgorithm,
                               static_cast<std::uint32_t>(kmip::CryptographicAlgorithm::kAES)));
  attributes.Add(Attribute::OfInteger(Tag::kCryptographicLength, 256));
  attributes.Add(Attribute::OfInteger(Tag::kCryptographicUsageMask, 12));
  attributes.Add(Attribute::OfDate(Tag::kActivationDate, 1'700'000'000));
  return request;
}

// With associated data, and an IV made by the server.
WipingBytes Encrypt(const std::string& id, ByteView data) {
  static const Bytes aad(48, 0x11);
  kmip::EncryptRequest request;
  request.id = kmip::Identifier(id);
  request.parameters.emplace();
  request.parameters->block_cipher_mode = kmip::BlockCipherMode::kGCM;
  request.parameters->random_iv = true;
  request.parameters->iv_length = 12;
  request.parameters->tag_length = 16;
  request.data = data;
  request.aad = aad;
  return Message(request);
}

}  // namespace

WipingBytes MakeNamedCreate(const std::string& name) {
  kmip::CreateRequest request = AesKey();
  request.attributes.attributes.Add(Attribute::OfName(name));
  return Message(request);
}

std::vector<WipingBytes> MakeRequests(const std::string& operation,
                                      const std::vector<std::string>& ids) {
  std::vector<WipingBytes> requests;
  if (operation == "create") {
    requests.push_back(Message(AesKey()));
    return requests;
  }
  for (const std::string& id : ids) {
    if (operation == "get") {
      kmip::GetRequest request;
      request.id = kmip::Identifier(id);
      requests.push_back(Message(request));
    } else if (operation == "encrypt") {
      // What wrapping a client's DEK costs.
      requests.push_back(Encrypt(id, Bytes(32, 0x5A)));
    } else if (operation == "encrypt-1k") {
      requests.push_back(Encrypt(id, Bytes(1024, 0x5A)));
    } else if (operation == "locate") {
      kmip::LocateRequest request;
      request.attributes.Add(Attribute::OfName(id));
      requests.push_back(Message(request));
    } else {
      std::fprintf(stderr, "no such operation: %s\n", operation.c_str());
      std::exit(2);
    }
  }
  return requests;
}

bool Succeeded(ByteView answer) {
  auto message = kmip::ResponseMessage::Open(answer);
  if (!message) return false;
  auto item = message->Next();
  return item && item->status == kmip::ResultStatus::kSuccess;
}

std::string IdOf(ByteView answer) {
  auto message = kmip::ResponseMessage::Open(answer);
  if (!message) return "";
  auto item = message->Next();
  if (!item || !item->payload) return "";
  auto members = item->payload->Members();
  auto response = kmip::CreateResponse::Decode(*members, kmip::kVersion2_1);
  return response ? response->id : "";
}

}  // namespace dare::bench
