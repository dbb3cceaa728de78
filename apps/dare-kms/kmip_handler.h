#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/kms.h"
#include "server/enrolment_store.h"
#include "server/handler.h"

namespace dare::kms {

// KmipHandler joins the listener to the engine: it says who the peer is in the words of policy,
// gives requests to the Kms and late answers back to their connection. Thread-safe. `kms` and
// `records` outlive it.
//
// A peer is an administrator when the configuration names it, or when it holds a certificate that
// we issued for that role. The role in a certificate of another authority counts for nothing.
class KmipHandler : public server::RequestHandler {
 public:
  // `carries_requests`: the connections have a place for requests of the server (HTTPS has none).
  KmipHandler(engine::Kms& kms, const server::EnrolmentStore& records,
              std::vector<std::string> administrators, bool carries_requests)
      : kms_(kms),
        records_(records),
        administrators_(std::move(administrators)),
        carries_requests_(carries_requests) {}

  bool IsAdministrator(const server::Peer& peer) const;
  std::shared_ptr<const void> Meet(const server::Peer& peer) override;
  server::Handled Handle(ByteView request, const server::Caller& caller,
                         const server::ReplyTo& later, WipingBytes& answer) override;
  server::Handled HandleUnreadable(const Error& error, ByteView begun, const server::Caller& caller,
                                   WipingBytes& answer) override;
  Result<void> Flush() override { return kms_.Flush(); }

 private:
  engine::Kms& kms_;
  const server::EnrolmentStore& records_;
  const std::vector<std::string> administrators_;
  const bool carries_requests_;
};

}  // namespace dare::kms
