#include "engine/operations/pkcs11.h"

#include <gtest/gtest.h>

#include "engine/engine_for_test.h"

namespace dare::engine {
namespace {

using kmip::Pkcs11Request;
using kmip::Pkcs11Response;
using kmip::ResultReason;

constexpr std::uint32_t kInitialize = 1, kFinalize = 2, kGetInfo = 3, kOpenSession = 13;
const Bytes kVersionByte = {1};

Pkcs11Request Initialize() {
  Pkcs11Request request;
  request.function = kInitialize;
  request.input = kVersionByte;
  return request;
}
Pkcs11Request Call(std::uint32_t function, const Bytes& correlation) {
  Pkcs11Request request;
  request.function = function;
  request.correlation = correlation;
  return request;
}

TEST(Pkcs11, InitializesTellsItsInfoAndFinalizes) {
  EngineForTest engine;
  const auto begun = engine.Must<Pkcs11Response>(Initialize());
  EXPECT_EQ(begun.return_code, 0u);
  ASSERT_TRUE(begun.correlation);
  const auto info = engine.Must<Pkcs11Response>(Call(kGetInfo, *begun.correlation));
  EXPECT_EQ(info.return_code, 0u);
  EXPECT_FALSE(info.correlation);
  ASSERT_EQ(info.output->size(), 2u + 32 + 8 + 32 + 2);
  EXPECT_EQ(ToHex(ByteView(*info.output).first(2)), "0228");
  EXPECT_EQ(ToHex(ByteView(*info.output).subspan(34, 8)), "0000000000000000");
  EXPECT_EQ(engine.Must<Pkcs11Response>(Call(kFinalize, *begun.correlation)).return_code, 0u);
  EXPECT_EQ(engine.Must<Pkcs11Response>(Call(kGetInfo, *begun.correlation)).return_code, 0x190u);
}

TEST(Pkcs11, OnlyWhoInitializedMayGoOn) {
  EngineForTest engine;
  const auto begun = engine.Must<Pkcs11Response>(Initialize());
  const ItemForTest other =
      engine.Do(Call(kGetInfo, *begun.correlation), kmip::kVersion2_1, "mallory");
  ttlv::Reader in = other.in();
  EXPECT_EQ(Pkcs11Response::Decode(in, kmip::kVersion2_1)->return_code, 0x190u);
  EXPECT_EQ(engine.Must<Pkcs11Response>(Call(kGetInfo, Bytes(16, 0))).return_code, 0x190u);
}

TEST(Pkcs11, ForgetsAnApplicationThatIsSilent) {
  EngineForTest engine;
  const auto begun = engine.Must<Pkcs11Response>(Initialize());
  engine.clock().Advance(11 * 60);
  EXPECT_EQ(engine.Must<Pkcs11Response>(Call(kGetInfo, *begun.correlation)).return_code, 0x190u);
}

TEST(Pkcs11, OneClientCannotFillTheTable) {
  EngineForTest engine;
  for (int i = 0; i < 16; ++i) ASSERT_TRUE(engine.Do(Initialize()).success);
  EXPECT_EQ(engine.Do(Initialize()).reason, ResultReason::kServerLimitExceeded);
  EXPECT_TRUE(engine.Do(Initialize(), kmip::kVersion2_1, "bob").success);
}

TEST(Pkcs11, OtherFunctionsAreNotSupportedAndUnknownOnesRefused) {
  EngineForTest engine;
  const auto begun = engine.Must<Pkcs11Response>(Initialize());
  for (std::uint32_t function = 4; function <= 92; ++function) {
    const auto answer = engine.Must<Pkcs11Response>(Call(function, *begun.correlation));
    EXPECT_EQ(answer.return_code, 0x54u) << function;
    EXPECT_FALSE(answer.output);
  }
  EXPECT_EQ(engine.Do(Call(0, *begun.correlation)).reason, ResultReason::kPKCS_11InvalidFunction);
  EXPECT_EQ(engine.Do(Call(93, *begun.correlation)).reason, ResultReason::kPKCS_11InvalidFunction);
  Pkcs11Request vendor = Call(kOpenSession, *begun.correlation);
  vendor.vendor_function = true;
  EXPECT_EQ(engine.Do(vendor).reason, ResultReason::kPKCS_11InvalidFunction);
}

TEST(Pkcs11, RefusesForeignInterfacesAndBadParameters) {
  EngineForTest engine;
  Pkcs11Request request = Initialize();
  request.interface_name = "Vendor Extension";
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kPKCS_11InvalidInterface);
  request.interface_name = "PKCS 11";
  EXPECT_TRUE(engine.Do(request).success);
  const Bytes wrong = {2};
  request.input = wrong;
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kPKCS_11CodecError);
  request.input.reset();
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kPKCS_11CodecError);
  const auto begun = engine.Must<Pkcs11Response>(Initialize());
  Pkcs11Request info = Call(kGetInfo, *begun.correlation);
  info.input = kVersionByte;
  EXPECT_EQ(engine.Must<Pkcs11Response>(info).return_code, 0x07u);
  EXPECT_EQ(engine.Do(Initialize(), kmip::kVersion1_4).reason,
            ResultReason::kOperationNotSupported);
}

}  // namespace
}  // namespace dare::engine
