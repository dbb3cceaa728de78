// Seals or opens records of 32-byte keys in SoftHSM2 with so many sessions and threads, beside what
// the token itself does in the same run: C_EncryptInit and C_Encrypt (or C_Decrypt…) of the same
// bytes under the same key, each thread with a session of its own. Prints {"mine": …, "raw": …} of
// a second.
//   hsm_seal seal|open THREADS SECONDS
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <thread>
#include <vector>

#include "hsm/direct_sealer.h"
#include "hsm/pkcs11.h"
#include "hsm/sealed_record.h"
#include "hsm/softhsm_for_test.h"

namespace {

using dare::Bytes;
using dare::ByteView;
using std::chrono::duration;
using std::chrono::duration_cast;
using std::chrono::steady_clock;

constexpr int kRounds = 3;  // of each, interleaved; the best counts

// Calls `work` from so many threads until the time is over: how often in a second, 0 when one
// failed.
double Rate(unsigned threads, double seconds, const std::function<bool()>& work) {
  std::atomic<std::uint64_t> calls = 0;
  std::atomic<bool> failed = false;
  const auto begin = steady_clock::now();
  const auto end = begin + duration_cast<steady_clock::duration>(duration<double>(seconds));
  {
    std::vector<std::jthread> workers;
    for (unsigned t = 0; t < threads; ++t) {
      workers.emplace_back([&] {
        std::uint64_t mine = 0;
        for (; steady_clock::now() < end; ++mine) {
          if (work()) continue;
          failed = true;
          break;
        }
        calls += mine;
      });
    }
  }
  const double passed = duration<double>(steady_clock::now() - begin).count();
  return failed ? 0 : static_cast<double>(calls) / passed;
}

// One call of the token: nothing of ours but the parameters.
bool Raw(const dare::hsm::SessionLease& lease, unsigned long key, bool seal, Bytes& record,
         Bytes& bound, Bytes& secret) {
  CK_GCM_PARAMS params{};
  params.pIv = record.data() + dare::hsm::kRecordHeadBytes;
  params.ulIvLen = dare::hsm::kRecordNonceBytes;
  params.ulIvBits = dare::hsm::kRecordNonceBytes * 8;
  params.pAAD = bound.data();
  params.ulAADLen = bound.size();
  params.ulTagBits = dare::hsm::kRecordTagBytes * 8;
  CK_MECHANISM mechanism{CKM_AES_GCM, &params, sizeof params};
  const CK_FUNCTION_LIST& p11 = lease.functions();
  std::array<std::uint8_t, 128> out;
  CK_ULONG size = out.size();
  if (seal) {
    return p11.C_EncryptInit(lease.session(), &mechanism, key) == CKR_OK &&
           p11.C_Encrypt(lease.session(), secret.data(), secret.size(), out.data(), &size) ==
               CKR_OK;
  }
  const std::size_t start = dare::hsm::kRecordHeadBytes + dare::hsm::kRecordNonceBytes;
  return p11.C_DecryptInit(lease.session(), &mechanism, key) == CKR_OK &&
         p11.C_Decrypt(lease.session(), record.data() + start, record.size() - start, out.data(),
                       &size) == CKR_OK;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const bool seal = std::string_view(argv[1]) == "seal";
  const auto threads = static_cast<unsigned>(std::atoi(argv[2]));
  const double seconds = std::atof(argv[3]) / kRounds;
  if (!dare::hsm::SoftHsmForTest::Available()) {
    fmt::print(stderr, "hsm_seal: SoftHSM2 is not installed\n");
    return 1;
  }
  auto pool = dare::hsm::SoftHsmForTest::Get().Pool(threads);
  auto key = dare::hsm::MasterKey::Create(pool, "bench");
  if (!key) return 1;
  auto sealer = dare::hsm::DirectSealer::Make(*key);
  if (!sealer) return 1;

  const Bytes aad(60, 2);
  Bytes secret(32, 3);
  const auto sealed = (*sealer)->Seal(aad, secret);
  if (!sealed) return 1;
  Bytes record = *sealed;
  Bytes bound = dare::hsm::BoundTo(ByteView(record).first(dare::hsm::kRecordHeadBytes), aad);
  double mine = 0, raw = 0;
  for (int round = 0; round < kRounds; ++round) {
    mine = std::max(mine, Rate(threads, seconds, [&] {
                      return seal ? (*sealer)->Seal(aad, secret).has_value()
                                  : (*sealer)->Open(aad, record).has_value();
                    }));
    raw = std::max(raw, Rate(threads, seconds, [&] {
                     thread_local auto lease = pool->Borrow();
                     thread_local const auto handles = (*key)->Handles(*lease);
                     return Raw(*lease, handles->seal, seal, record, bound, secret);
                   }));
  }
  if (mine == 0 || raw == 0) return 1;
  fmt::print("{{\"mine\": {:.0f}, \"raw\": {:.0f}}}\n", mine, raw);
  return 0;
}
