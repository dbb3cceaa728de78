#include "conformance/clean_up.h"

#include "kmip/enums.h"

namespace dare::conformance {
namespace {

using kmip::Operation;
using kmip::Tag;

Node Number(Tag tag, Type type, std::int64_t value) { return {tag, type, {value, {}}, {}, {}}; }
Node Structure(Tag tag, std::vector<Node> members) {
  return {tag, Type::kStructure, {}, {}, std::move(members)};
}

Node RequestOf(kmip::ProtocolVersion version, Operation operation, std::vector<Node> payload) {
  return Structure(
      Tag::kRequestMessage,
      {Structure(Tag::kRequestHeader,
                 {Structure(Tag::kProtocolVersion,
                            {Number(Tag::kProtocolVersionMajor, Type::kInteger, version.major),
                             Number(Tag::kProtocolVersionMinor, Type::kInteger, version.minor)}),
                  Number(Tag::kBatchCount, Type::kInteger, 1)}),
       Structure(Tag::kBatchItem,
                 {Number(Tag::kOperation, Type::kEnumeration, static_cast<std::int64_t>(operation)),
                  Structure(Tag::kRequestPayload, std::move(payload))})});
}

Node IdentifierOf(const std::string& id, kmip::ProtocolVersion version) {
  const Type type = version >= kmip::kVersion3_0 ? Type::kIdentifier : Type::kTextString;
  return {Tag::kUniqueIdentifier, type, {0, id}, {}, {}};
}

bool Succeeds(Peer& peer, const Node& request) {
  const Result<Node> response = peer.Ask(request);
  const Node* item = response ? response->Child(Tag::kBatchItem) : nullptr;
  const Node* status = item != nullptr ? item->Child(Tag::kResultStatus) : nullptr;
  return status != nullptr &&
         status->value.number == static_cast<std::int64_t>(kmip::ResultStatus::kSuccess);
}

bool Destroyed(Peer& peer, const std::string& id, kmip::ProtocolVersion version) {
  const Node destroy = RequestOf(version, Operation::kDestroy, {IdentifierOf(id, version)});
  if (Succeeds(peer, destroy)) return true;
  const Node recover = RequestOf(version, Operation::kRecover, {IdentifierOf(id, version)});
  if (Succeeds(peer, recover) && Succeeds(peer, destroy)) return true;
  const Node reason = Structure(
      Tag::kRevocationReason,
      {Number(Tag::kRevocationReasonCode, Type::kEnumeration,
              static_cast<std::int64_t>(kmip::RevocationReasonCode::kCessationOfOperation))});
  const Node revoke = RequestOf(version, Operation::kRevoke, {IdentifierOf(id, version), reason});
  return Succeeds(peer, revoke) && Succeeds(peer, destroy);
}

}  // namespace

std::set<std::string> CleanUp(const std::set<std::string>& ids, kmip::ProtocolVersion version,
                              const Connect& connect, std::size_t clients) {
  std::set<std::string> left = ids;
  for (std::size_t client = 0; client < clients && !left.empty(); ++client) {
    const Result<std::unique_ptr<Peer>> peer = connect(client);
    if (!peer) return left;
    std::erase_if(left, [&](const std::string& id) { return Destroyed(**peer, id, version); });
  }
  return left;
}

}  // namespace dare::conformance
