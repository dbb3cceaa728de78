#include "engine/operations/rng_seed.h"

#include "kmip/reject.h"

namespace dare::engine {
namespace {
// More than any seed needs; keeps one request from draining time.
constexpr std::size_t kMostBytes = 64u << 10;
}  // namespace

//= kmip-2.1 6.1.50 RNG Seed
//# The response contains the amount of seed data used.
// All of it, as additional input that counts for no entropy: a client can make the generator no
// worse.
Result<kmip::RngSeedResponse> RngSeed(const kmip::RngSeedRequest& request,
                                      OperationContext& context) {
  TRY(context.Authorise());
  if (request.data.size() > kMostBytes) {
    return kmip::Reject(kmip::ResultReason::kInvalidField, "a seed of more than 65536 bytes");
  }
  context.random().Add(request.data);
  return kmip::RngSeedResponse{.length = static_cast<std::int32_t>(request.data.size())};
}

}  // namespace dare::engine
