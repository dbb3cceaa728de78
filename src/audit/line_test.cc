#include "audit/line.h"

#include <gtest/gtest.h>

namespace dare::audit {
namespace {

std::string LineOf(const Entry& entry) {
  std::string line;
  AppendHead(line, 7, HashBeforeFirst());
  AppendBody(line, entry);
  return line;
}

std::string DetailOf(std::string detail) {
  const std::string line = LineOf({.detail = std::move(detail)});
  const std::string start = "\"detail\":\"";
  const std::size_t at = line.rfind(start) + start.size();
  return line.substr(at, line.size() - 2 - at);
}

// docs/formats/audit.md: a change here is a change of the format on disk.
TEST(AuditLine, KeepsItsFormat) {
  const Entry entry{.time = 1'700'000'000,
                    .principal = "backup-1",
                    .address = "192.0.2.7:40112",
                    .operation = "Get",
                    .object_id = "5f0c1d86-5a3b-4f5e-9b0e-3f1f6f0d2b11",
                    .outcome = Outcome::kDenied,
                    .rule = "not the owner",
                    .request_id = "r-1",
                    .result_reason = 12,
                    .detail = "not allowed"};
  EXPECT_EQ(
      LineOf(entry),
      R"({"seq":7,"prev":"0000000000000000000000000000000000000000000000000000000000000000",)"
      R"("time":"2023-11-14T22:13:20Z","principal":"backup-1","address":"192.0.2.7:40112",)"
      R"("operation":"Get","object":"5f0c1d86-5a3b-4f5e-9b0e-3f1f6f0d2b11","outcome":"denied",)"
      R"("rule":"not the owner","request":"r-1","reason":12,"detail":"not allowed"})");
}

TEST(AuditLine, CarriesEveryOutcome) {
  EXPECT_NE(LineOf({.outcome = Outcome::kAllowed}).find("\"outcome\":\"allowed\""),
            std::string::npos);
  EXPECT_NE(LineOf({.outcome = Outcome::kFailed}).find("\"outcome\":\"failed\""),
            std::string::npos);
}

TEST(AuditLine, NoTextBreaksOutOfItsField) {
  EXPECT_EQ(DetailOf("a\"b\\c"), R"(a\"b\\c)");
  EXPECT_EQ(DetailOf("x\n\r\t\x01\x7f y"), R"(x\u000a\u000d\u0009\u0001\u007f y)");
  EXPECT_EQ(DetailOf(std::string("a\0b", 3)), R"(a\u0000b)");
  EXPECT_EQ(DetailOf("gr\xC3\xBC\xC3\x9F \xF0\x9F\x94\x91"), "gr\xC3\xBC\xC3\x9F \xF0\x9F\x94\x91");
}

TEST(AuditLine, WhatIsNoUtf8IsReplaced) {
  EXPECT_EQ(DetailOf("a\xFFz"), R"(a\ufffdz)");
  EXPECT_EQ(DetailOf("\xC0\xAF"), R"(\ufffd\ufffd)") << "overlong";
  EXPECT_EQ(DetailOf("\xED\xA0\x80"), R"(\ufffd\ufffd\ufffd)") << "a surrogate";
  EXPECT_EQ(DetailOf("\xE2\x82"), R"(\ufffd\ufffd)") << "cut off";
  EXPECT_EQ(DetailOf("\xF4\x90\x80\x80"), R"(\ufffd\ufffd\ufffd\ufffd)") << "beyond U+10FFFF";
}

TEST(AuditLine, LongTextsAreCut) {
  EXPECT_EQ(DetailOf(std::string(kMostFieldBytes, 'x')), std::string(kMostFieldBytes, 'x'));
  EXPECT_EQ(DetailOf(std::string(kMostFieldBytes + 1, 'x')),
            std::string(kMostFieldBytes, 'x') + R"(\u2026)");
  const std::string before(kMostFieldBytes - 1, 'x');
  EXPECT_EQ(DetailOf(before + "\xC3\xBC"), before + R"(\u2026)") << "never inside a character";
}

TEST(AuditLine, IsParsedWhateverItCarries) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const auto link = ParseLink(LineOf({.principal = all, .rule = all + all, .detail = all}));
  ASSERT_TRUE(link.has_value()) << link.error().message;
  EXPECT_EQ(link->sequence, 7u);
  EXPECT_EQ(link->previous, HashBeforeFirst());
}

TEST(AuditLine, RefusesWhatIsNotExactlyALine) {
  const std::string good = LineOf({});
  ASSERT_TRUE(ParseLink(good).has_value());
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string line = good;
    line.replace(line.find(from), from.size(), to);
    return ParseLink(line);
  };
  EXPECT_EQ(ParseLink("").error().code, Code::kDamaged);
  EXPECT_EQ(ParseLink("[]").error().code, Code::kDamaged);
  EXPECT_EQ(ParseLink("{}").error().code, Code::kDamaged);
  EXPECT_EQ(ParseLink(good + good).error().code, Code::kDamaged);
  EXPECT_EQ(ParseLink(good.substr(0, good.size() - 1)).error().code, Code::kDamaged);
  EXPECT_EQ(with("\"seq\":7", "\"seq\":0").error().code, Code::kDamaged);
  EXPECT_EQ(with("\"seq\":7", "\"seq\":\"7\"").error().code, Code::kDamaged);
  EXPECT_EQ(with("\"rule\":\"\"", "\"rule\":5").error().code, Code::kDamaged);
  EXPECT_EQ(with("\"rule\"", "\"role\"").error().code, Code::kDamaged);
  EXPECT_EQ(with("\"rule\":\"\",", "").error().code, Code::kDamaged);
  EXPECT_EQ(with("\"rule\":\"\"", "\"rule\":\"\",\"more\":\"\"").error().code, Code::kDamaged);
}

}  // namespace
}  // namespace dare::audit
