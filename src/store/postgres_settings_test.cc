#include "store/postgres_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dare::store::postgres {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(PostgresSettingsTest, BoundsEveryWaitAndChecksTheServerUnlessToldOtherwise) {
  const auto settings = Settings::Parse("host=db-1,db-2 dbname=dare", nullptr);
  ASSERT_TRUE(settings.has_value());
  EXPECT_THAT(settings->words(), Contains(Pair("sslmode", "verify-full")));
  EXPECT_THAT(settings->words(), Contains(Pair("target_session_attrs", "read-write")));
  for (const char* bound : {"connect_timeout", "tcp_user_timeout", "keepalives_idle"}) {
    EXPECT_THAT(settings->words(), Contains(Pair(bound, testing::Ne("0"))));
  }
  EXPECT_EQ(settings->Target(), "db-1,db-2 (database dare)");
  EXPECT_THAT(settings->Weakness(), IsEmpty());
}

TEST(PostgresSettingsTest, LeavesWhatTheStringSays) {
  const auto settings = Settings::Parse("host=db connect_timeout=9 sslmode=require", nullptr);
  ASSERT_TRUE(settings.has_value());
  EXPECT_THAT(settings->words(), Contains(Pair("connect_timeout", "9")));
  EXPECT_THAT(settings->words(), Contains(Pair("sslmode", "require")));
  EXPECT_THAT(settings->Weakness(), HasSubstr("sslmode=require"));
}

TEST(PostgresSettingsTest, ASocketOfThisMachineNeedsNoTls) {
  for (const char* local : {"host=/run/postgresql", "host=127.0.0.1,localhost", "dbname=dare"}) {
    const auto settings = Settings::Parse(std::string(local) + " sslmode=disable", nullptr);
    ASSERT_TRUE(settings.has_value());
    EXPECT_THAT(settings->Weakness(), IsEmpty()) << local;
  }
  EXPECT_THAT(Settings::Parse("host=/run/postgresql,db sslmode=disable", nullptr)->Weakness(),
              HasSubstr("sslmode=disable"));
}

TEST(PostgresSettingsTest, RefusesPasswordsAndWhatItCannotRead) {
  for (const char* bad : {"host=db password=secret", "postgresql://dare:secret@db/dare"}) {
    const auto settings = Settings::Parse(bad, nullptr);
    ASSERT_FALSE(settings.has_value()) << bad;
    EXPECT_THAT(settings.error().message, HasSubstr("must hold no password"));
    EXPECT_THAT(settings.error().message, testing::Not(HasSubstr("secret")));
  }
  EXPECT_EQ(Settings::Parse("hast=db", nullptr).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace dare::store::postgres
