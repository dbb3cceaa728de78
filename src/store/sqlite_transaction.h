#pragma once

#include <functional>
#include <memory>

#include "store/object_store.h"
#include "store/sqlite_connection.h"

namespace dare::store::sqlite {

// A transaction on the store's one writing connection; `give_back` is called when it has ended.
// BEGIN has been run.
std::unique_ptr<Transaction> MakeTransaction(Connection& writer, std::function<void()> give_back);

}  // namespace dare::store::sqlite
