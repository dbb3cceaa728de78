// What a reader must refuse (formats/esdk-v2.md, section 7), each point with a message that is
// right in everything else: all tags that come after the fault are good, so only the check named
// catches it. The messages are put together here, byte by byte, and not by the writer.
#include <gtest/gtest.h>
#include <openssl/ec.h>

#include <functional>

#include "crypto/aead.h"
#include "envelope/envelope_for_test.h"
#include "envelope/footer_signature.h"
#include "envelope/message_opener.h"

namespace dare::envelope {
namespace {

constexpr std::uint32_t kFrame = 16;

struct Frame {
  std::uint32_t sequence;
  std::uint32_t iv_sequence;
  Bytes plain;
  bool final = false;
  std::uint32_t stored_length = 0;  // of a final frame
};

// The parts of a message, good as they are made.
struct Parts {
  std::uint8_t version = 2;
  std::uint8_t type = 0x80;           // version 1
  std::uint16_t suite = 0x0478;       // as it stands there
  std::uint16_t real_suite = 0x0478;  // whose keys are derived
  Bytes context;                      // serialised
  Bytes required;                     // serialised; authenticated, not stored
  std::size_t dek_size = 32;
  std::optional<std::uint16_t> edk_count;
  std::uint8_t content_type = 2;
  std::uint32_t reserved = 0;   // version 1
  std::uint8_t iv_length = 12;  // version 1
  std::uint32_t frame_length = kFrame;
  std::vector<Frame> frames;
  bool sign = false;
  Bytes behind;
  std::function<void(Bytes& header)> damage_header = [](Bytes&) {};

  Parts() { frames = {{1, 1, Bytes(kFrame, 'a')}, {2, 2, Bytes(5, 'b'), true, 5}}; }
};

void AppendNumber(Bytes& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}
void AppendField(Bytes& out, ByteView field) {
  AppendNumber(out, field.size(), 2);
  Append(out, field);
}

Bytes Pairs(const std::vector<std::pair<std::string, std::string>>& pairs,
            std::optional<std::uint16_t> count = std::nullopt) {
  Bytes out;
  AppendNumber(out, count.value_or(static_cast<std::uint16_t>(pairs.size())), 2);
  for (const auto& [key, value] : pairs) {
    AppendField(out, AsBytes(key));
    AppendField(out, AsBytes(value));
  }
  return out;
}

Bytes Id(const Parts& parts) { return Bytes(parts.version == 1 ? 16 : 32, 0x21); }

MessageKeys KeysOf(const Parts& parts, const Dek& dek) {
  AlgorithmSuite suite = *FindSuite(parts.real_suite);
  if (dek.size() != suite.key_length) suite.key_length = dek.size();
  return DeriveMessageKeys(suite, Id(parts), dek).value();
}

Bytes FrameAad(const Parts& parts, const Frame& frame) {
  Bytes aad = Id(parts);
  Append(aad, AsBytes(frame.final ? "AWSKMSEncryptionClient Final Frame"
                                  : "AWSKMSEncryptionClient Frame"));
  AppendNumber(aad, frame.sequence, 4);
  AppendNumber(aad, frame.plain.size(), 8);
  return aad;
}

Bytes EncodeFrame(const Parts& parts, const Frame& frame, crypto::Aead& aead) {
  Bytes out;
  if (frame.final) AppendNumber(out, 0xFFFFFFFF, 4);
  AppendNumber(out, frame.sequence, 4);
  Bytes iv(8);
  AppendNumber(iv, frame.iv_sequence, 4);
  Append(out, iv);
  if (frame.final) AppendNumber(out, frame.stored_length, 4);
  Bytes data = frame.plain;
  Bytes tag(16);
  EXPECT_TRUE(aead.SealInPlace(iv, FrameAad(parts, frame), data, tag));
  Append(out, data);
  Append(out, tag);
  return out;
}

Bytes HeaderBody(const Parts& parts, const EncryptedDataKey& edk, const MessageKeys& keys) {
  Bytes body{parts.version};
  if (parts.version == 1) body.push_back(parts.type);
  AppendNumber(body, parts.suite, 2);
  Append(body, Id(parts));
  AppendField(body, parts.context);
  AppendNumber(body, parts.edk_count.value_or(1), 2);
  if (parts.edk_count.value_or(1) != 0) {
    AppendField(body, AsBytes(edk.provider_id));
    AppendField(body, edk.provider_info);
    AppendField(body, edk.ciphertext);
  }
  body.push_back(parts.content_type);
  if (parts.version == 1) {
    AppendNumber(body, parts.reserved, 4);
    body.push_back(parts.iv_length);
  }
  AppendNumber(body, parts.frame_length, 4);
  Append(body, keys.commitment);
  return body;
}

Bytes Build(Parts parts, const Keyring& keyring = KekForTest(1)) {
  std::optional<SignatureMaker> signature;
  if (parts.sign) {
    signature = SignatureMaker::Create().value();
    parts.context = Pairs({{"aws-crypto-public-key", signature->public_key()}});
  }
  const Dek dek(SecretForTest(Bytes(parts.dek_size, 0x17)));
  // Stored and required pairs are bound into the wrap as one context.
  const Bytes& bound = parts.required.empty() ? parts.context : parts.required;
  const EncryptedDataKey edk = keyring[0]->Wrap(dek, bound).value();
  const MessageKeys keys = KeysOf(parts, dek);
  crypto::Aead aead = crypto::Aead::CreateOnOpenSsl(keys.data_key.Reveal()).value();

  Bytes header = HeaderBody(parts, edk, keys);
  parts.damage_header(header);
  Bytes aad = header;
  Append(aad, parts.required);
  Bytes tag(16);
  EXPECT_TRUE(aead.SealInPlace(Bytes(12), aad, {}, tag));
  if (parts.version == 1) Append(header, Bytes(12));
  Append(header, tag);
  Bytes message = std::move(header);
  for (const Frame& frame : parts.frames) Append(message, EncodeFrame(parts, frame, aead));
  if (signature) {
    EXPECT_TRUE(signature->Update(message));
    Append(message, signature->Footer().value());
  }
  Append(message, parts.behind);
  return message;
}

ReadOptions AllowAll() {
  ReadOptions options;
  options.commitment = CommitmentPolicy::kInsecureAllow;
  return options;
}

// The plaintext in words, or the error.
std::string Verdict(const Bytes& message, const ReadOptions& options = AllowAll()) {
  const auto opened = OpenMessage(message, KekForTest(1), options);
  if (opened) return std::string(AsText(*opened));
  EXPECT_EQ(opened.error().code, Code::kDamaged) << opened.error().message;
  return opened.error().message;
}
std::string Verdict(const Parts& parts) { return Verdict(Build(parts)); }

const std::string kGood = std::string(kFrame, 'a') + "bbbbb";
const std::string kNotAuthentic = "authentication failed";

Parts Version1(std::uint16_t suite = 0x0178) {
  Parts parts;
  parts.version = 1;
  parts.suite = parts.real_suite = suite;
  return parts;
}

TEST(Rejections, MessagesWithoutAFaultOpen) {
  EXPECT_EQ(Verdict(Parts()), kGood);
  EXPECT_EQ(Verdict(Version1()), kGood);
  Parts parts;
  parts.context = Pairs({{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(Verdict(parts), kGood);
  parts = Parts();
  parts.suite = parts.real_suite = 0x0578;
  parts.sign = true;
  EXPECT_EQ(Verdict(parts), kGood);
  parts = Parts();
  parts.frames = {{1, 1, Bytes(kFrame, 'a')}, {2, 2, {}, true, 0}};  // an empty final frame
  EXPECT_EQ(Verdict(parts), std::string(kFrame, 'a'));
}

//= esdk-v2 7.1 version not 01/02; type not 80 (v1); unknown suite; suite of the other header
//# version; reserved ≠ 0; IV length ≠ 12
TEST(Rejections, Number1WrongVersionTypeSuiteOrReservedBytes) {
  for (const std::uint8_t version : {0, 3, 0x80, 0xFF}) {
    Parts parts;
    parts.damage_header = [version](Bytes& header) { header[0] = version; };
    EXPECT_EQ(Verdict(parts), "message header: unknown version") << int{version};
  }
  Parts parts = Version1();
  parts.type = 0x81;
  EXPECT_EQ(Verdict(parts), "message header: unknown message type");
  for (const std::uint16_t suite : {0x0000, 0x0070, 0x0074, 0x6700, 0x6701, 0x0479, 0x7804}) {
    parts = Parts();
    parts.suite = suite;
    EXPECT_EQ(Verdict(parts), "message header: unknown algorithm suite") << suite;
  }
  parts = Parts();
  parts.suite = 0x0178;
  EXPECT_EQ(Verdict(parts), "message header: suite of another header version");
  parts = Version1();
  parts.suite = 0x0478;
  EXPECT_EQ(Verdict(parts), "message header: suite of another header version");
  parts = Version1();
  parts.reserved = 1;
  EXPECT_EQ(Verdict(parts), "message header: reserved bytes are not zero");
  for (const std::uint8_t length : {0, 11, 13, 16}) {
    parts = Version1();
    parts.iv_length = length;
    EXPECT_EQ(Verdict(parts), "message header: wrong IV length");
  }
}

//= esdk-v2 7.2 context: count 0 with length ≠ 0, length that does not end exactly after the pairs,
//# duplicate key, unsorted keys, invalid UTF-8
TEST(Rejections, Number2ContextsThatDoNotFollowTheFormat) {
  const std::pair<Bytes, std::string> cases[] = {
      {Pairs({}), "has a length but no pairs"},
      {Pairs({{"a", "1"}}, 2), "ends inside a pair"},
      {Pairs({{"a", "1"}, {"b", "2"}}, 1), "has bytes after its last pair"},
      {Pairs({{"a", "1"}, {"a", "1"}}), "keys are not sorted and unique"},
      {Pairs({{"b", "1"}, {"a", "1"}}), "keys are not sorted and unique"},
      {Pairs({{"a\xFF", "1"}}), "not UTF-8"},
      {Pairs({{"a", "\xC0\x80"}}), "not UTF-8"},
      {Bytes{0}, "too short"},
  };
  for (const auto& [context, text] : cases) {
    Parts parts;
    parts.context = context;
    EXPECT_EQ(Verdict(parts), "encryption context: " + text);
  }
}

//= esdk-v2 7.3 EDK count 0 or above the limit
TEST(Rejections, Number3NoWrappedKeyOrTooMany) {
  Parts parts;
  parts.edk_count = 0;
  EXPECT_EQ(Verdict(parts), "message header: no wrapped data key");
  ReadOptions options = AllowAll();
  options.limits.edks = 0;
  EXPECT_EQ(Verdict(Build(Parts()), options),
            "message header: more wrapped data keys than the limit");
}

//= esdk-v2 7.4 content type not 01/02; frame length 0 when framed; ≠ 0 when non-framed
TEST(Rejections, Number4WrongContentTypeOrFrameLength) {
  for (const std::uint8_t type : {0, 3, 255}) {
    Parts parts;
    parts.content_type = type;
    EXPECT_EQ(Verdict(parts), "message header: unknown content type");
  }
  Parts parts;
  parts.frame_length = 0;
  EXPECT_EQ(Verdict(parts), "message header: wrong frame length");
  parts = Parts();
  parts.content_type = 1;
  EXPECT_EQ(Verdict(parts), "message header: wrong frame length");
}

//= esdk-v2 7.5 suite not allowed by the commitment policy
TEST(Rejections, Number5SuitesWithoutCommitmentUnlessAskedFor) {
  for (const std::uint16_t suite : {0x0078, 0x0178}) {
    EXPECT_EQ(Verdict(Build(Version1(suite)), ReadOptions()),
              "the message does not commit to its key, which is required");
    EXPECT_EQ(Verdict(Version1(suite)), kGood);
  }
}

//= esdk-v2 7.6 aws-crypto-public-key missing in a signed suite or present in an unsigned one
TEST(Rejections, Number6APublicKeyWhereThereIsNoSignatureOrNoneWhereThereIs) {
  const std::string text =
      "message header: a public key belongs to signed suites, and only to them";
  Parts parts;
  parts.context = Pairs({{"aws-crypto-public-key", "x"}});
  EXPECT_EQ(Verdict(parts), text);
  parts = Parts();
  parts.suite = parts.real_suite = 0x0578;
  EXPECT_EQ(Verdict(parts), text);
}

//= esdk-v2 7.7 a required (reproduced) pair that contradicts a stored pair
TEST(Rejections, Number7PairsThatContradictOrAreNotReproduced) {
  Parts parts;
  parts.context = Pairs({{"tenant", "acme"}});
  const Bytes message = Build(parts);
  ReadOptions options = AllowAll();
  ASSERT_TRUE(options.reproduced_context.Add("tenant", "evil"));
  EXPECT_EQ(Verdict(message, options),
            "encryption context: the given pairs contradict the stored ones");
  options = AllowAll();
  ASSERT_TRUE(options.reproduced_context.Add("tenant", "acme"));
  EXPECT_EQ(Verdict(message, options), kGood);
  ASSERT_TRUE(options.reproduced_context.Add("more", "x"));
  EXPECT_EQ(Verdict(message, options), kNotAuthentic);

  parts = Parts();
  parts.required = Pairs({{"object", "7"}});
  const Bytes required = Build(parts);
  EXPECT_EQ(Verdict(required), kNotAuthentic);
  options = AllowAll();
  ASSERT_TRUE(options.reproduced_context.Add("object", "7"));
  EXPECT_EQ(Verdict(required, options), kGood);
}

//= esdk-v2 7.8 no EDK unwraps; unwrapped DEK of the wrong length
TEST(Rejections, Number8NoKeyThatFitsOrOneOfTheWrongLength) {
  EXPECT_EQ(Verdict(Build(Parts(), KekForTest(2))), kNotAuthentic);
  EXPECT_EQ(Verdict(Build(Parts(), KekForTest(1, "another-name"))), kNotAuthentic);
  for (const std::size_t size : {16, 24}) {
    Parts parts;
    parts.dek_size = size;
    EXPECT_EQ(Verdict(parts), kNotAuthentic);
  }
}

//= esdk-v2 7.9 commitment differs
//= esdk-v2 7.10 header tag wrong
TEST(Rejections, Numbers9And10WrongCommitmentOrHeaderTag) {
  Parts parts;
  parts.damage_header = [](Bytes& header) { header.back() ^= 1; };
  EXPECT_EQ(Verdict(parts), kNotAuthentic) << "commitment, under a tag that covers it";
  Bytes message = Build(Parts());
  MemorySource in(message);
  const std::size_t header_size = ReadHeader(in, {})->size();
  message[header_size - 1] ^= 1;
  EXPECT_EQ(Verdict(message), kNotAuthentic) << "tag";
  // The IV of version 1 is used as it is stored.
  Bytes version1 = Build(Version1());
  MemorySource in1(version1);
  const std::size_t size1 = ReadHeader(in1, {})->size();
  version1[size1 - 28] ^= 1;
  EXPECT_EQ(Verdict(version1), kNotAuthentic);
}

//= esdk-v2 7.11 frame sequence not the expected one; stored IV ≠ sequence; final n > L; any tag
// wrong
TEST(Rejections, Number11FramesOutOfOrderOrOfWrongForm) {
  const std::string order = "a frame is out of order";
  const Frame one{1, 1, Bytes(kFrame, 'a')}, two{2, 2, Bytes(kFrame, 'c')};
  const Frame last{3, 3, Bytes(5, 'b'), true, 5};
  const std::vector<Frame> wrong[] = {
      {two, one, last},
      {one, one, last},
      {one, last},
      {{0, 0, Bytes(kFrame, 'a')}, two, last},
      {{1, 2, Bytes(kFrame, 'a')}, two, last},  // its IV is another frame's, and its tag is good
      {one, two, {3, 2, Bytes(5, 'b'), true, 5}},
      {one, two, {4, 4, Bytes(5, 'b'), true, 5}},
  };
  for (const auto& frames : wrong) {
    Parts parts;
    parts.frames = frames;
    EXPECT_EQ(Verdict(parts), order);
  }
  Parts parts;
  parts.frames = {{1, 1, Bytes(kFrame + 1, 'a'), true, kFrame + 1}};
  EXPECT_EQ(Verdict(parts), "the final frame is too long");
  for (const std::size_t from_end : {1u, 17u}) {  // tag, ciphertext
    Bytes message = Build(Parts());
    message[message.size() - from_end] ^= 1;
    EXPECT_EQ(Verdict(message), kNotAuthentic);
  }
}

//= esdk-v2 7.12 end of input before the final frame (and footer)
//= esdk-v2 7.13 any byte after the final frame or footer
TEST(Rejections, Numbers12And13AnEndTooEarlyOrTooLate) {
  for (const bool sign : {false, true}) {
    Parts parts;
    parts.sign = sign;
    if (sign) parts.suite = parts.real_suite = 0x0578;
    const Bytes message = Build(parts);
    for (std::size_t size = 0; size < message.size(); ++size) {
      const auto opened = OpenMessage(ByteView(message).first(size), KekForTest(1), AllowAll());
      ASSERT_FALSE(opened) << size;
      ASSERT_EQ(opened.error().code, Code::kDamaged);
    }
    parts.behind = Bytes(1);
    EXPECT_EQ(Verdict(parts), "the message has bytes after its end");
  }
}

//= esdk-v2 7.14 signature wrong: hold back the final frame's plaintext until it verified
TEST(Rejections, Number14AWrongSignatureHoldsTheFinalFrameBack) {
  Parts parts;
  parts.sign = true;
  parts.suite = parts.real_suite = 0x0578;
  const Bytes message = Build(parts);
  Parts other = parts;
  other.frames = {{1, 1, Bytes(kFrame, 'x')}, {2, 2, Bytes(5, 'y'), true, 5}};
  const Bytes foreign = Build(other);
  const auto footer_of = [](const Bytes& from) {
    for (std::size_t n = 60; n < 110; ++n) {
      if (GetU16(&from[from.size() - n - 2]) == n) return n + 2;
    }
    return std::size_t{0};
  };
  Bytes swapped(message.begin(), message.end() - static_cast<std::ptrdiff_t>(footer_of(message)));
  swapped.insert(swapped.end(), foreign.end() - static_cast<std::ptrdiff_t>(footer_of(foreign)),
                 foreign.end());
  MemorySource in(swapped);
  MessageHeader header = ReadHeader(in, {}).value();
  AuthenticHeader authentic =
      AuthenticateHeader(std::move(header), KekForTest(1), ReadOptions()).value();
  MemorySink out;
  const auto opened = OpenBodyStream(std::move(authentic), in, out, {}, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, kNotAuthentic);
  EXPECT_LE(out.bytes().size(), kFrame) << "the final frame came out";
}

// Section 7, first sentence: before any allocation from a length field.
TEST(Rejections, LengthsThatLieAreMeasuredFirst) {
  Parts parts;
  parts.frame_length = 0xFFFFFFFF;
  EXPECT_EQ(Verdict(parts), "message header: frames longer than the limit");
  Bytes message = Build(Parts());
  message[35] = message[36] = 0xFF;  // the context's length
  EXPECT_EQ(Verdict(message), "message header: the input ends inside it");
}

}  // namespace
}  // namespace dare::envelope
