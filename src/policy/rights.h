#pragma once

#include <cstddef>

#include "kmip/enums.h"
#include "policy/decision.h"
#include "policy/principal.h"

namespace dare::policy {

// `decision`, made without regard to the principal's rights, as far as one of them from `first` on
// lets it stand. `object` is null for what touches none.
Decision WithRights(const Decision& decision, const Principal& principal, kmip::Operation operation,
                    const ObjectFacts* object, std::size_t first);

}  // namespace dare::policy
