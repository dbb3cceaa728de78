// Opens a file that dare sealed with the AWS Encryption SDK for JavaScript and a keys file (docs/recovery.md), and with
// nothing of ours:
//
//   npm install @aws-crypto/client-node@5.0.2
//   node recover.mjs KEYS.json SEALED OUT
import { constants } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  CommitmentPolicy, MultiKeyringNode, RawAesKeyringNode, RawAesWrappingSuiteIdentifier, RawRsaKeyringNode, buildClient,
} from '@aws-crypto/client-node'

const SLOT = 4096 // docs/formats/sealed-file.md: two key blocks, then the data
const { decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
const SUITES = {
  16: RawAesWrappingSuiteIdentifier.AES128_GCM_IV12_TAG16_NO_PADDING,
  24: RawAesWrappingSuiteIdentifier.AES192_GCM_IV12_TAG16_NO_PADDING,
  32: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
}

function aesKeyring(keyNamespace, keyName, key) {
  return new RawAesKeyringNode({
    keyNamespace, keyName, unencryptedMasterKey: Uint8Array.from(key), wrappingSuite: SUITES[key.length],
  })
}

function keyringOf(key) {
  if (key.type === 'raw-aes') return aesKeyring(key.namespace, key.name, Buffer.from(key.material_hex, 'hex'))
  const oaep = key.padding === 'oaep'
  return new RawRsaKeyringNode({
    keyNamespace: key.namespace,
    keyName: key.name,
    rsaKey: { privateKey: key.private_pem },
    padding: oaep ? constants.RSA_PKCS1_OAEP_PADDING : constants.RSA_PKCS1_PADDING,
    ...(oaep ? { oaepHash: key.hash } : {}),
  })
}

// The key block of one slot: its id, and the key of the data.
async function openSlot(keyring, sealed, slot) {
  const { plaintext, messageHeader } = await decrypt(keyring, sealed.subarray(slot * SLOT, (slot + 1) * SLOT))
  return { id: messageHeader.encryptionContext['kb-id'], key: plaintext.subarray(0, 32) }
}

const [keysFile, sealedFile, out] = process.argv.slice(2)
const file = JSON.parse(readFileSync(keysFile, 'utf8'))
const children = Object.values(file.keys ?? file).map(keyringOf)
const keyring = new MultiKeyringNode({ children })
const sealed = readFileSync(sealedFile)
const block = await openSlot(keyring, sealed, 0).catch(() => openSlot(keyring, sealed, 1))
const { plaintext } = await decrypt(aesKeyring('keyblock', block.id, block.key), sealed.subarray(2 * SLOT))
writeFileSync(out, plaintext, { mode: 0o600 })
