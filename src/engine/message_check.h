#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "engine/server_facts.h"
#include "kmip/message.h"

namespace dare::engine {

// What is wrong with a request message as a whole, before any of its items is looked at: kRejected
// with the reason that answers it.
Result<void> CheckMessage(const kmip::RequestMessage& message, const ServerFacts& facts,
                          const Clock& clock);

}  // namespace dare::engine
