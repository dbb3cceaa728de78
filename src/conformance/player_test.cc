// The judge judged: a server that answers exactly as printed passes every case, and one that errs
// fails. Without this it might pass everything (a rule too lax) or nothing (a rule too strict), and
// nobody would know.
#include "conformance/player.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>

#include "conformance/quirks.h"
#include "conformance/ttlv_codec.h"
#include "kmip/enums.h"

namespace dare::conformance {
namespace {

namespace fs = std::filesystem;
using kmip::Tag;

const fs::path kCases = fs::path(DARE_SHARED_DIR) / "kmip/testcases";

std::int64_t Now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// May change the n-th answer.
using Spoil = std::function<void(std::size_t number, Node& message)>;

// A server that knows the case: it gives the n-th printed answer, placeholders made concrete.
class Parrot {
 public:
  Parrot(const CaseFile& file, std::map<std::string, Value> known, Spoil spoil)
      : file_(file), known_(std::move(known)), spoil_(std::move(spoil)) {}

  Result<Node> Answer(const Node& request) {
    EXPECT_TRUE(DecodeTtlv(EncodeTtlv(request))) << "it must be possible to send it";
    const Exchange& exchange = Next();
    Note(exchange.request, request);
    return Spoken(exchange.response);
  }
  Result<Node> Request() { return Spoken(file_.exchanges.at(number_).request); }
  void Answered() { ++number_; }
  const std::map<std::string, Value>& known() const { return known_; }

 private:
  const Exchange& Next() { return file_.exchanges.at(number_++); }

  Result<Node> Spoken(const Node& printed) {
    Node message = Concrete(printed);
    if (spoil_) spoil_(number_ - 1, message);
    return DecodeTtlv(EncodeTtlv(message));
  }

  // Values that the tester made up.
  void Note(const Node& printed, const Node& sent) {
    if (printed.is_placeholder() && !printed.placeholder.starts_with("$NOW")) {
      known_.try_emplace(printed.placeholder, sent.value);
    }
    for (std::size_t i = 0; i < printed.members.size(); ++i) {
      Note(printed.members[i], sent.members.at(i));
    }
  }

  Node Concrete(const Node& printed) {
    Node node = printed;
    node.placeholder.clear();
    if (printed.placeholder.starts_with("$NOW")) {
      Bindings clock(Now());
      if (file_.polls()) clock.Shorten(3);
      node.value.number = *clock.TimeOf(printed.placeholder);
    } else if (printed.is_placeholder()) {
      const Value made{0, "id-" + std::to_string(known_.size()) + printed.placeholder.substr(1)};
      node.value = known_.try_emplace(printed.placeholder, made).first->second;
    }
    for (Node& member : node.members) member = Concrete(member);
    return node;
  }

  const CaseFile& file_;
  std::size_t number_ = 0;
  std::map<std::string, Value> known_;
  Spoil spoil_;
};

class ParrotPeer : public Peer {
 public:
  explicit ParrotPeer(Parrot& parrot) : parrot_(parrot) {}
  Result<Node> Ask(const Node& request) override { return parrot_.Answer(request); }
  Result<Node> NextRequest() override { return parrot_.Request(); }
  Result<void> Answer(const Node&) override {
    parrot_.Answered();
    return {};
  }

 private:
  Parrot& parrot_;
};

// Plays a case against a parrot; `known` is what earlier cases of the chain taught it.
Outcome PlayParrot(const CaseFile& file, const Spoil& spoil = nullptr,
                   const Bindings* before = nullptr,
                   std::map<std::string, Value>* known = nullptr) {
  static const Quirks kQuirks = [] {
    Result<Quirks> loaded = Quirks::Load(kCases / "quirks.csv");
    return loaded ? *std::move(loaded) : Quirks();
  }();
  PlayOptions options;
  options.repeat_seconds = 0;
  for (const Quirk* quirk : kQuirks.Of(file.name)) {
    options.versions_may_be_mixed |= quirk->slip == Slip::kOtherVersionPrinted;
  }
  Parrot parrot(file, known != nullptr ? *known : std::map<std::string, Value>(), spoil);
  Outcome outcome = Play(
      file,
      [&](std::size_t) -> Result<std::unique_ptr<Peer>> {
        return std::unique_ptr<Peer>(new ParrotPeer(parrot));
      },
      before, Now(), options);
  if (known != nullptr) *known = parrot.known();
  return outcome;
}

// Changes every item with this tag, or removes it when `change` says so.
Spoil Edit(Tag tag, const std::function<bool(Node&)>& keep) {
  return [=](std::size_t, Node& message) {
    const std::function<void(Node&)> walk = [&](Node& node) {
      std::erase_if(node.members, [&](Node& member) { return member.tag == tag && !keep(member); });
      for (Node& member : node.members) walk(member);
    };
    walk(message);
  };
}
Spoil To(Tag tag, Value value) {
  return Edit(tag, [=](Node& node) {
    node.value = value;
    return true;
  });
}

class Jury : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(kCases)) {
      std::cerr << "SKIPPED: " << kCases << " is absent; the judge was not judged\n";
      GTEST_SKIP();
    }
  }
  static Verdict With(const std::string& name, const Spoil& spoil) {
    return PlayParrot(ReadCase(kCases / name, kCases), spoil).verdict;
  }

  const std::string ecb_ = "1.4/profiles/mandatory/CS-BC-M-4-14.xml";   // a registered key
  const std::string made_ = "1.4/profiles/mandatory/CS-BC-M-1-14.xml";  // a key the server made
  const std::string attributes_ = "1.4/profiles/mandatory/SKLC-M-1-14.xml";  // named attributes
  const std::string destroy_ = "1.4/profiles/mandatory/SKLC-M-2-14.xml";     // a refusal
};

TEST_F(Jury, AServerThatAnswersAsPrintedPassesEveryCase) {
  struct Chain {
    std::optional<Bindings> before;
    std::map<std::string, Value> known;
  };
  std::map<std::string, Chain> chains;
  std::size_t played = 0;
  for (const CaseFile& file : ReadCases(kCases)) {
    const std::string_view chain = ChainOf(file.file);
    Chain& state = chains[file.folder + '/' + (chain.empty() ? file.file : std::string(chain))];
    Outcome outcome =
        PlayParrot(file, nullptr, state.before ? &*state.before : nullptr, &state.known);
    EXPECT_EQ(outcome.verdict, Verdict::kPassed) << file.name << ": " << outcome.text;
    state.before = std::move(outcome.bindings);
    ++played;
  }
  EXPECT_GT(played, 500u);
}

TEST_F(Jury, AServerThatTurnsEveryStatusRoundPassesNone) {
  const Spoil turned = Edit(Tag::kResultStatus, [](Node& status) {
    status.value.number = status.value.number == 0 ? 1 : 0;
    return true;
  });
  for (const CaseFile& file : ReadCases(kCases)) {
    if (file.exchanges.front().from_server) continue;
    EXPECT_EQ(PlayParrot(file, turned).verdict, Verdict::kFailed) << file.name;
  }
}

TEST_F(Jury, RefusesAWrongCiphertextUnderARegisteredKey) {
  EXPECT_EQ(With(ecb_, To(Tag::kData, {0, std::string(16, '\0')})), Verdict::kFailed);
}

TEST_F(Jury, AllowsAnotherCiphertextOfTheSameLengthWhenTheServerMadeTheKey) {
  EXPECT_EQ(With(made_, To(Tag::kData, {0, std::string(16, '\0')})), Verdict::kPassed);
  EXPECT_EQ(With(made_, To(Tag::kData, {0, std::string(15, '\0')})), Verdict::kFailed);
}

TEST_F(Jury, RefusesAnotherResultReason) {
  EXPECT_EQ(With(destroy_, To(Tag::kResultReason, {1, {}})), Verdict::kFailed);
}

TEST_F(Jury, AllowsAnotherResultMessageOrNone) {
  EXPECT_EQ(With(destroy_, To(Tag::kResultMessage, {0, "another text"})), Verdict::kPassed);
  EXPECT_EQ(With(destroy_, Edit(Tag::kResultMessage, [](Node&) { return false; })),
            Verdict::kPassed);
}

TEST_F(Jury, RefusesAnIdentifierOfAnotherObject) {
  const Spoil all = To(Tag::kUniqueIdentifier, {0, "other"});
  EXPECT_EQ(With(ecb_,
                 [&](std::size_t number, Node& message) {
                   if (number == 1) all(number, message);
                 }),
            Verdict::kFailed);
}

TEST_F(Jury, RefusesAMissingOrAdditionalField) {
  EXPECT_EQ(With(ecb_, Edit(Tag::kData, [](Node&) { return false; })), Verdict::kFailed);
  EXPECT_EQ(With(ecb_,
                 [](std::size_t, Node& message) {
                   Node* item = message.Child(Tag::kBatchItem);
                   Node* payload = item->Child(Tag::kResponsePayload);
                   payload->members.push_back(
                       {Tag::kIVCounterNonce, Type::kByteString, {0, "12345678"}, {}, {}});
                 }),
            Verdict::kFailed);
}

TEST_F(Jury, RefusesAMissingAttributeAndAWrongValue) {
  EXPECT_EQ(With(attributes_, Edit(Tag::kAttribute, [](Node&) { return false; })),
            Verdict::kFailed);
  EXPECT_EQ(With(attributes_, Edit(Tag::kAttributeValue,
                                   [](Node& value) {
                                     if (value.type == Type::kEnumeration) value.value.number = 99;
                                     return true;
                                   })),
            Verdict::kFailed);
}

TEST_F(Jury, RefusesAnAnswerInAnotherProtocolVersion) {
  EXPECT_EQ(With(ecb_, To(Tag::kProtocolVersionMinor, {3, {}})), Verdict::kFailed);
}

TEST_F(Jury, RefusesADateFarFromNow) {
  EXPECT_EQ(With("1.2/testcases/TC-94-12.xml", Edit(Tag::kAttributeValue,
                                                    [](Node& value) {
                                                      if (value.type == Type::kDateTime) {
                                                        value.value.number = 4102444800;
                                                      }
                                                      return true;
                                                    })),
            Verdict::kFailed);
}

TEST_F(Jury, RefusesAnotherOrderOfWhatLocateFoundIn20) {
  EXPECT_EQ(With("2.0/testcases/TC-OFFSET-1-20.xml",
                 [](std::size_t, Node& message) {
                   for (Node& item : message.members) {
                     Node* payload = item.Child(Tag::kResponsePayload);
                     if (payload == nullptr) continue;
                     if (payload->Children(Tag::kUniqueIdentifier).size() > 2) {
                       std::reverse(payload->members.begin(), payload->members.end());
                     }
                   }
                 }),
            Verdict::kFailed);
}

TEST_F(Jury, RefusesACaseThatCannotBeRead) {
  CaseFile file;
  file.problem = "nonsense";
  EXPECT_EQ(PlayParrot(file).verdict, Verdict::kFailed);
}

}  // namespace
}  // namespace dare::conformance
