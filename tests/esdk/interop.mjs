// Our sealed files against the AWS Encryption SDK for JavaScript, both ways (docs/formats/sealed-file.md).
// usage: node interop.mjs ESDK_TOOL WORK_FOLDER      (run.sh puts node_modules where this file is)
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  AlgorithmSuiteIdentifier, CommitmentPolicy, RawAesKeyringNode, RawAesWrappingSuiteIdentifier, buildClient,
} from '@aws-crypto/client-node'

const [tool, folder] = process.argv.slice(2)
const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
const SLOT = 4096
const AREA = 2 * SLOT
const COMMIT = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY
const COMMIT_SIGN = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384

const path = (name) => join(folder, name)

function aesKeyring(keyNamespace, keyName, key) {
  return new RawAesKeyringNode({
    keyNamespace, keyName,
    unencryptedMasterKey: Uint8Array.from(key),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  })
}

// A KEK that both sides know.
function makeKek(name) {
  const key = randomBytes(32)
  writeFileSync(path(name), key, { mode: 0o600 })
  return { name, key, spec: `kmip:kms.example/${name}/${path(name)}`, ring: aesKeyring('kmip:kms.example', name, key) }
}

function run(...args) {
  return spawnSync(tool, args, { encoding: 'utf8' })
}

function mustRun(...args) {
  const result = run(...args)
  assert.equal(result.status, 0, `${args.join(' ')}: ${result.stderr}`)
}

// What a stock reader does with our file: split at fixed offsets, open twice.
async function openWithStockReader(file, ring, slot) {
  const bytes = readFileSync(file)
  const block = await decrypt(ring, bytes.subarray(slot * SLOT, (slot + 1) * SLOT))
  const id = block.messageHeader.encryptionContext['kb-id']
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.match(block.messageHeader.encryptionContext['kb-gen'], /^[0-9]{10}$/)
  assert.ok(block.plaintext.subarray(32).every((b) => b === 0))
  const data = await decrypt(aesKeyring('keyblock', id, block.plaintext.subarray(0, 32)), bytes.subarray(AREA))
  return data.plaintext
}

async function ourFilesOpenThere() {
  const kek = makeKek('kek-a')
  for (const [size, frame] of [[0, 4096], [1, 4096], [4096, 4096], [4097, 4096], [100000, 4096], [3000000, 262144]]) {
    const plain = randomBytes(size)
    writeFileSync(path('plain'), plain)
    rmSync(path('sealed'), { force: true })
    mustRun('seal', kek.spec, path('plain'), path('sealed'), String(frame))
    for (const slot of [0, 1]) {
      assert.ok(plain.equals(await openWithStockReader(path('sealed'), kek.ring, slot)), `size ${size}, slot ${slot}`)
    }
  }
}

async function rewrappedFilesOpenThere() {
  const [before, after, recovery] = ['kek-before', 'kek-after', 'kek-recovery'].map(makeKek)
  const plain = randomBytes(50000)
  writeFileSync(path('plain'), plain)
  rmSync(path('sealed'), { force: true })
  mustRun('seal', before.spec, path('plain'), path('sealed'))
  mustRun('rewrap', before.spec, `${after.spec},${recovery.spec}`, path('sealed'))
  for (const kek of [after, recovery]) {
    assert.ok(plain.equals(await openWithStockReader(path('sealed'), kek.ring, 0)))
  }
  await assert.rejects(openWithStockReader(path('sealed'), before.ring, 0))
}

// A key block message that fills a slot: the padding is what a first try leaves.
async function makeKeyBlock(ring, id, blockKey) {
  const seal = (plaintext) => encrypt(ring, plaintext, {
    suiteId: COMMIT, frameLength: SLOT, encryptionContext: { 'kb-id': id },
  })
  const overhead = (await seal(blockKey)).result.length - blockKey.length
  const plaintext = Buffer.alloc(SLOT - overhead)
  blockKey.copy(plaintext)
  const { result } = await seal(plaintext)
  assert.equal(result.length, SLOT)
  return result
}

async function theirPairsOpenHere() {
  const kek = makeKek('kek-theirs')
  const id = '5b0c9a54-7f0e-4a3c-9d27-0d5d6a1f0c11'
  const blockKey = randomBytes(32)
  const block = await makeKeyBlock(kek.ring, id, blockKey)
  for (const [suiteId, size, frameLength] of [
    [COMMIT, 0, 4096], [COMMIT, 4096, 4096], [COMMIT, 100001, 4096], [COMMIT, 2000000, 1048576], [COMMIT_SIGN, 100001, 4096],
  ]) {
    const plain = randomBytes(size)
    const data = (await encrypt(aesKeyring('keyblock', id, blockKey), plain, {
      suiteId, frameLength, encryptionContext: { tenant: 'acme' },
    })).result
    for (const second of [block, Buffer.alloc(SLOT)]) {
      writeFileSync(path('theirs'), Buffer.concat([block, second, data]))
      rmSync(path('opened'), { force: true })
      mustRun('open', kek.spec, path('theirs'), path('opened'))
      assert.ok(plain.equals(readFileSync(path('opened'))), `suite ${suiteId}, size ${size}`)
    }
  }
}

async function damagedPairsAreRefusedHere() {
  const kek = makeKek('kek-damage')
  const id = '5b0c9a54-7f0e-4a3c-9d27-0d5d6a1f0c12'
  const blockKey = randomBytes(32)
  const block = await makeKeyBlock(kek.ring, id, blockKey)
  const seal = async (name) => (await encrypt(aesKeyring('keyblock', name, blockKey), randomBytes(10000), {
    suiteId: COMMIT, frameLength: 4096,
  })).result
  const good = Buffer.concat([block, block, await seal(id)])
  const flipped = Buffer.from(good)
  flipped[AREA + 5000] ^= 1
  const cases = {
    flipped,
    'cut short': good.subarray(0, good.length - 1),
    extended: Buffer.concat([good, Buffer.of(0)]),
    'data of another block': Buffer.concat([block, block, await seal('5b0c9a54-7f0e-4a3c-9d27-0d5d6a1f0c13')]),
  }
  for (const [name, bytes] of Object.entries(cases)) {
    writeFileSync(path('damaged'), bytes)
    rmSync(path('opened'), { force: true })
    const result = run('open', kek.spec, path('damaged'), path('opened'))
    assert.equal(result.status, 5, `${name}: ${result.stderr}`)
    assert.match(result.stderr, /not a sealed file or damaged/)
    assert.ok(!existsSync(path('opened')), name)
  }
}

async function ourSecretsOpenThere() {
  const kek = makeKek('kek-secret')
  for (const size of [1, 64, 65536]) {
    const plain = randomBytes(size)
    writeFileSync(path('plain-secret'), plain, { mode: 0o600 })
    mustRun('seal-secret', kek.spec, path('plain-secret'), path('s.secret'), 'restic')
    const { plaintext, messageHeader } = await decrypt(kek.ring, readFileSync(path('s.secret')))
    assert.ok(plain.equals(plaintext), `size ${size}`)
    assert.deepEqual({ ...messageHeader.encryptionContext },
      { 'dare-secret': '1', form: 'binary', made: '0', name: 'restic' })
  }
}

async function theirSecretsOpenHere() {
  const kek = makeKek('kek-their-secret')
  const plain = randomBytes(5000)
  for (const suiteId of [COMMIT, COMMIT_SIGN]) {
    const { result } = await encrypt(kek.ring, plain, {
      suiteId, frameLength: 4096, encryptionContext: { 'dare-secret': '1', form: 'text', made: '7', name: 'restic' },
    })
    writeFileSync(path('s.secret'), result)
    mustRun('open-secret', kek.spec, path('s.secret'), path('opened'), 'restic')
    assert.ok(plain.equals(readFileSync(path('opened'))))
    assert.equal(run('open-secret', kek.spec, path('s.secret'), path('opened'), 'borg').status, 5)
  }
}

const VALUE_CONTEXT = { table: 'people', column: 'name' }

async function ourValuesUnderOneDekOpenThere() {
  const kek = makeKek('kek-values')
  for (const size of [0, 1, 1000, 300000]) {
    const plain = randomBytes(size)
    writeFileSync(path('plain'), plain)
    mustRun('seal-values', kek.spec, path('plain'), path('value'))
    const headers = []
    for (const which of ['.0', '.1']) {
      const { plaintext, messageHeader } = await decrypt(kek.ring, readFileSync(path('value') + which))
      assert.ok(plain.equals(plaintext), `size ${size}`)
      assert.deepEqual({ ...messageHeader.encryptionContext }, VALUE_CONTEXT)
      headers.push(messageHeader)
    }
    const [a, b] = headers.map((h) => Buffer.from(h.encryptedDataKeys[0].encryptedDataKey))
    assert.ok(a.equals(b), 'one DEK')
    assert.ok(!Buffer.from(headers[0].messageId).equals(Buffer.from(headers[1].messageId)), 'two messages')
  }
}

async function theirValuesOpenHere() {
  const kek = makeKek('kek-their-values')
  for (const [encryptionContext, size, status] of [
    [VALUE_CONTEXT, 0, 0], [VALUE_CONTEXT, 100000, 0], [{ table: 'people' }, 10, 5], [{}, 10, 5],
  ]) {
    const plain = randomBytes(size)
    writeFileSync(path('theirs'), (await encrypt(kek.ring, plain, { suiteId: COMMIT, encryptionContext })).result)
    rmSync(path('opened'), { force: true })
    const done = run('open-value', kek.spec, path('theirs'), path('opened'))
    assert.equal(done.status, status, done.stderr)
    assert.ok(status === 0 ? plain.equals(readFileSync(path('opened'))) : !existsSync(path('opened')))
  }
}

for (const test of [ourFilesOpenThere, rewrappedFilesOpenThere, theirPairsOpenHere, damagedPairsAreRefusedHere,
  ourSecretsOpenThere, theirSecretsOpenHere, ourValuesUnderOneDekOpenThere, theirValuesOpenHere]) {
  await test()
  console.log(`ok ${test.name}`)
}
