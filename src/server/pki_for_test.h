#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "server/ca.h"

namespace dare::server {

// A certificate authority with its key in memory, and the files a server or client needs, in a
// temporary folder that goes with it. Starts the secure heap. For tests only.
class PkiForTest {
 public:
  explicit PkiForTest(const Clock& clock = SystemClock::Get(), const std::string& name = "test CA");
  ~PkiForTest();
  PkiForTest(const PkiForTest&) = delete;
  PkiForTest& operator=(const PkiForTest&) = delete;

  struct Identity {
    std::string certificate_file, key_file;
    Certificate certificate;
  };
  // A client certificate; `clock` decides when it begins.
  Identity Client(const std::string& name, const std::vector<std::string>& units = {},
                  std::int64_t days = 7);
  Identity Server();

  const CertificateAuthority& authority() const { return *authority_; }
  const std::string& ca_file() const { return ca_file_; }
  const std::string& folder() const { return folder_; }
  const DigestSigner& signer() const { return sign_; }

 private:
  struct Key;
  Identity Keep(Certificate certificate, ByteView private_pem);

  std::string folder_, ca_file_;
  std::unique_ptr<Key> key_;
  DigestSigner sign_;
  std::unique_ptr<CertificateAuthority> authority_;
  int kept_ = 0;
};

// A PKCS #10 request in DER for the key in `private_pem`, with the subject CN=`name`.
Bytes MakeRequestForTest(ByteView private_pem, const std::string& name);

}  // namespace dare::server
