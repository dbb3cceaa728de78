/* data_key CONFIG: a key for encryption by one's own means.
 *
 * A program that has its own format (a database with page encryption, a backup tool) takes a data
 * key: fresh 256 bits, and their wrapped form, which is stored beside the data and is of no use
 * without the key server. Here OpenSSL encrypts one message; then the program forgets the key and
 * gets it back from its wrapped form, as after a restart.
 *
 * What seals a value needs no such key: dare_seal_value() makes all choices itself. */
#include <dare/dare.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IV_BYTES = 12, TAG_BYTES = 16 };

/* What the key is for. It is bound into the wrapped form, and must be told again to open it. */
static const dare_pair context[] = {{"application", "example"}, {"use", "pages"}};

static void require(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "data_key: %s\n", what);
  exit(1);
}

/* The text is asked for after the call: not as an argument beside it. */
static void require_ok(dare_status status) {
  if (status != DARE_OK) require(0, dare_last_error());
}

int main(int argc, char **argv) {
  static const char text[] = "what must not be read by others";
  unsigned char iv[IV_BYTES], tag[TAG_BYTES], sealed[sizeof text], back[sizeof text];
  unsigned char wrapped[1024];
  size_t wrapped_size = 0, key_size = 0;
  int n = 0;
  dare_client *client = NULL;
  dare_data_key *key = NULL;
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  require(argc == 2, "usage: data_key CONFIG");
  require(cipher != NULL, "out of memory");
  require_ok(dare_client_new(argv[1], &client));

  /* 1. A fresh key, and what is stored of it. */
  require_ok(dare_data_key_generate(client, NULL, context, 2, &key));
  {
    const void *stored = dare_data_key_wrapped(key, &wrapped_size);
    require(wrapped_size <= sizeof wrapped, "a wrapped key larger than thought");
    memcpy(wrapped, stored, wrapped_size);
  }

  /* 2. Used once, with an IV that is never used again under it. Its bytes stay in the library. */
  require(
      RAND_bytes(iv, sizeof iv) == 1 &&
          EVP_EncryptInit_ex2(cipher, EVP_aes_256_gcm(), dare_data_key_reveal(key, &key_size), iv,
                              NULL) == 1 &&
          EVP_EncryptUpdate(cipher, sealed, &n, (const unsigned char *)text, sizeof text) == 1 &&
          EVP_EncryptFinal_ex(cipher, sealed + n, &n) == 1 &&
          EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, sizeof tag, tag) == 1,
      "encryption failed");
  dare_data_key_free(key); /* wiped */

  /* 3. Later, elsewhere: the key server says whether it may still be used. */
  key = NULL;
  require_ok(dare_data_key_unwrap(client, context, 2, wrapped, wrapped_size, &key));
  require(EVP_DecryptInit_ex2(cipher, EVP_aes_256_gcm(), dare_data_key_reveal(key, &key_size), iv,
                              NULL) == 1 &&
              EVP_DecryptUpdate(cipher, back, &n, sealed, sizeof sealed) == 1 &&
              EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1 &&
              EVP_DecryptFinal_ex(cipher, back + n, &n) == 1,
          "not authentic");
  printf("%s\n%zu bytes of key, %zu of its wrapped form\n", (const char *)back, key_size,
         wrapped_size);

  dare_data_key_free(key);
  dare_client_free(client);
  EVP_CIPHER_CTX_free(cipher);
  return 0;
}
