"""What the black-box tests share: an independent KMIP codec, a raw client, and a dare-kms to talk to."""
