// recover.mjs, as docs/recovery.md tells to use it, on files that dare sealed for a recovery key; and bare messages both
// ways.    usage: node recover_test.mjs DARE WORK_FOLDER
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { constants, createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AlgorithmSuiteIdentifier, CommitmentPolicy, RawRsaKeyringNode, buildClient } from '@aws-crypto/client-node'

const [dare, folder] = process.argv.slice(2)
const here = dirname(fileURLToPath(import.meta.url))
const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)

function run(expected, program, ...args) {
  const done = spawnSync(program, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, DARE_CONFIG: '/nowhere' } })
  assert.equal(done.status, expected, `${args.join(' ')}: ${done.stderr}`)
}

const pair = generateKeyPairSync('rsa', { modulusLength: 3072 })
const name = createHash('sha256').update(pair.publicKey.export({ type: 'spki', format: 'der' })).digest('hex')
const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' })
const privatePem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' })
writeFileSync(join(folder, 'recovery.pem'), publicPem)
const key = { type: 'raw-rsa', namespace: 'offline-recovery', name, padding: 'oaep', hash: 'sha256', private_pem: privatePem }
writeFileSync(join(folder, 'keys.json'), JSON.stringify({ safe: key }), { mode: 0o600 })
const keyring = new RawRsaKeyringNode({
  keyNamespace: 'offline-recovery',
  keyName: name,
  rsaKey: { publicKey: publicPem, privateKey: privatePem },
  padding: constants.RSA_PKCS1_OAEP_PADDING,
  oaepHash: 'sha256',
})

for (const suite of ['0478', '0578']) {
  for (const size of [0, 1, 262144, 700001]) {
    const plain = randomBytes(size)
    writeFileSync(join(folder, 'f'), plain)
    const seal = [dare, 'seal', '--offline', '--recipient-key', 'recovery.pem', '--suite', suite, 'f', '-f']
    run(0, ...seal)
    run(0, process.execPath, join(here, 'recover.mjs'), 'keys.json', 'f.dare', 'out')
    assert.ok(plain.equals(readFileSync(join(folder, 'out'))), `sealed file, suite ${suite}, ${size} bytes`)

    run(0, ...seal, '--message')
    const opened = await decrypt(keyring, readFileSync(join(folder, 'f.dare')))
    assert.ok(plain.equals(opened.plaintext), `our message there, suite ${suite}, ${size} bytes`)

    const suiteId = suite === '0478'
      ? AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY
      : AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384
    const { result } = await encrypt(keyring, plain, { suiteId, frameLength: 4096, encryptionContext: { tenant: 'acme' } })
    writeFileSync(join(folder, 'theirs'), result)
    const open = [dare, 'open', '--offline', '--keys', 'keys.json', '--message', 'theirs', '-o', 'out', '-f']
    run(0, ...open)
    assert.ok(plain.equals(readFileSync(join(folder, 'out'))), `their message here, suite ${suite}, ${size} bytes`)
    writeFileSync(join(folder, 'theirs'), Buffer.concat([result, Buffer.of(0)]))
    run(5, ...open)
  }
}
console.log('ok')
