#include "registry/approvals.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/log.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "engine/guarded_facts.h"
#include "policy/conditions_text.h"
#include "store/change.h"

namespace dare::registry {
namespace {

using engine::ApprovalRequest;
using engine::GuardedAct;
using policy::Standing;

constexpr int kMostReadings = 5;  // of a list that changes meanwhile
constexpr std::size_t kIdBytes = 6;
constexpr std::size_t kMostLine = 300;  // of what people read; an approval is bound to all of it

Error Differs() {
  return Error(Code::kDamaged,
               "the approvals in the database are not those that the servers left: what needs "
               "approval is refused (dare-kms verify)");
}

Error NoSuch(const std::string& id) {
  return Error(Code::kNotFound, "no request " + id.substr(0, 64) + " waits");
}

// Over all that an approval is good for.
Bytes BindingOf(const GuardedAct& act) {
  Bytes all;
  for (const std::string_view field :
       {std::string_view(act.guard.rule->label), std::string_view(act.requester),
        policy::ActName(act.act), std::string_view(act.subject), std::string_view(act.how),
        std::string_view(act.text)}) {
    std::uint8_t length[4];
    PutU32(length, static_cast<std::uint32_t>(field.size()));
    Append(all, length);
    Append(all, AsBytes(field));
  }
  const crypto::Sha256Digest digest = crypto::Sha256(all);
  return Bytes(digest.begin(), digest.end());
}

// One line that logs and lists can take.
std::string Line(std::string_view text) {
  std::string line(text.substr(0, kMostLine));
  while (!line.empty() && !IsValidUtf8(AsBytes(line))) line.pop_back();  // half of a letter
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return line;
}

bool IsPrintable(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

Result<ApprovalRequest> NewRequest(const GuardedAct& act, Bytes binding, std::int64_t now) {
  Bytes id(kIdBytes);
  TRY(crypto::RandomBytes(id));
  ApprovalRequest request;
  request.id = ToHex(id);
  request.rule = act.guard.rule->label;
  request.act = act.act;
  request.subject = Line(act.subject);
  request.how = Line(act.how);
  request.text = act.text;
  request.note = Line(act.note);
  request.binding = std::move(binding);
  request.asked = now;
  request.petition.requester = act.requester;
  request.petition.expires = now + act.guard.rule->seconds;
  return request;
}

std::string What(const ApprovalRequest& request) {
  std::string what(policy::ActName(request.act));
  if (!request.subject.empty()) what += " of " + request.subject;
  if (!request.how.empty()) what += ", " + request.how;
  return what;
}

std::string Names(const ApprovalRequest& request, bool approving) {
  std::string names;
  for (const policy::Voice& voice : request.petition.voices) {
    if (voice.approves == approving) names += (names.empty() ? "" : ", ") + voice.who.name;
  }
  return names;
}

std::string WaitingText(const ApprovalRequest& request, const policy::Guard& guard) {
  const std::uint32_t given = policy::CountApprovals(guard, request.petition);
  return "needs approval by " + policy::Demand(*guard.rule) + ": request " + request.id +
         " waits for it until " + policy::MomentText(request.petition.expires) +
         (given == 0 ? "" : " and has " + std::to_string(given)) +
         "; ask again when it is approved";
}

}  // namespace

// The whole table, as one transaction shows it.
struct Approvals::Book {
  std::uint64_t group = 0;
  std::vector<ApprovalRequest> requests;
  std::vector<Bypass> bypasses;

  const ApprovalRequest* Find(const std::string& id) const {
    const auto found = std::ranges::find(requests, id, &ApprovalRequest::id);
    return found == requests.end() ? nullptr : &*found;
  }
};

Result<Approvals::Book> Approvals::ReadBook(const store::ObjectReader& reader) const {
  const std::string key = engine::TableSumKey(kApprovalTable);
  const Result<Bytes> row = reader.GetMeta(key);
  if (!row && row.error().code != Code::kNotFound) return row.error();
  engine::RunningSum sum;
  if (row) sum = TRY(engine::DecodeSum(*vault_, key, *row));
  if (sum.group < newest_) return Differs();
  Book book;
  book.group = sum.group;
  engine::TableCount count;
  const std::string prefix = engine::TableRowPrefix(kApprovalTable);
  for (const std::string& name : TRY(reader.ListMeta(prefix))) {
    const Result<Bytes> kept = reader.GetMeta(name);
    if (!kept && kept.error().code == Code::kNotFound) continue;
    if (!kept) return kept.error();
    TRY(count.Add(*vault_, {.key = name, .value = *kept}));
    const auto content = TRY(engine::OpenGuarded(*vault_, name, *kept));
    if (!content) return Differs();
    const std::string_view row_name = std::string_view(name).substr(prefix.size());
    if (row_name.starts_with(kRequestPrefix)) {
      book.requests.push_back(TRY(DecodeRequest(row_name, *content)));
      policy::Petition& petition = book.requests.back().petition;
      std::erase_if(petition.voices,
                    [&](const policy::Voice& voice) { return options_.is_locked_out(voice.who); });
      if (petition.bypassed_by && options_.is_locked_out(*petition.bypassed_by)) {
        petition.bypassed_by.reset();
      }
    } else {
      book.bypasses.push_back(TRY(DecodeBypass(row_name, *content)));
    }
  }
  if (!count.Agrees(sum)) return Differs();
  std::ranges::sort(book.requests, {}, &ApprovalRequest::asked);
  return book;
}

// Only what is committed: a group that was rolled back never was.
void Approvals::Note(std::uint64_t group) {
  std::uint64_t known = newest_;
  while (known < group && !newest_.compare_exchange_weak(known, group)) {
  }
}

void Approvals::Settle(bool committed) {
  const std::uint64_t group = pending_.exchange(0);
  if (committed) Note(group);
}

Result<engine::ApprovalDesk::Ruling> Approvals::Judge(store::Transaction& transaction,
                                                      const GuardedAct& act, bool use,
                                                      std::uint64_t& group) {
  const Book book = TRY(ReadBook(transaction));
  const std::int64_t now = clock_.Now();
  Bytes binding = BindingOf(act);
  const auto standing = [&](const ApprovalRequest& request) {
    return policy::StandingOf(act.guard, request.petition, now);
  };
  const auto found = std::ranges::find(book.requests, binding, &ApprovalRequest::binding);
  if (found == book.requests.end() || standing(*found) == Standing::kExpired) {
    const auto waits = [&](const ApprovalRequest& other) { return now < other.petition.expires; };
    const auto is_theirs = [&](const ApprovalRequest& other) {
      return waits(other) && other.petition.requester == act.requester;
    };
    if (std::ranges::count_if(book.requests, is_theirs) >= std::ptrdiff_t{kMostOfOne} ||
        std::ranges::count_if(book.requests, waits) >= std::ptrdiff_t{kMostRequests}) {
      return Ruling{.message = "needs approval, and too many requests wait for theirs already"};
    }
    ApprovalRequest request = TRY(NewRequest(act, std::move(binding), now));
    std::string message = WaitingText(request, act.guard);
    return Ruling{.message = std::move(message), .to_register = std::move(request)};
  }
  if (standing(*found) == Standing::kRefused) {
    return Ruling{.message = "request " + found->id + " was refused by " + Names(*found, false) +
                             "; it can be made anew from " +
                             policy::MomentText(found->petition.expires)};
  }
  if (standing(*found) == Standing::kWaiting || !use) {
    return Ruling{.message = WaitingText(*found, act.guard)};
  }
  auto table = TRY(engine::GuardedTable::Open(*vault_, transaction, kApprovalTable));
  TRY(table.Remove(RequestName(found->binding)));
  std::string message = "request " + found->id + " approved by " + Names(*found, true);
  if (found->petition.bypassed_by) {
    const std::string& by = found->petition.bypassed_by->name;
    message =
        "EMERGENCY: request " + found->id + " let pass by " + by + ": " + found->bypass_reason;
    log::Failure("emergency: " + act.requester + " does " + What(*found) + " without approval; " +
                 message);
    for (Bypass bypass : book.bypasses) {
      if (bypass.id != found->id) continue;
      bypass.used = now;
      TRY(table.Put(BypassName(bypass.id), EncodeBypass(bypass)));
    }
  }
  TRY(table.Finish());
  group = table.group();
  return Ruling{.granted = true, .message = std::move(message)};
}

Result<engine::ApprovalDesk::Ruling> Approvals::Use(store::Transaction& transaction,
                                                    const GuardedAct& act) {
  std::uint64_t group = 0;
  Ruling ruling = TRY(Judge(transaction, act, true, group));
  if (group != 0) pending_ = group;
  return ruling;
}

// Takes away what has expired, too: nobody else does.
Result<void> Approvals::Put(store::Transaction& transaction, const ApprovalRequest& request,
                            std::uint64_t& group) {
  const Book book = TRY(ReadBook(transaction));
  auto table = TRY(engine::GuardedTable::Open(*vault_, transaction, kApprovalTable));
  for (const ApprovalRequest& other : book.requests) {
    if (other.petition.expires <= clock_.Now()) TRY(table.Remove(RequestName(other.binding)));
  }
  TRY(table.Put(RequestName(request.binding), EncodeRequest(request)));
  TRY(table.Finish());
  group = table.group();
  return {};
}

Result<void> Approvals::Register(store::Transaction& transaction, const ApprovalRequest& request) {
  std::uint64_t group = 0;
  TRY(Put(transaction, request, group));
  pending_ = group;
  return {};
}

Result<void> Approvals::Change(const std::function<Result<void>(store::Transaction& transaction,
                                                                std::uint64_t& group)>& change) {
  std::uint64_t group = 0;
  TRY(store::Change(store_, [&](store::Transaction& transaction) {
    group = 0;
    return change(transaction, group);
  }));
  Note(group);
  return {};
}

Result<void> Approvals::Permit(policy::Act act, const std::string& requester,
                               const std::string& how) {
  const std::shared_ptr<const policy::Policy> policy = options_.in_force();
  if (policy == nullptr) return {};
  if (policy->closed()) return Error(Code::kDenied, "the policy cannot be read");
  const policy::Guard guard = policy::GuardOf(*policy, act);
  if (!guard) return {};
  const GuardedAct asked{.guard = guard, .act = act, .requester = requester, .how = how};
  Ruling ruling;
  const auto change = [&](store::Transaction& transaction, std::uint64_t& group) -> Result<void> {
    ruling = TRY(Judge(transaction, asked, true, group));
    if (!ruling.to_register) return {};
    return Put(transaction, *ruling.to_register, group);
  };
  TRY(Change(change));
  if (ruling.granted) return {};
  return Error(Code::kDenied, ruling.message);
}

Result<void> Approvals::PermitIn(store::Transaction& transaction, const GuardedAct& act) {
  std::uint64_t group = 0;
  const Ruling ruling = TRY(Judge(transaction, act, true, group));
  if (ruling.granted) return {};
  return Error(Code::kDenied, ruling.message);
}

Error Approvals::Refer(const GuardedAct& act) {
  Ruling ruling;
  const auto change = [&](store::Transaction& transaction, std::uint64_t& group) -> Result<void> {
    ruling = TRY(Judge(transaction, act, false, group));
    if (!ruling.to_register) return {};
    return Put(transaction, *ruling.to_register, group);
  };
  const Result<void> changed = Change(change);
  return changed ? Error(Code::kDenied, ruling.message) : changed.error();
}

policy::Guard Approvals::List::GuardOf(const ApprovalRequest& request) const {
  return policy ? policy::GuardNamed(*policy, request.rule) : policy::Guard{};
}

bool Approvals::List::Concerns(const policy::Principal& who, const std::string& rule,
                               policy::Act act) const {
  if (policy == nullptr || policy->closed() || who.name.empty()) return false;
  const policy::Guard guard = policy::GuardNamed(*policy, rule);
  if (policy::HasVoice(guard, who) || policy::MayBypass(guard, who)) return true;
  // The rule may be gone; its label tells the domain.
  const bool of_domain = rule.starts_with("approval " + policy->DomainOf(who.name).name + "/");
  return who.administrator && (of_domain || policy::IsOfService(act));
}

Result<Approvals::List> Approvals::Read() {
  List list{.policy = options_.in_force(), .now = clock_.Now()};
  // No transaction, which would hold up those who write: so a list that was changed between two
  // rows is read again.
  Result<Book> read = ReadBook(store_);
  for (int i = 1; i < kMostReadings && !read && read.error().code == Code::kDamaged; ++i) {
    read = ReadBook(store_);
  }
  Book book = TRY(std::move(read));
  Note(book.group);
  for (ApprovalRequest& request : book.requests) {
    if (list.now < request.petition.expires) list.requests.push_back(std::move(request));
  }
  list.bypasses = std::move(book.bypasses);
  return list;
}

Result<ApprovalRequest> Approvals::ChangeRequest(
    const std::string& id,
    const std::function<Result<void>(engine::GuardedTable&, const Book&, ApprovalRequest&,
                                     const policy::Guard&)>& change) {
  const std::shared_ptr<const policy::Policy> policy = options_.in_force();
  ApprovalRequest request;
  const auto changes = [&](store::Transaction& transaction, std::uint64_t& group) -> Result<void> {
    const Book book = TRY(ReadBook(transaction));
    const ApprovalRequest* const found = book.Find(id);
    if (found == nullptr || found->petition.expires <= clock_.Now()) return NoSuch(id);
    request = *found;
    const policy::Guard guard =
        policy ? policy::GuardNamed(*policy, request.rule) : policy::Guard{};
    auto table = TRY(engine::GuardedTable::Open(*vault_, transaction, kApprovalTable));
    TRY(change(table, book, request, guard));
    TRY(table.Put(RequestName(request.binding), EncodeRequest(request)));
    TRY(table.Finish());
    group = table.group();
    return {};
  };
  TRY(Change(changes));
  return request;
}

Result<ApprovalRequest> Approvals::Speak(const std::string& id, const policy::Principal& who,
                                         bool approves) {
  const auto change = [&](engine::GuardedTable&, const Book&, ApprovalRequest& request,
                          const policy::Guard& guard) -> Result<void> {
    const std::int64_t now = clock_.Now();
    const std::string_view why = policy::WhyNoVoice(guard, request.petition, who, now);
    if (!why.empty()) return Error(Code::kDenied, std::string(why));
    const Standing standing = policy::StandingOf(guard, request.petition, now);
    if (approves && standing == Standing::kApproved) {
      return Error(Code::kAlreadyExists, "request " + id + " has all the approval that it needs");
    }
    policy::Voice voice{.who = {.name = who.name, .administrator = who.administrator},
                        .approves = approves};
    voice.who.groups = who.groups;
    request.petition.voices.push_back(std::move(voice));
    return {};
  };
  return ChangeRequest(id, change);
}

Result<ApprovalRequest> Approvals::LetPass(const std::string& id, const policy::Principal& who,
                                           const std::string& reason) {
  if (reason.empty() || reason.size() > kMostReason || !IsPrintable(reason)) {
    return Error(Code::kInvalidArgument, "a reason is needed: one line of at most 500 bytes");
  }
  const auto change = [&](engine::GuardedTable& table, const Book& book, ApprovalRequest& request,
                          const policy::Guard& guard) -> Result<void> {
    if (!policy::MayBypass(guard, who)) {
      return Error(Code::kDenied, "the rule does not name you for emergencies");
    }
    if (request.petition.bypassed_by) {
      return Error(Code::kAlreadyExists, "request " + id + " was let pass already");
    }
    if (book.bypasses.size() >= kMostBypasses) {
      return Error(Code::kExhausted, "too many emergencies wait to be acknowledged");
    }
    request.petition.bypassed_by =
        policy::Principal{.name = who.name, .administrator = who.administrator};
    request.petition.bypassed_by->groups = who.groups;
    request.bypass_reason = reason;
    return table.Put(BypassName(id), EncodeBypass({.id = id,
                                                   .rule = request.rule,
                                                   .act = request.act,
                                                   .subject = request.subject,
                                                   .requester = request.petition.requester,
                                                   .by = who.name,
                                                   .reason = reason,
                                                   .when = clock_.Now()}));
  };
  ApprovalRequest request = TRY(ChangeRequest(id, change));
  log::Failure("emergency: " + who.name + " lets pass without approval, request " + id + ": " +
               What(request) + ", asked by " + request.petition.requester + ": " + reason);
  return request;
}

Result<Bypass> Approvals::Acknowledge(const std::string& id, const policy::Principal& who) {
  List list{.policy = options_.in_force()};
  Bypass taken;
  const auto change = [&](store::Transaction& transaction, std::uint64_t& group) -> Result<void> {
    const Book book = TRY(ReadBook(transaction));
    const auto found = std::ranges::find(book.bypasses, id, &Bypass::id);
    if (found == book.bypasses.end()) {
      return Error(Code::kNotFound, "no emergency " + id.substr(0, 64) + " waits");
    }
    if (who.name == found->by || who.name == found->requester) {
      return Error(Code::kDenied, "an emergency is acknowledged by somebody else");
    }
    if (!list.Concerns(who, found->rule, found->act)) {
      return Error(Code::kDenied, "the emergency does not concern you");
    }
    taken = *found;
    auto table = TRY(engine::GuardedTable::Open(*vault_, transaction, kApprovalTable));
    TRY(table.Remove(BypassName(id)));
    TRY(table.Finish());
    group = table.group();
    return {};
  };
  TRY(Change(change));
  return taken;
}

}  // namespace dare::registry
