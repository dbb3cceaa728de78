// Opens a file or a folder that dare sealed with the AWS Encryption SDK for JavaScript and a keys file (docs/recovery.md), and
// with nothing of ours:
//
//   npm install @aws-crypto/client-node@5.0.2
//   node recover.mjs KEYS.json SEALED OUT
//
// Of a folder (docs/formats/sealed-tree.md) come back: files, folders, symbolic and hard links, modes and times of change. A
// file that is missing or not the one that was sealed is told, the others come back, and the exit code is 1.
import { constants } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
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

// The key block in front of a file, or of a folder: the keyring of the data. Either slot may be the one that opens.
async function openKeyBlock(keyring, area) {
  const open = (slot) => decrypt(keyring, area.subarray(slot * SLOT, (slot + 1) * SLOT))
  const { plaintext, messageHeader } = await open(0).catch(() => open(1))
  return aesKeyring('keyblock', messageHeader.encryptionContext['kb-id'], plaintext.subarray(0, 32))
}

async function recoverFile(keyring, sealed, out) {
  const data = await openKeyBlock(keyring, sealed.subarray(0, 2 * SLOT))
  writeFileSync(out, (await decrypt(data, sealed.subarray(2 * SLOT))).plaintext, { mode: 0o600 })
}

const KIND = { filler: 0, file: 1, folder: 2, link: 3, end: 255 }
const slash = Buffer.from('/')
const join = (...parts) => Buffer.concat(parts.flatMap((part, i) => (i ? [slash, part] : [part])))

// Every entry of a manifest's plaintext. Names are bytes, and paths with them.
function* entriesOf(manifest) {
  if (manifest.toString('latin1', 0, 8) !== 'DARETREE' || manifest.readUInt16BE(8) !== 1) throw new Error('no manifest')
  const folders = []
  for (let at = 44; at < manifest.length;) {
    const record = manifest.subarray(at + 4, at + 4 + manifest.readUInt32BE(at))
    at += 4 + record.length
    if (record[0] === KIND.filler || record[0] === KIND.end) continue
    const [kind, flags, depth, n] = [record[0], record[1], record.readUInt16BE(2), record.readUInt16BE(4)]
    const name = record.subarray(6, 6 + n)
    if (depth > 0 && (n === 0 || name.includes(0) || name.includes(slash) || ['.', '..'].includes(name.toString('latin1')))) {
      throw new Error('a name that leads elsewhere')
    }
    const path = depth < 2 ? name : join(folders[depth - 1], name)
    if (kind === KIND.folder) folders[depth] = path
    const seconds = Number(record.readBigInt64BE(16 + n)) + record.readUInt32BE(24 + n) / 1e9
    yield { kind, flags, depth, name, path, seconds, mode: record.readUInt16BE(6 + n), rest: record.subarray(28 + n) }
  }
}

// Where the message of a file lies, and what the manifest says of it.
function messageOf(entry, namesEncrypted) {
  const linked = (entry.flags & 1) !== 0
  const id = entry.rest.subarray(16, 48)
  const digits = id.toString('hex')
  const hidden = namesEncrypted || linked || entry.name.length + 22 > 255
  const place = hidden ? join(...['data', digits.slice(0, 2), digits.slice(2, 32)].map((part) => Buffer.from(part)))
    : Buffer.concat([Buffer.from('files/'), entry.path, Buffer.from(`.${digits.slice(0, 16)}.esdk`)])
  return { id, linked, place, size: Number(entry.rest.readBigUInt64BE(0)), finalTag: entry.rest.subarray(64, 80) }
}

// The content with its holes.
function withHoles(entry, size, content) {
  if ((entry.flags & 2) === 0) return content
  const file = Buffer.alloc(size)
  for (let i = 0, taken = 0; i < entry.rest.readUInt32BE(100); ++i) {
    const [offset, length] = [104, 112].map((at) => Number(entry.rest.readBigUInt64BE(at + 16 * i)))
    taken += content.copy(file, offset, taken, taken + length)
  }
  return file
}

async function recoverContent(data, top, entry, message) {
  const sealed = readFileSync(join(top, message.place))
  const { plaintext, messageHeader } = await decrypt(data, sealed)
  if (!message.id.equals(Buffer.from(messageHeader.messageId)) || !message.finalTag.equals(sealed.subarray(-16))) {
    throw new Error('not the message that the manifest names')
  }
  return withHoles(entry, message.size, plaintext)
}

async function recoverFolder(keyring, sealed, out) {
  const [top, target] = [Buffer.from(sealed), Buffer.from(out)]
  const data = await openKeyBlock(keyring, readFileSync(join(top, Buffer.from('key-block'))))
  const { plaintext, messageHeader } = await decrypt(data, readFileSync(join(top, Buffer.from('manifest'))))
  if (messageHeader.encryptionContext['tree-part'] !== 'manifest') throw new Error('no manifest')
  const namesEncrypted = (plaintext.readUInt16BE(10) & 1) !== 0
  const folders = []
  const links = new Map()
  for (const entry of entriesOf(plaintext)) {
    const place = entry.depth === 0 ? target : join(target, entry.path)
    try {
      if (entry.kind === KIND.folder) {
        mkdirSync(place, { mode: 0o700 })
        folders.unshift({ place, ...entry })
      } else if (entry.kind === KIND.link) {
        symlinkSync(entry.rest.subarray(2, 2 + entry.rest.readUInt16BE(0)), place)
      } else if (entry.kind === KIND.file) {
        const message = messageOf(entry, namesEncrypted)
        const first = message.linked && links.get(message.id.toString('hex'))
        if (first) {
          linkSync(first, place)
        } else {
          writeFileSync(place, await recoverContent(data, top, entry, message), { mode: 0o600, flag: 'wx' })
          if (message.linked) links.set(message.id.toString('hex'), place)
          chmodSync(place, entry.mode & 0o777)
          utimesSync(place, entry.seconds, entry.seconds)
        }
      } else {
        throw new Error('a pipe or device')
      }
    } catch (error) {
      console.error(`${entry.path}: ${error.message}`)
      process.exitCode = 1
    }
  }
  // The innermost first: a mode may forbid what is below, and what is made in a folder changes its time.
  for (const folder of folders) {
    chmodSync(folder.place, folder.mode & 0o777)
    utimesSync(folder.place, folder.seconds, folder.seconds)
  }
}

const [keysFile, sealed, out] = process.argv.slice(2)
const file = JSON.parse(readFileSync(keysFile, 'utf8'))
const keyring = new MultiKeyringNode({ children: Object.values(file.keys ?? file).map(keyringOf) })
await (statSync(sealed).isDirectory() ? recoverFolder(keyring, sealed, out) : recoverFile(keyring, readFileSync(sealed), out))
