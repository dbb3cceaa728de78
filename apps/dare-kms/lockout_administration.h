#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/access_control.h"
#include "registry/lockouts.h"
#include "server/admin.h"
#include "server/authority_lists.h"
#include "server/revocation.h"

namespace dare::kms {

// The groups that a certificate's organizational units name; roles are ours ("dare-…").
std::vector<std::string> GroupsOf(const std::vector<std::string>& units);

// What the listeners ask of a peer: whether its certificate is revoked, by our records or by the
// lists of its authorities (null: none are read), and whether it is locked out. Thread-safe; all
// outlive it.
class Door : public server::Revocation {
 public:
  Door(const server::Revocation& certificates, const registry::Lockouts& lockouts,
       const server::AuthorityLists* lists)
      : certificates_(certificates), lockouts_(lockouts), lists_(lists) {}
  bool IsRevoked(const std::string& serial, const std::string& common_name) const override {
    return certificates_.IsRevoked(serial, common_name);
  }
  bool IsLockedOut(const std::string& common_name,
                   const std::vector<std::string>& units) const override {
    return lockouts_.IsLockedOut(common_name, GroupsOf(units));
  }
  bool IsKnown() const override { return certificates_.IsKnown(); }
  server::Standing OnLists(const server::IssuedChain& chain) const override {
    return lists_ == nullptr ? server::Standing::kGood : lists_->Judge(chain);
  }
  // Each of them only grows.
  std::uint64_t generation() const override {
    return (lockouts_.generation() << 32) + certificates_.generation() +
           (lists_ == nullptr ? 0 : lists_->generation());
  }

 private:
  const server::Revocation& certificates_;
  const registry::Lockouts& lockouts_;
  const server::AuthorityLists* const lists_;
};

// Does what administrators ask of the kill switch over HTTPS. Answers say how many milliseconds
// later it holds on every node. Thread-safe; `lockouts` outlives it.
class LockoutAdministration : public server::LockoutOffice {
 public:
  // `sealed` is called when the cluster was sealed from here; `access` tells of domains.
  LockoutAdministration(registry::Lockouts& lockouts, const engine::AccessControl& access,
                        std::function<void()> sealed)
      : lockouts_(lockouts), access_(access), sealed_(std::move(sealed)) {}

  Result<std::string> Lockouts() override;
  Result<std::string> LockOut(const Target& target, const std::string& reason,
                              const server::Peer& who) override;
  Result<std::string> Unlock(const Target& target) override;
  Result<std::string> Seal(const std::string& reason, const server::Peer& who) override;
  Result<std::string> Unseal() override;

 private:
  Result<void> CheckTarget(registry::Lockout::Kind kind, const std::string& name,
                           const server::Peer& who) const;

  registry::Lockouts& lockouts_;
  const engine::AccessControl& access_;
  const std::function<void()> sealed_;
};

}  // namespace dare::kms
