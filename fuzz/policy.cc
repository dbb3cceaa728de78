// The text of a policy (policy/document.h): any bytes. What is read says the same when it is
// printed and read again, can be checked, and decides; what is refused says why and where.
#include "base/check.h"
#include "policy/access.h"
#include "policy/document.h"

namespace dare::policy {
namespace {

void Ask(const Policy& policy) {
  const Circumstances circumstances{.address = "10.0.0.1", .now = 1795910400};
  for (const char* who : {"root", "alice", "pay-app1"}) {
    const Principal principal{.name = who, .groups = {"apps"}};
    for (const auto operation : {kmip::Operation::kGet, kmip::Operation::kLocate}) {
      ObjectFacts object{.owner = "alice", .id = "1"};
      object.names = {"orders-1"};
      const Decision decision = Decide(policy, principal, operation, object, circumstances);
      CHECK(!decision.rule.empty());
      // Who may use an object may see it.
      CHECK(!decision.allowed || !decision.hidden);
    }
  }
}

void Read(std::string_view text) {
  const Result<Policy> policy = ParsePolicy(text, "fuzz");
  if (!policy) {
    CHECK(policy.error().code == Code::kInvalidArgument || policy.error().code == Code::kTooLarge);
    CHECK(policy.error().message.starts_with("fuzz:"));
    return;
  }
  const std::string printed = PrintPolicy(*policy);
  // Printed, a list of many ranges may be longer than it was written.
  if (printed.size() <= kMostDocumentBytes) {
    const Result<Policy> again = ParsePolicy(printed, "printed");
    CHECK(again && *again == *policy);
  }
  (void)CheckPolicy(*policy, {"root"}, "fuzz");
  Ask(*policy);
}

}  // namespace
}  // namespace dare::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dare::policy::Read({reinterpret_cast<const char*>(data), size});
  return 0;
}
