#include "hsm/master_key.h"

#include <array>
#include <utility>

#include "crypto/random.h"
#include "hsm/master_key_parts.h"
#include "hsm/sealed_record.h"

namespace dare::hsm {
namespace {

std::string Named(const std::string& label) { return "master key '" + label + "'"; }

Result<MasterKeyInfo> InfoOf(const SessionLease& lease, const MasterKeyParts& parts,
                             const std::string& label, KeyOrigins origins) {
  const JudgedParts judged = TRY(JudgeParts(lease, parts, label, origins));
  return MasterKeyInfo{label,         parts.id,     CheckValueOf(lease, parts), parts.mechanism,
                       judged.origin, judged.bound, TRY(ModuliOf(lease, parts))};
}

// The one that is meant: by its id, or the only one.
Result<MasterKeyParts> FindOneKey(const SessionLease& lease, const std::string& label,
                                  ByteView id) {
  const std::vector<MasterKeyParts> found = TRY(FindParts(lease, label, id));
  if (found.empty()) {
    return Error(Code::kNotFound,
                 "the token has no " + Named(label) + (id.empty() ? "" : " with id " + ToHex(id)));
  }
  if (found.size() > 1) {
    std::string ids;
    for (const MasterKeyParts& one : found) ids += (ids.empty() ? "" : ", ") + ToHex(one.id);
    return Error(Code::kConflict, "the token has more than one " + Named(label) + ", ids " + ids +
                                      ": say which, or remove or relabel what is not ours");
  }
  return found.front();
}

// What a token took must be what it was given: half of it, and it would seal by another mechanism.
Result<std::shared_ptr<MasterKey>> AsWanted(std::shared_ptr<MasterKey> key,
                                            SealingMechanism mechanism) {
  if (key->info().mechanism == mechanism) return key;
  TRY(MasterKey::Remove(key->pool(), key->info().label, key->info().id));
  return Error(Code::kUnsupported,
               std::string("the token does not keep a master key for ") + NameOf(mechanism));
}

}  // namespace

Result<std::shared_ptr<MasterKey>> MasterKey::Create(std::shared_ptr<SessionPool> pool,
                                                     const std::string& label,
                                                     SealingMechanism mechanism) {
  {
    const SessionLease lease = TRY(pool->OpenReadWrite());
    if (!TRY(FindParts(lease, label, {})).empty()) {
      return Error(Code::kAlreadyExists, "the token has a " + Named(label) + " already");
    }
  }
  return CreateNext(std::move(pool), label, mechanism);
}

Result<std::shared_ptr<MasterKey>> MasterKey::CreateNext(std::shared_ptr<SessionPool> pool,
                                                         const std::string& label,
                                                         SealingMechanism mechanism) {
  std::array<std::uint8_t, kMasterKeyIdBytes> id;
  TRY(crypto::RandomBytes(id));
  {
    const SessionLease lease = TRY(pool->OpenReadWrite());
    if (Result<void> made = MakeParts(lease, label, id, mechanism); !made) {
      (void)RemoveParts(lease, label, id);  // a half is of no use to anybody
      return made.error();
    }
  }
  return AsWanted(TRY(Find(std::move(pool), label, id)), mechanism);
}

Result<std::shared_ptr<MasterKey>> MasterKey::Import(std::shared_ptr<SessionPool> pool,
                                                     const std::string& label, ByteView id,
                                                     const SecretBytes& key,
                                                     SealingMechanism mechanism) {
  if (id.size() != kMasterKeyIdBytes) {
    return Error(Code::kInvalidArgument, "the id of a master key has 8 bytes");
  }
  {
    const SessionLease lease = TRY(pool->OpenReadWrite());
    if (!TRY(FindParts(lease, label, id)).empty()) {
      return Error(Code::kAlreadyExists,
                   "the token has a " + Named(label) + " with id " + ToHex(id) + " already");
    }
    TRY(RemoveParts(lease, label, id));  // a half from an import that was cut off
    if (Result<void> put = ImportParts(lease, label, id, mechanism, key); !put) {
      (void)RemoveParts(lease, label, id);
      return put.error();
    }
  }
  return AsWanted(TRY(Find(std::move(pool), label, id, KeyOrigins::kAlsoCeremony)), mechanism);
}

Result<std::shared_ptr<MasterKey>> MasterKey::Find(std::shared_ptr<SessionPool> pool,
                                                   const std::string& label, ByteView id,
                                                   KeyOrigins origins) {
  const auto look = [&](const SessionLease& lease) -> Result<MasterKeyInfo> {
    const MasterKeyParts parts = TRY(FindOneKey(lease, label, id));
    return InfoOf(lease, parts, label, origins);
  };
  MasterKeyInfo info = TRY(pool->With(look));
  return std::shared_ptr<MasterKey>(new MasterKey(std::move(pool), std::move(info)));
}

Result<std::vector<std::shared_ptr<MasterKey>>> MasterKey::FindAll(
    std::shared_ptr<SessionPool> pool, const std::string& label, KeyOrigins origins) {
  const auto look = [&](const SessionLease& lease) -> Result<std::vector<MasterKeyInfo>> {
    std::vector<MasterKeyInfo> infos;
    for (const MasterKeyParts& parts : TRY(FindParts(lease, label, {}))) {
      infos.push_back(TRY(InfoOf(lease, parts, label, origins)));
    }
    return infos;
  };
  std::vector<std::shared_ptr<MasterKey>> keys;
  for (MasterKeyInfo& info : TRY(pool->With(look))) {
    keys.push_back(std::shared_ptr<MasterKey>(new MasterKey(pool, std::move(info))));
  }
  return keys;
}

Result<void> MasterKey::Remove(SessionPool& pool, const std::string& label, ByteView id) {
  const SessionLease lease = TRY(pool.OpenReadWrite());
  if (TRY(RemoveParts(lease, label, id)) > 0) return {};
  return Error(Code::kNotFound, "the token has no " + Named(label) + " with id " + ToHex(id));
}

Result<MasterKeyHandles> MasterKey::Handles(const SessionLease& lease) {
  const MutexLock lock(mutex_);
  if (handles_generation_ == lease.generation()) return handles_;
  Result<MasterKeyParts> parts = FindOneKey(lease, info_.label, info_.id);
  if (!parts && parts.error().code == Code::kNotFound) {
    return Error(Code::kConflict,
                 "the token came back without " + Named(info_.label) + ", id " + ToHex(info_.id));
  }
  if (!parts) return parts.error();
  const KeyOrigins origins =
      info_.origin == KeyOrigin::kCeremony ? KeyOrigins::kAlsoCeremony : KeyOrigins::kMadeInToken;
  const MasterKeyInfo now = TRY(InfoOf(lease, *parts, info_.label, origins));
  const bool differs = !now.check_value.empty() && !info_.check_value.empty() &&
                       now.check_value != info_.check_value;
  if (now.mechanism != info_.mechanism || now.moduli != info_.moduli || differs) {
    return Error(Code::kConflict, "the token came back with another " + Named(info_.label) +
                                      ", id " + ToHex(info_.id));
  }
  handles_ = {parts->seal, parts->authenticate};
  handles_generation_ = lease.generation();
  return handles_;
}

}  // namespace dare::hsm
