#include "approval_administration.h"

#include <boost/json.hpp>

#include "lockout_administration.h"

namespace dare::kms {
namespace {

namespace json = boost::json;
using engine::ApprovalRequest;
using policy::Standing;

json::string Text(std::string_view view) { return json::string(view); }

std::string_view NameOf(Standing standing) {
  switch (standing) {
    case Standing::kWaiting:
      return "waiting";
    case Standing::kApproved:
      return "approved";
    case Standing::kRefused:
      return "refused";
    case Standing::kExpired:
      break;
  }
  return "expired";
}

json::array Speakers(const ApprovalRequest& request, bool approving) {
  json::array names;
  for (const policy::Voice& voice : request.petition.voices) {
    if (voice.approves == approving) names.emplace_back(voice.who.name);
  }
  return names;
}

json::object Describe(const ApprovalRequest& request, const registry::Approvals::List& list,
                      const policy::Principal& who) {
  const policy::Guard guard = list.GuardOf(request);
  json::object out{
      {"id", request.id},
      {"act", Text(policy::ActName(request.act))},
      {"subject", request.subject},
      {"how", request.how},
      {"note", request.note},
      {"requester", request.petition.requester},
      {"asked", request.asked},
      {"expires", request.petition.expires},
      {"rule", request.rule},
      {"standing", Text(NameOf(policy::StandingOf(guard, request.petition, list.now)))},
      {"approved_by", Speakers(request, true)},
      {"refused_by", Speakers(request, false)}};
  if (guard) {
    out["needed"] = guard.rule->needed;
    out["counted"] = policy::CountApprovals(guard, request.petition);
    out["demand"] = policy::Demand(*guard.rule);
  }
  if (request.petition.bypassed_by) {
    out["emergency"] =
        json::object{{"by", request.petition.bypassed_by->name}, {"reason", request.bypass_reason}};
  }
  const std::string_view why_not = policy::WhyNoVoice(guard, request.petition, who, list.now);
  out["may_speak"] = why_not.empty();
  return out;
}

json::object Describe(const registry::Bypass& bypass) {
  return {{"id", bypass.id},
          {"rule", bypass.rule},
          {"act", Text(policy::ActName(bypass.act))},
          {"subject", bypass.subject},
          {"requester", bypass.requester},
          {"by", bypass.by},
          {"reason", bypass.reason},
          {"when", bypass.when},
          {"used", bypass.used == 0 ? json::value(nullptr) : json::value(bypass.used)}};
}

bool MaySee(const ApprovalRequest& request, const registry::Approvals::List& list,
            const policy::Principal& who) {
  return request.petition.requester == who.name || list.Concerns(who, request.rule, request.act);
}

}  // namespace

policy::Principal ApprovalAdministration::PrincipalOf(const server::Peer& peer) const {
  policy::Principal principal{.name = peer.common_name, .administrator = is_administrator_(peer)};
  principal.groups = GroupsOf(peer.units);
  return principal;
}

Result<std::string> ApprovalAdministration::List(const server::Peer& who) {
  const policy::Principal asker = PrincipalOf(who);
  const registry::Approvals::List list = TRY(approvals_.Read());
  json::array requests, emergencies;
  for (const ApprovalRequest& request : list.requests) {
    if (MaySee(request, list, asker)) requests.push_back(Describe(request, list, asker));
  }
  for (const registry::Bypass& bypass : list.bypasses) {
    const bool theirs = bypass.by == asker.name || bypass.requester == asker.name;
    if (theirs || list.Concerns(asker, bypass.rule, bypass.act)) {
      emergencies.push_back(Describe(bypass));
    }
  }
  return json::serialize(
      json::object{{"requests", std::move(requests)}, {"emergencies", std::move(emergencies)}});
}

Result<std::string> ApprovalAdministration::Show(const std::string& id, const server::Peer& who) {
  const policy::Principal asker = PrincipalOf(who);
  const registry::Approvals::List list = TRY(approvals_.Read());
  for (const ApprovalRequest& request : list.requests) {
    if (request.id != id || !MaySee(request, list, asker)) continue;
    json::object out = Describe(request, list, asker);
    out["text"] = request.text;
    return json::serialize(out);
  }
  return Error(Code::kNotFound, "no such request waits");
}

Result<std::string> ApprovalAdministration::Speak(const std::string& id, const server::Peer& who,
                                                  bool approves) {
  const policy::Principal speaker = PrincipalOf(who);
  const ApprovalRequest request = TRY(approvals_.Speak(id, speaker, approves));
  const registry::Approvals::List list = TRY(approvals_.Read());
  return json::serialize(Describe(request, list, speaker));
}

Result<std::string> ApprovalAdministration::Approve(const std::string& id,
                                                    const server::Peer& who) {
  return Speak(id, who, true);
}

Result<std::string> ApprovalAdministration::Refuse(const std::string& id, const server::Peer& who) {
  return Speak(id, who, false);
}

Result<std::string> ApprovalAdministration::LetPass(const std::string& id,
                                                    const std::string& reason,
                                                    const server::Peer& who) {
  const policy::Principal speaker = PrincipalOf(who);
  const ApprovalRequest request = TRY(approvals_.LetPass(id, speaker, reason));
  const registry::Approvals::List list = TRY(approvals_.Read());
  return json::serialize(Describe(request, list, speaker));
}

Result<std::string> ApprovalAdministration::Acknowledge(const std::string& id,
                                                        const server::Peer& who) {
  return json::serialize(Describe(TRY(approvals_.Acknowledge(id, PrincipalOf(who)))));
}

Result<void> ApprovalAdministration::Permit(std::string_view act, const std::string& how,
                                            const server::Peer& who) {
  const policy::Act known = TRY(policy::ParseAct(act));
  return approvals_.Permit(known, who.common_name, how);
}

}  // namespace dare::kms
