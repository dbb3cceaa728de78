#include "policy/operation_class.h"

namespace dare::policy {

using kmip::Operation;

OperationClass ClassOf(Operation operation) {
  switch (operation) {
    case Operation::kQuery:
    case Operation::kDiscoverVersions:
    case Operation::kPing:
    case Operation::kPKCS_11:  // which tells of the server alone
    case Operation::kLogin:
    case Operation::kLogout:
    case Operation::kLog:
    case Operation::kPoll:
    case Operation::kCancel:
    case Operation::kProcess:
    case Operation::kQueryAsynchronousRequests:
    case Operation::kSetEndpointRole:
    case Operation::kGetConstraints:
      return OperationClass::kSession;
    case Operation::kDelegatedLogin:
    case Operation::kSetDefaults:
    case Operation::kSetConstraints:
    case Operation::kInterop:
      return OperationClass::kOwnRules;
    case Operation::kCreate:
    case Operation::kCreateKeyPair:
    case Operation::kCreateSplitKey:  // which opens the key to be split as Get does
      return OperationClass::kMake;
    case Operation::kRegister:
    case Operation::kImport:
      return OperationClass::kBring;
    case Operation::kRNGRetrieve:
    case Operation::kRNGSeed:
    case Operation::kHash:
      return OperationClass::kCompute;
    case Operation::kLocate:
      return OperationClass::kFind;
    case Operation::kGetAttributes:
    case Operation::kGetAttributeList:
      return OperationClass::kRead;
    case Operation::kRevoke:
    case Operation::kDestroy:
    case Operation::kArchive:
    case Operation::kRecover:  // what is archived can be revoked only after it
      return OperationClass::kWithdraw;
    case Operation::kAddAttribute:
    case Operation::kModifyAttribute:
    case Operation::kDeleteAttribute:
    case Operation::kSetAttribute:
    case Operation::kAdjustAttribute:
    case Operation::kActivate:
    case Operation::kDeactivate:
    case Operation::kReKey:
    case Operation::kReKeyKeyPair:
      return OperationClass::kManage;
    case Operation::kGet:
    case Operation::kExport:
    case Operation::kCheck:
    case Operation::kObtainLease:
    case Operation::kGetUsageAllocation:
    case Operation::kDeriveKey:
    case Operation::kJoinSplitKey:
    case Operation::kEncrypt:
    case Operation::kDecrypt:
    case Operation::kSign:
    case Operation::kSignatureVerify:
    case Operation::kMAC:
    case Operation::kMACVerify:
      return OperationClass::kUse;
    case Operation::kCertify:
    case Operation::kReCertify:
    case Operation::kValidate:
      return OperationClass::kUseOrBrought;
    default:
      return OperationClass::kUnknown;
  }
}

}  // namespace dare::policy
