// Writes the seeds of corpus/ttlv with our own encoder: small messages of the shapes KMIP has,
// items of every type at their edges, and for each rule of the encoding one item that breaks it.
#include <cstdio>
#include <string>

#include "base/file.h"
#include "kmip/enums.h"
#include "kmip/tags.h"
#include "ttlv/writer.h"

namespace dare::ttlv {
namespace {

using kmip::Tag;

struct Seeds {
  std::string folder;
  bool failed = false;

  void Save(const std::string& name, ByteView bytes) {
    const Result<void> saved = WriteFileDurably(folder + "/" + name, bytes, 0644);
    if (saved.has_value()) return;
    std::fprintf(stderr, "%s: %s\n", name.c_str(), saved.error().message.c_str());
    failed = true;
  }
  template <typename Write>
  void Of(const std::string& name, Write&& write) {
    Writer out;
    write(out);
    Save(name, out.bytes());
  }
  // One item that breaks a rule, alone and in a message.
  void Broken(const std::string& name, const std::string& hex) {
    const Bytes item = *FromHex(hex);
    Save("broken-" + name, item);
    Of("broken-" + name + "-inside", [&](Writer& out) {
      out.Structure(Tag::kRequestMessage,
                    [&] { out.Raw(ByteView(item).first(item.size() / 8 * 8)); });
    });
  }
};

void Header(Writer& out, Tag tag, std::int32_t major, std::int32_t minor, std::int32_t count) {
  out.Structure(tag, [&] {
    out.Structure(Tag::kProtocolVersion, [&] {
      out.Integer(Tag::kProtocolVersionMajor, major);
      out.Integer(Tag::kProtocolVersionMinor, minor);
    });
    if (tag == Tag::kResponseHeader) out.DateTime(Tag::kTimeStamp, 1700000000);
    out.Integer(Tag::kBatchCount, count);
  });
}

template <typename Payload>
void Request(Seeds& seeds, const std::string& name, std::int32_t major, std::int32_t minor,
             kmip::Operation operation, Payload&& payload) {
  seeds.Of("request-" + name, [&](Writer& out) {
    out.Structure(Tag::kRequestMessage, [&] {
      Header(out, Tag::kRequestHeader, major, minor, 1);
      out.Structure(Tag::kBatchItem, [&] {
        out.Enum(Tag::kOperation, operation);
        out.Structure(Tag::kRequestPayload, [&] { payload(out); });
      });
    });
  });
}

void Requests(Seeds& seeds) {
  Request(seeds, "query", 1, 0, kmip::Operation::kQuery, [](Writer& out) {
    out.Enum(Tag::kQueryFunction, kmip::QueryFunction::kQueryOperations);
    out.Enum(Tag::kQueryFunction, kmip::QueryFunction::kQueryObjects);
  });
  Request(seeds, "discover", 1, 1, kmip::Operation::kDiscoverVersions, [](Writer&) {});
  Request(seeds, "create-1", 1, 4, kmip::Operation::kCreate, [](Writer& out) {
    out.Enum(Tag::kObjectType, kmip::ObjectType::kSymmetricKey);
    out.Structure(Tag::kTemplateAttribute, [&] {
      out.Structure(Tag::kAttribute, [&] {
        out.Text(Tag::kAttributeName, "Cryptographic Algorithm");
        out.Enum(Tag::kAttributeValue, kmip::CryptographicAlgorithm::kAES);
      });
      out.Structure(Tag::kAttribute, [&] {
        out.Text(Tag::kAttributeName, "Cryptographic Length");
        out.Integer(Tag::kAttributeIndex, 0);
        out.Integer(Tag::kAttributeValue, 256);
      });
    });
  });
  Request(seeds, "create-2", 2, 1, kmip::Operation::kCreate, [](Writer& out) {
    out.Enum(Tag::kObjectType, kmip::ObjectType::kSymmetricKey);
    out.Structure(Tag::kAttributes, [&] {
      out.Enum(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kAES);
      out.Integer(Tag::kCryptographicLength, 256);
      out.Integer(Tag::kCryptographicUsageMask, 12);
      out.Structure(Tag::kName, [&] {
        out.Text(Tag::kNameValue, "kek \xE2\x82\xAC");
        out.Enum(Tag::kNameType, kmip::NameType::kUninterpretedTextString);
      });
    });
  });
  Request(seeds, "encrypt", 2, 0, kmip::Operation::kEncrypt, [](Writer& out) {
    out.Text(Tag::kUniqueIdentifier, "b4d0c0de");
    out.ByteString(Tag::kData, Bytes(32, 0xAA));
    out.ByteString(Tag::kIVCounterNonce, Bytes(12, 1));
    out.ByteString(Tag::kAuthenticatedEncryptionAdditionalData, AsBytes("context"));
  });
  Request(seeds, "locate", 1, 2, kmip::Operation::kLocate,
          [](Writer& out) { out.Integer(Tag::kMaximumItems, 1); });
}

void Responses(Seeds& seeds) {
  seeds.Of("response-failure", [](Writer& out) {
    out.Structure(Tag::kResponseMessage, [&] {
      Header(out, Tag::kResponseHeader, 1, 4, 1);
      out.Structure(Tag::kBatchItem, [&] {
        out.Enum(Tag::kOperation, kmip::Operation::kGet);
        out.Enum(Tag::kResultStatus, kmip::ResultStatus::kOperationFailed);
        out.Enum(Tag::kResultReason, kmip::ResultReason::kItemNotFound);
        out.Text(Tag::kResultMessage, "no such object");
      });
    });
  });
  seeds.Of("response-get", [](Writer& out) {
    out.Structure(Tag::kResponseMessage, [&] {
      Header(out, Tag::kResponseHeader, 1, 4, 2);
      for (std::uint8_t item = 1; item <= 2; ++item) {
        out.Structure(Tag::kBatchItem, [&] {
          out.Enum(Tag::kOperation, kmip::Operation::kGet);
          out.ByteString(Tag::kUniqueBatchItemID, Bytes{item});
          out.Enum(Tag::kResultStatus, kmip::ResultStatus::kSuccess);
          out.Structure(Tag::kResponsePayload, [&] {
            out.Structure(Tag::kSymmetricKey, [&] {
              out.Structure(Tag::kKeyBlock, [&] {
                out.Enum(Tag::kKeyFormatType, kmip::KeyFormatType::kRaw);
                out.Structure(Tag::kKeyValue,
                              [&] { out.ByteString(Tag::kKeyMaterial, Bytes(16, item)); });
              });
            });
          });
        });
      }
    });
  });
}

void Types(Seeds& seeds) {
  const Tag tag = Tag::kAttributeValue;
  seeds.Of("item-integer", [=](Writer& out) { out.Integer(tag, -2147483647 - 1); });
  seeds.Of("item-long", [=](Writer& out) { out.LongInteger(tag, 123456789000000000); });
  seeds.Of("item-big", [=](Writer& out) { out.BigInteger(tag, Bytes(9, 0x80)); });
  seeds.Of("item-enumeration", [=](Writer& out) { out.Enumeration(tag, 0x80000001); });
  seeds.Of("item-boolean", [=](Writer& out) { out.Boolean(tag, true); });
  seeds.Of("item-text-empty", [=](Writer& out) { out.Text(tag, ""); });
  seeds.Of("item-text-utf8",
           [=](Writer& out) { out.Text(tag, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91"); });
  seeds.Of("item-bytes", [=](Writer& out) { out.ByteString(tag, Bytes(9, 0)); });
  seeds.Of("item-date", [=](Writer& out) { out.DateTime(tag, -1); });
  seeds.Of("item-interval", [=](Writer& out) { out.Interval(tag, 0xFFFFFFFF); });
  seeds.Of("item-date-extended", [=](Writer& out) { out.DateTimeExtended(tag, 1205495800123456); });
  seeds.Of("item-extension", [](Writer& out) { out.Structure(static_cast<Tag>(0x54ABCD), [] {}); });
  seeds.Of("nested", [](Writer& out) {
    std::vector<Writer::Mark> marks;
    for (int i = 0; i < 33; ++i) marks.push_back(out.Begin(Tag::kAttributes));
    for (auto mark = marks.rbegin(); mark != marks.rend(); ++mark) out.End(*mark);
  });
}

void Breaks(Seeds& seeds) {
  seeds.Broken("tag", "43000b02000000040000000800000000");
  seeds.Broken("type", "42000b0c000000040000000800000000");
  seeds.Broken("integer-length", "42000b02000000080000000000000008");
  seeds.Broken("big-length", "42000b04000000040000000100000000");
  seeds.Broken("boolean", "42000b06000000080000000000000002");
  seeds.Broken("utf8", "42000b0700000002c328000000000000");
  seeds.Broken("padding", "42000b08000000030102030000000001");
  seeds.Broken("length", "42000b08fffffff90000000000000000");
  seeds.Broken("structure", "42000b010000001842000a02000000040000000800000000");
}

}  // namespace
}  // namespace dare::ttlv

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: ttlv_seeds FOLDER\n");
    return 2;
  }
  dare::ttlv::Seeds seeds{argv[1]};
  Requests(seeds);
  Responses(seeds);
  Types(seeds);
  Breaks(seeds);
  return seeds.failed ? 1 : 0;
}
