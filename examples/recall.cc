// recall CONFIG: a service that stops at once when its key is revoked.
//
// The cache listens: the key server tells it when a key is revoked or destroyed, and what that key
// wraps is dropped. So the time limit may be long, and most calls ask nobody. While the connection
// for it is lost, a kept key is used for `deaf_seconds` at most.
//
// Each line of standard input stands for a request to the service, which needs the value once.
#include <dare/client.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>

namespace {

using dare::lib::Buffer;
using dare::lib::Client;
using dare::lib::Limits;
using dare::lib::Result;
using dare::lib::Status;

constexpr dare_pair kColumn[] = {{"table", "people"}, {"column", "name"}};

int Fail(const Status& status) {
  std::fprintf(stderr, "recall: %s\n", status.message.c_str());
  return status.code;
}

// Whether the cache came to listen within a while. A program need not wait for that: until then
// deaf_seconds bounds what is kept.
bool AwaitListening(const Client& caching) {
  for (int tries = 0; tries < 300; ++tries) {
    const Result<dare_cache_counts> counts = caching.CacheCounts();
    if (!counts || counts->listens == 1) return static_cast<bool>(counts);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: recall CONFIG\n", stderr), DARE_USAGE;

  Client client;
  if (const Status status = client.Open(argv[1]); !status) return Fail(status);
  Limits limits;
  limits.seconds = 24 * 3600;
  limits.listen = 1;
  limits.deaf_seconds = 10;
  Result<Client> caching = client.WithCache(limits);
  if (!caching) return Fail(caching.status());

  const Result<Buffer> sealed = caching->SealValue("", kColumn, dare::lib::AsBytes("Ada"));
  if (!sealed) return Fail(sealed.status());
  std::puts(AwaitListening(*caching) ? "listening" : "deaf");
  std::fflush(stdout);

  for (std::string line; std::getline(std::cin, line);) {
    const Result<Buffer> opened = caching->OpenValue(kColumn, sealed->bytes());
    if (opened.status().code == DARE_DENIED) {
      std::puts("revoked");
      return DARE_DENIED;
    }
    if (!opened) return Fail(opened.status());
    const Result<dare_cache_counts> counts = caching->CacheCounts();
    if (!counts) return Fail(counts.status());
    std::printf("opened; keys taken from the cache: %llu\n",
                static_cast<unsigned long long>(counts->hits));
    std::fflush(stdout);
  }
  return 0;
}
