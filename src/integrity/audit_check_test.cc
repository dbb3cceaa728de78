#include "integrity/audit_check.h"

#include "audit/audit_log.h"
#include "base/file.h"
#include "integrity/whole_store_for_test.h"

namespace dare::integrity {
namespace {

class AuditCheckTest : public WholeStoreTest {
 protected:
  // A log as the server writes it.
  void Say(const std::string& operation, const std::string& id, std::uint64_t version,
           std::uint64_t group, audit::Outcome outcome = audit::Outcome::kAllowed) {
    audit::Entry entry;
    entry.time = 1'700'000'000;
    entry.principal = operation.starts_with("store-") ? "dare-kms" : "alice";
    entry.operation = operation;
    entry.object_id = id;
    entry.outcome = outcome;
    entry.version = version;
    entry.group = group;
    ASSERT_TRUE(log_->Append(entry));
  }
  void Open(const std::string& name) {
    log_ = std::move(*audit::AuditLog::Open({.folder = folder_ + "/" + name}, SystemClock::Get()));
  }
  std::string Check(const std::vector<std::string>& names,
                    const std::map<std::string, std::uint64_t>& groups) {
    if (log_ != nullptr) {
      EXPECT_TRUE(log_->FlushAndSync());
    }
    std::vector<AuditFolder> folders;
    for (const std::string& name : names) {
      folders.push_back(*MarkAuditFolder(folder_ + "/" + name));
    }
    const auto snapshot = store_->Snapshot();
    Findings findings;
    const auto totals = CheckAgainstAudit(**snapshot, folders, groups, nullptr, findings);
    EXPECT_TRUE(totals) << totals.error().message;
    std::string text;
    for (const Finding& finding : findings.Kept()) {
      text += std::string(KindName(finding.kind)) + " " + finding.object + "\n";
    }
    return text;
  }

  std::unique_ptr<audit::AuditLog> log_;
};

TEST_F(AuditCheckTest, NamesWhatIsMissingOlderAndBack) {
  Create("there");
  Create("older");
  Create("back");
  Open("log");
  Say("store-opened", "node", 0, 0);
  Say("Create", "there", 1, 1);
  Say("Create", "older", 1, 2);
  Say("Create", "gone", 1, 3);
  Say("Get", "there", 0, 0);
  Say("Activate", "older", 2, 4);
  Say("Import", "back", 0, 5);
  Say("Create", "removed", 1, 6);
  Say("Import", "removed", 0, 7);
  EXPECT_EQ(Check({"log"}, {{"sum-node-node", 7}}),
            "missing gone\nolder older\nremoved-is-back back\n");
}

TEST_F(AuditCheckTest, TheLastWordOfTheLogCounts) {
  Create("a");
  Open("log");
  Say("store-opened", "node", 0, 0);
  Say("Create", "a", 1, 1);
  Say("Import", "a", 0, 2);
  Say("also-changed", "a", 1, 3);
  EXPECT_EQ(Check({"log"}, {{"sum-node-node", 3}}), "");
}

TEST_F(AuditCheckTest, WhatWasRolledBackOrKeptBackByACrashIsNotMissed) {
  Create("a");
  Create("b");
  Open("log");
  Say("store-opened", "node", 0, 0);
  Say("Create", "a", 1, 1);
  Say("Create", "never", 1, 2);
  Say("Create", "never", 1, 2, audit::Outcome::kFailed);
  Say("Create", "crashed", 1, 2);
  Say("store-opened", "node", 0, 1);
  Say("Create", "b", 1, 2);
  Say("Create", "on its way", 1, 3);
  EXPECT_EQ(Check({"log"}, {{"sum-node-node", 2}}), "");
  EXPECT_EQ(Check({"log"}, {{"sum-node-node", 3}}), "missing on its way\n");
}

TEST_F(AuditCheckTest, AStoreThatWasPutBackIsTold) {
  Open("log");
  Say("store-opened", "node", 0, 0);
  Say("Create", "a", 1, 1);
  Say("Create", "b", 1, 2);
  Say("Create", "c", 1, 3);
  EXPECT_EQ(Check({"log"}, {{"sum-node-node", 1}}), "missing a\nmissing b\nput-back \n");
}

TEST_F(AuditCheckTest, AStartOnAnOlderStoreIsToldThoughTheStoreHasGrownAgain) {
  Create("a");
  Create("d");
  Create("e");
  Create("f");
  Open("log");
  Say("store-opened", "node", 0, 0);
  Say("Create", "a", 1, 1);
  Say("Create", "b", 1, 2);
  Say("Create", "c", 1, 3);
  Say("store-opened", "node", 0, 1);
  Say("Create", "d", 1, 2);
  Say("Create", "e", 1, 3);
  Say("Create", "f", 1, 4);
  EXPECT_EQ(Check({"log"}, {{"sum-node-node", 4}}), "missing b\nput-back \n");
}

TEST_F(AuditCheckTest, ARestoreThatWasWrittenDownIsNoFinding) {
  Create("a");
  Open("log");
  Say("store-opened", "node", 0, 0);
  Say("Create", "a", 1, 1);
  Say("Create", "b", 1, 2);
  Say("Create", "c", 1, 3);
  Say("store-restored", "node", 0, 1);
  Say("store-opened", "node", 0, 1);
  EXPECT_EQ(Check({"log"}, {{"sum-node-node", 1}}), "");
}

TEST_F(AuditCheckTest, WhatTheLogSaysAfterThePictureWasTakenIsNotHeldAgainstIt) {
  Create("a");
  Open("log");
  Say("store-opened", "node", 0, 0);
  Say("Create", "a", 1, 1);
  ASSERT_TRUE(log_->FlushAndSync());
  const AuditFolder marked = *MarkAuditFolder(folder_ + "/log");
  const auto snapshot = store_->Snapshot();
  for (std::uint64_t group = 2; group < 9; ++group) {
    Say("Create", "later" + std::to_string(group), 1, group);
  }
  ASSERT_TRUE(log_->FlushAndSync());
  Findings findings;
  const auto totals =
      CheckAgainstAudit(**snapshot, {marked}, {{"sum-node-node", 1}}, nullptr, findings);
  ASSERT_TRUE(totals);
  EXPECT_EQ(findings.count(), 0u);
  EXPECT_EQ(totals->entries, 2u);
}

TEST_F(AuditCheckTest, NodesRemoveWhatOthersMade) {
  Create("kept");
  Open("one");
  Say("store-opened", "one", 0, 0);
  Say("Create", "kept", 1, 1);
  Say("Create", "removed", 1, 2);
  Say("Create", "gone", 1, 3);
  ASSERT_TRUE(log_->FlushAndSync());
  Open("two");
  Say("store-opened", "two", 0, 0);
  Say("Import", "removed", 0, 1);
  EXPECT_EQ(Check({"one", "two"}, {{"sum-node-one", 3}, {"sum-node-two", 1}}), "missing gone\n");
}

TEST_F(AuditCheckTest, ALogThatWasEditedIsToldAndReadUpToThere) {
  Open("log");
  Say("store-opened", "node", 0, 0);
  Say("Create", "gone", 1, 1);
  Say("Create", "unread", 1, 2);
  log_.reset();
  const std::string path = folder_ + "/log/audit-000001.jsonl";
  Bytes text = *ReadFile(path);
  const std::string_view was = "\"gone\"";
  const auto at = AsText(text).find(was);
  ASSERT_NE(at, std::string_view::npos);
  text[at + 1] = 'h';
  ASSERT_TRUE(WriteFileDurably(path, text, 0600));
  const std::string found = Check({"log"}, {{"sum-node-node", 2}});
  EXPECT_NE(found.find("audit-log "), std::string::npos) << found;
}

}  // namespace
}  // namespace dare::integrity
