#include "server/authority_lists.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "base/file.h"
#include "crypto/list_for_test.h"
#include "server/config.h"

namespace dare::server {
namespace {

using crypto::AuthorityForTest;
using crypto::ListForTest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kNow = AuthorityForTest::kNow;
constexpr std::int64_t kDay = AuthorityForTest::kDay;
constexpr std::int64_t kMinute = 60;
// In the order of AuthorityListOptions::authorities, with our own behind them.
constexpr std::size_t kCorp = 0, kMesh = 1, kOwn = 2;

IssuedChain Chain(std::vector<IssuedChain::Link> links) { return {std::move(links)}; }
IssuedChain CorpClient(std::uint8_t serial) { return Chain({{kCorp, {serial}}, {kCorp, {0x01}}}); }

class AuthorityListsTest : public testing::Test {
 protected:
  AuthorityListsTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "dare-lists-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    options_.authorities = {corp_.certificate(), mesh_.certificate()};
    options_.own = own_.certificate();
    options_.files = {folder_ + "/corp.crl"};
  }
  ~AuthorityListsTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void Open() {
    auto lists = AuthorityLists::Open(options_, clock_);
    ASSERT_TRUE(lists) << lists.error().message;
    lists_ = std::move(*lists);
  }
  void Put(ByteView content, std::size_t file = 0) const {
    ASSERT_TRUE(WriteFileDurably(options_.files[file], content, 0644));
  }
  void Put(const ListForTest& list, std::size_t file = 0) const { Put(list.SignedBy(corp_), file); }
  // A list with these serials whose time and number follow `step`.
  static ListForTest Numbered(int step, std::vector<std::string> serials) {
    return {.serials = std::move(serials),
            .this_update = kNow - 1000 + step,
            .number = {static_cast<std::uint8_t>(100 + step)}};
  }
  // A look that finds no file changed but for what was put.
  void Look() { lists_->Look(); }
  Standing Of(const IssuedChain& chain) const { return lists_->Judge(chain); }
  // After a look: nothing came into force, and this is told.
  void ExpectTold(const char* trouble) {
    EXPECT_THAT(lists_->Troubles(), testing::Contains(HasSubstr(trouble)));
    EXPECT_FALSE(lists_->good());
  }

  const AuthorityForTest corp_{{.name = "corp"}}, mesh_{{.name = "mesh"}}, own_{{.name = "own"}};
  ManualClockForTest clock_{kNow};
  std::string folder_;
  AuthorityListOptions options_;
  std::unique_ptr<AuthorityLists> lists_;
};

TEST_F(AuthorityListsTest, RefusesWhatAListNamesByIssuerAndSerial) {
  Put(ListForTest{.serials = {"7b"}});
  Open();
  EXPECT_TRUE(lists_->good());
  EXPECT_THAT(lists_->Troubles(), IsEmpty());
  EXPECT_EQ(Of(CorpClient(0x7b)), Standing::kRevoked);
  EXPECT_EQ(Of(CorpClient(0x7c)), Standing::kGood);
  EXPECT_EQ(Of(Chain({{kMesh, {0x7b}}})), Standing::kGood) << "another authority's";
  EXPECT_EQ(Of(Chain({{std::nullopt, {0x7b}}})), Standing::kGood);
  EXPECT_EQ(Of(Chain({{kOwn, {0x7b}}})), Standing::kGood);
}

TEST_F(AuthorityListsTest, RefusesAllBelowARevokedAuthority) {
  Put(ListForTest{.serials = {"7b"}});
  Open();
  EXPECT_EQ(Of(Chain({{kMesh, {0x01}}, {kCorp, {0x7b}}})), Standing::kRevoked);
  EXPECT_EQ(Of(Chain({{std::nullopt, {0x01}}, {kCorp, {0x7b}}})), Standing::kRevoked);
  EXPECT_EQ(Of(Chain({{kOwn, {0x01}}, {kCorp, {0x7b}}})), Standing::kRevoked);
}

TEST_F(AuthorityListsTest, ReadsAFileAgainWhenItChanges) {
  Put(Numbered(1, {"02"}));
  Open();
  std::uint64_t generation = lists_->generation();
  Look();
  EXPECT_EQ(lists_->generation(), generation) << "nothing changed";
  Put(Numbered(2, {"02", "7b"}));
  EXPECT_EQ(Of(CorpClient(0x7b)), Standing::kGood) << "not before a look";
  Look();
  EXPECT_EQ(Of(CorpClient(0x7b)), Standing::kRevoked);
  EXPECT_NE(lists_->generation(), generation);
  generation = lists_->generation();
  Put(Numbered(2, {"02", "7b"}));
  Look();
  EXPECT_TRUE(lists_->good());
  Put(crypto::PemOf(Numbered(3, {"7c"}).SignedBy(corp_)));
  Look();
  EXPECT_EQ(Of(CorpClient(0x7b)), Standing::kGood) << "it was on hold";
  EXPECT_EQ(Of(CorpClient(0x7c)), Standing::kRevoked);
  EXPECT_NE(lists_->generation(), generation);
}

TEST_F(AuthorityListsTest, KeepsTheLastGoodListWhenAnotherIsRefused) {
  const AuthorityForTest forger({.name = "corp"}), stranger({.name = "stranger"});
  Put(Numbered(5, {"7b"}));
  Open();
  const std::uint64_t generation = lists_->generation();
  const auto expect_nothing_changed = [&](const char* trouble) {
    Look();
    ExpectTold(trouble);
    EXPECT_EQ(Of(CorpClient(0x7b)), Standing::kRevoked) << trouble;
    EXPECT_EQ(Of(CorpClient(0x7c)), Standing::kGood) << trouble;
    EXPECT_EQ(Of(Chain({{kMesh, {0x7b}}})), Standing::kGood) << trouble;
    EXPECT_EQ(lists_->generation(), generation) << trouble;
  };
  Put(Numbered(9, {"7c"}).SignedBy(forger));
  expect_nothing_changed("is not signed with the key of that authority");
  Put(Numbered(9, {"7c"}).SignedBy(stranger));
  expect_nothing_changed("no authority whose lists are believed");
  Put(Numbered(4, {"7c"}));
  expect_nothing_changed("is older than the one in force");
  ListForTest number_back = Numbered(9, {"7c"});
  number_back.number = {101};
  Put(number_back);
  expect_nothing_changed("is older than the one in force");
  Put(ListForTest{.serials = {"7c"}, .this_update = kNow + kDay, .next_update = kNow + 2 * kDay});
  expect_nothing_changed("is of the future");
  ListForTest delta = Numbered(9, {"7c"});
  delta.edit = [](X509_CRL* crl) {
    ListForTest::Add(crl, ListForTest::Extension(NID_delta_crl, true, {0x02, 0x01, 0x04}));
  };
  Put(delta);
  expect_nothing_changed("a delta list");
  Put(AsBytes("<html>503</html>"));
  expect_nothing_changed("neither a revocation list in DER nor");
  Put(ByteView(Numbered(9, {"7c"}).SignedBy(corp_)).first(100));
  expect_nothing_changed("corp.crl");
  std::filesystem::remove(options_.files[0]);
  expect_nothing_changed("cannot open");
  ASSERT_EQ(::mkfifo(options_.files[0].c_str(), 0600), 0);
  expect_nothing_changed("not a regular file");
  std::filesystem::remove(options_.files[0]);
  Put(Numbered(10, {"7c"}));
  Look();
  EXPECT_TRUE(lists_->good());
  EXPECT_EQ(Of(CorpClient(0x7b)), Standing::kGood);
  EXPECT_EQ(Of(CorpClient(0x7c)), Standing::kRevoked);
}

TEST_F(AuthorityListsTest, PastItsEndAListRefusesTheOthersOfItsAuthority) {
  Put(ListForTest{.serials = {"7b"}});
  Open();
  clock_.Advance(kDay + 1);
  EXPECT_EQ(Of(CorpClient(0x7c)), Standing::kNotKnown) << "at once";
  const std::uint64_t generation = lists_->generation();
  Look();
  EXPECT_NE(lists_->generation(), generation) << "open connections are looked at";
  ExpectTold("the revocation list of 'CN=corp' has ended");
  EXPECT_EQ(Of(CorpClient(0x7b)), Standing::kRevoked);
  EXPECT_EQ(Of(Chain({{kMesh, {0x7c}}})), Standing::kGood) << "whose list is none";
  EXPECT_EQ(Of(Chain({{kMesh, {0x7c}}, {kCorp, {0x01}}})), Standing::kNotKnown) << "below corp";
  EXPECT_EQ(Of(Chain({{kOwn, {0x7c}}, {kCorp, {0x01}}})), Standing::kGood) << "our records know";
  Put(ListForTest{.this_update = kNow + kDay, .next_update = kNow + 2 * kDay, .number = {6}});
  Look();
  EXPECT_TRUE(lists_->good());
  EXPECT_EQ(Of(CorpClient(0x7c)), Standing::kGood);
}

TEST_F(AuthorityListsTest, AListThatHasEndedBeforeItCameCountsForWhatItRevokes) {
  Put(ListForTest{.serials = {"7b"}, .this_update = kNow - 2 * kDay, .next_update = kNow - kDay});
  Open();
  ExpectTold("has ended");
  EXPECT_EQ(Of(CorpClient(0x7b)), Standing::kRevoked);
  EXPECT_EQ(Of(CorpClient(0x7c)), Standing::kNotKnown);
}

TEST_F(AuthorityListsTest, WhereStaleListsAreAllowedOnlyWhatTheyRevokeIsRefused) {
  options_.refuse_stale = false;
  options_.files.push_back(folder_ + "/missing.crl");
  Put(ListForTest{.serials = {"7b"}});
  Open();
  clock_.Advance(kDay + 1);
  Look();
  EXPECT_FALSE(lists_->good()) << "told all the same";
  EXPECT_EQ(Of(CorpClient(0x7b)), Standing::kRevoked);
  EXPECT_EQ(Of(CorpClient(0x7c)), Standing::kGood);
  EXPECT_EQ(Of(Chain({{kMesh, {0x7c}}})), Standing::kGood);
}

TEST_F(AuthorityListsTest, AFileThatNeverGaveAListMayBeAnybodys) {
  options_.files.push_back(folder_ + "/mesh.crl");
  Put(ListForTest{.serials = {"7b"}});
  Open();
  ExpectTold("cannot open");
  EXPECT_EQ(Of(CorpClient(0x7c)), Standing::kGood) << "corp's list is there";
  EXPECT_EQ(Of(Chain({{kMesh, {0x7c}}})), Standing::kNotKnown);
  EXPECT_EQ(Of(Chain({{std::nullopt, {0x7c}}, {kCorp, {0x02}}})), Standing::kNotKnown);
  EXPECT_EQ(Of(Chain({{kOwn, {0x7c}}})), Standing::kGood);
  const std::uint64_t generation = lists_->generation();
  Put(ListForTest{.serials = {"7d"}}.SignedBy(mesh_), 1);
  Look();
  EXPECT_TRUE(lists_->good());
  EXPECT_NE(lists_->generation(), generation);
  EXPECT_EQ(Of(Chain({{kMesh, {0x7c}}})), Standing::kGood);
  EXPECT_EQ(Of(Chain({{kMesh, {0x7d}}})), Standing::kRevoked);
  EXPECT_EQ(Of(Chain({{std::nullopt, {0x7c}}, {kCorp, {0x02}}})), Standing::kGood);
}

TEST_F(AuthorityListsTest, OneListThatIsRefusedDoesNotKeepOutTheOthersInItsFile) {
  Bytes file = crypto::PemOf(ListForTest{}.SignedBy(AuthorityForTest({.name = "stranger"})));
  Append(file, crypto::PemOf(ListForTest{.serials = {"7b"}}.SignedBy(corp_)));
  Put(file);
  Open();
  ExpectTold("CN=stranger");
  EXPECT_EQ(Of(CorpClient(0x7b)), Standing::kRevoked);
}

TEST_F(AuthorityListsTest, TriesAFileInTroubleAgainAfterAMinuteThoughItDidNotChange) {
  Put(ListForTest{.serials = {"7b"}, .this_update = kNow + 310, .next_update = kNow + kDay});
  Open();
  ExpectTold("is of the future");
  clock_.Advance(kMinute - 1);
  Look();
  ExpectTold("is of the future");
  clock_.Advance(1);
  Look();
  EXPECT_TRUE(lists_->good());
  EXPECT_EQ(Of(CorpClient(0x7b)), Standing::kRevoked);
}

TEST_F(AuthorityListsTest, BoundsTheEntriesOfAllLists) {
  options_.most_entries = 3;
  options_.files.push_back(folder_ + "/mesh.crl");
  Put(ListForTest{.serials = {"01", "02"}});
  Put(ListForTest{.serials = {"01", "02"}}.SignedBy(mesh_), 1);
  Open();
  ExpectTold("more than 3 entries in all");
  EXPECT_EQ(Of(Chain({{kCorp, {0x02}}})), Standing::kRevoked);
  Put(ListForTest{.serials = {"02"}, .number = {6}}.SignedBy(mesh_), 1);
  Look();
  EXPECT_TRUE(lists_->good());
  Put(ListForTest{.serials = {"01", "03"}, .number = {6}});
  Look();
  EXPECT_TRUE(lists_->good()) << "what a list replaces does not count";
}

TEST_F(AuthorityListsTest, IsMadeFromTheConfiguration) {
  TlsConfig config;
  EXPECT_EQ(*LoadAuthorityLists(config, ""), nullptr) << "no lists, nothing to look at";
  const auto pem = [&](const char* name, const AuthorityForTest& authority) {
    const crypto::X509Ptr certificate = *crypto::DecodeCertificate(authority.certificate());
    const crypto::BioPtr bio(BIO_new_file((folder_ + "/" + name).c_str(), "w"));
    EXPECT_EQ(PEM_write_bio_X509(bio.get(), certificate.get()), 1);
    return folder_ + "/" + name;
  };
  config.client_ca_file = pem("corp.pem", corp_);
  config.crl_issuers_file = pem("mesh.pem", mesh_);
  config.crl_files = options_.files;
  Put(ListForTest{.serials = {"7b"}}.SignedBy(mesh_));
  auto lists = LoadAuthorityLists(config, pem("own.pem", own_), clock_);
  ASSERT_TRUE(lists) << lists.error().message;
  EXPECT_EQ((*lists)->Judge(Chain({{kMesh, {0x7b}}})), Standing::kRevoked);
  clock_.Advance(kDay + 1);
  EXPECT_EQ((*lists)->Judge(Chain({{kMesh, {0x7c}}})), Standing::kNotKnown);
  EXPECT_EQ((*lists)->Judge(Chain({{kOwn, {0x7c}}})), Standing::kGood);
  config.crl_stale = "allow";
  lists = LoadAuthorityLists(config, "", clock_);
  ASSERT_TRUE(lists);
  EXPECT_EQ((*lists)->Judge(Chain({{kMesh, {0x7c}}})), Standing::kGood);
  config.crl_issuers_file = folder_ + "/missing.pem";
  EXPECT_FALSE(LoadAuthorityLists(config, ""));
}

}  // namespace
}  // namespace dare::server
