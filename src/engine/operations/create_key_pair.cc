#include "engine/operations/create_key_pair.h"

#include <utility>

#include "engine/key_pair.h"

namespace dare::engine {

Result<kmip::CreateKeyPairResponse> CreateKeyPair(const kmip::CreateKeyPairRequest& request,
                                                  OperationContext& context) {
  TRY(context.Authorise());
  PairAttributes attributes = TRY(CheckedPairAttributes(request.attributes, context));
  const Storage storage = TRY(ChoosePairStorage(request.attributes, attributes.private_key,
                                                attributes.public_key, context));
  const crypto::KeySpecification specification =
      TRY(SharedSpecification(attributes, context.version()));
  const NewPair pair = TRY(MakeKeyPair(specification, std::move(attributes), storage, context));
  TRY(InsertKeyPair(pair, context));
  kmip::CreateKeyPairResponse response;
  response.private_id = pair.private_key.id;
  response.public_id = pair.public_key.id;
  return response;
}

}  // namespace dare::engine
