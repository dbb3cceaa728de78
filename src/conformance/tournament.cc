#include "conformance/tournament.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <thread>

#include "base/mutex.h"
#include "conformance/clean_up.h"
#include "conformance/message_parts.h"
#include "conformance/server_process.h"

namespace dare::conformance {
namespace {

constexpr std::size_t kClients = 3;  // A, B and C

std::int64_t SecondsNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Indices of cases that share a server and what they learn, in the order they are played.
using Group = std::vector<std::size_t>;

std::vector<Group> GroupsOf(const std::vector<CaseFile>& cases) {
  std::vector<Group> groups;
  std::map<std::string, std::size_t> chains;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string_view chain = ChainOf(cases[i].file);
    if (chain.empty()) {
      groups.push_back({i});
      continue;
    }
    const auto [known, added] =
        chains.try_emplace(cases[i].folder + '/' + std::string(chain), groups.size());
    if (added) groups.emplace_back();
    groups[known->second].push_back(i);
  }
  return groups;
}

// A Round plays groups of cases.
class Round {
 public:
  Round(const std::vector<CaseFile>& cases, const Plan& plan,
        const std::function<void(const CaseResult&)>& report)
      : cases_(cases), plan_(plan), report_(report), results_(cases.size()) {}

  void PlayGroup(const Group& group) {
    Access access = plan_.access;
    std::unique_ptr<ServerProcess> server;
    if (!plan_.server_command.empty() && Wanted(group)) {
      Result<std::unique_ptr<ServerProcess>> started =
          ServerProcess::Start(plan_.server_command, NeedsHttps(group));
      if (!started) {
        for (const std::size_t i : group) End(i, Verdict::kFailed, started.error().message);
        return;
      }
      server = *std::move(started);
      access.server = server->kmip();
      access.https = HttpsUrl(server->https());
    }
    std::optional<Bindings> before;
    for (const std::size_t i : group) PlayOne(i, access, before);
    if (!before || server != nullptr || !plan_.clean_up) return;
    const CaseFile& last = cases_[group.back()];
    const std::set<std::string> left =
        CleanUp(before->keys().left_behind(), last.version, ConnectBy(access, EncodingOf(last)),
                std::clamp<std::size_t>(access.identities.size(), 1, kClients));
    results_[group.back()].left_behind = left.size();
  }

  std::vector<CaseResult> TakeResults() { return std::move(results_); }

 private:
  // The encoding its profile prescribes, where the server can be reached by it.
  Encoding EncodingOf(const CaseFile& file) const {
    const auto prescribed = PrescribedEncoding(file.file);
    const bool https = !plan_.server_command.empty() || !plan_.access.https.empty();
    return prescribed && https ? *prescribed : plan_.encoding;
  }

  bool Wanted(const Group& group) const {
    return std::any_of(group.begin(), group.end(),
                       [&](std::size_t i) { return plan_.versions.contains(cases_[i].version); });
  }
  bool NeedsHttps(const Group& group) const {
    return std::any_of(group.begin(), group.end(),
                       [&](std::size_t i) { return EncodingOf(cases_[i]) != Encoding::kTtlv; });
  }

  void PlayOne(std::size_t i, const Access& access, std::optional<Bindings>& before) {
    const CaseFile& file = cases_[i];
    const Encoding encoding = EncodingOf(file);
    if (file.problem.empty() && !plan_.versions.contains(file.version)) {
      End(i, Verdict::kSkipped,
          fmt::format("KMIP {} was not asked for", VersionText(file.version)));
      return;
    }
    if (!Reaches(access, encoding)) {
      End(i, Verdict::kSkipped, fmt::format("needs {}", EncodingName(encoding)));
      return;
    }
    PlayOptions options;
    const std::vector<const Quirk*> quirks = plan_.quirks.Of(file.name);
    options.versions_may_be_mixed = std::any_of(quirks.begin(), quirks.end(), [](const Quirk* q) {
      return q->slip == Slip::kOtherVersionPrinted;
    });
    const auto started = std::chrono::steady_clock::now();
    Outcome outcome =
        Play(file, ConnectBy(access, encoding), before ? &*before : nullptr, SecondsNow(), options);
    CaseResult& result = results_[i];
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    result.used = std::move(outcome.used);
    for (const Quirk* quirk : quirks) {
      if (outcome.bindings.slips().contains(quirk->slip)) {
        result.quirks.push_back(quirk->oddity + ": " + quirk->advice);
      }
    }
    before = std::move(outcome.bindings);
    End(i, outcome.verdict, std::move(outcome.text));
  }

  void End(std::size_t i, Verdict verdict, std::string text) {
    CaseResult& result = results_[i];
    result.file = &cases_[i];
    result.encoding = EncodingOf(cases_[i]);
    result.verdict = verdict;
    result.text = std::move(text);
    const MutexLock lock(mutex_);
    report_(result);
  }

  const std::vector<CaseFile>& cases_;
  const Plan& plan_;
  const std::function<void(const CaseResult&)>& report_;
  std::vector<CaseResult> results_;  // each written by the thread that plays its case
  Mutex mutex_;                      // one report at a time
};

}  // namespace

std::vector<CaseResult> PlayAll(const std::vector<CaseFile>& cases, const Plan& plan,
                                const std::function<void(const CaseResult&)>& report) {
  const std::vector<Group> groups = GroupsOf(cases);
  Round round(cases, plan, report);
  std::atomic<std::size_t> next = 0;
  {
    std::vector<std::jthread> players;
    // On one server cases are played one at a time: they see each other's objects.
    const int jobs = plan.server_command.empty() ? 1 : std::max(plan.jobs, 1);
    for (int i = 0; i < jobs; ++i) {
      players.emplace_back([&] {
        for (std::size_t g = next++; g < groups.size(); g = next++) round.PlayGroup(groups[g]);
      });
    }
  }
  return round.TakeResults();
}

}  // namespace dare::conformance
