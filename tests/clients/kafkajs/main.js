// kafkajs. See ../README.md for the protocol; the scenarios are those of ../python/harness.py.
'use strict'

const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = require('kafkajs')

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')

const [bootstrap, workdir, prefix, ...capabilities] = process.argv.slice(2)
const kafka = new Kafka({ clientId: 'suite', brokers: [bootstrap], logLevel: logLevel.NOTHING })
const CODECS = {
  none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy,
}
const EVERYTHING = [0, 1, 2, 3]
const GROUP = { sessionTimeout: 10000, heartbeatInterval: 500, rebalanceTimeout: 10000 }

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function waitUntil(what, condition, seconds = 40) {
  const deadline = Date.now() + seconds * 1000
  while (!(await condition())) {
    assert(Date.now() < deadline, `not within ${seconds} s: ${what}`)
    await sleep(50)
  }
}

// SHA-256 over keys, values, headers and, if wanted, times, in the order given.
function contentHash(records, timestamps = false) {
  const text = (data) => (data === null || data === undefined ? '-' : data.toString('hex'))
  const hash = crypto.createHash('sha256')
  for (const { key, value, headers, timestamp } of records) {
    const pairs = Object.entries(headers ?? {}).flatMap(([name, values]) =>
      [values].flat().map((one) => `${name}=${one ? Buffer.from(one).toString('hex') : ''}`))
    hash.update(`${timestamps ? `${timestamp}|` : ''}${text(key)}|${text(value)}|${pairs.join(',')}\n`)
  }
  return hash.digest('hex')
}

function data(name) {
  const decode = (text) => (text === null ? null : Buffer.from(text, 'base64'))
  const lines = fs.readFileSync(path.join(workdir, `${name}.jsonl`), 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => {
    const row = JSON.parse(line)
    const headers = {}
    for (const [name, value] of row.headers) (headers[name] ??= []).push(decode(value))
    return { key: decode(row.key), value: decode(row.value), headers, timestamp: String(row.timestamp) }
  })
}

async function withAdmin(action) {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await action(admin)
  } finally {
    await admin.disconnect()
  }
}

async function createTopic(capability, numPartitions = 1, configs = {}) {
  const topic = `${prefix}.${capability}`
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  const topics = [{ topic, numPartitions, replicationFactor: -1, configEntries }]
  await withAdmin((admin) => admin.createTopics({ topics, waitForLeaders: true }))
  return topic
}

async function produce(topic, messages, { codec = 'none', idempotent = false } = {}) {
  const producer = kafka.producer({ idempotent, createPartitioner: require('kafkajs').Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic, messages, compression: CODECS[codec], acks: -1 })
  await producer.disconnect()
}

// kafkajs reads only as a member of a group: one of its own for each call, without commits.
async function consume(topic, count) {
  const consumer = kafka.consumer({ groupId: `${prefix}.reader.${crypto.randomUUID()}`, ...GROUP, maxWaitTimeInMs: 500 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  return read(consumer, count, false)
}

async function read(consumer, count, commit) {
  const records = []
  let failed
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      if (records.length < count) records.push({ partition, ...message })
    },
  })
  consumer.on('consumer.crash', ({ payload }) => { failed = payload.error })
  await waitUntil(`${count} records`, () => { if (failed) throw failed; return records.length >= count })
  if (commit) {
    const { topic, partition } = commit
    const offset = String(Number(records[count - 1].offset) + 1)
    await consumer.commitOffsets([{ topic, partition, offset }])
  }
  await consumer.disconnect()
  return records
}

async function readAndCommit(groupId, topic, count) {
  const consumer = kafka.consumer({ groupId, ...GROUP, maxWaitTimeInMs: 500 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  return read(consumer, count, { topic, partition: 0 })
}

async function member(groupId, topic) {
  const consumer = kafka.consumer({ groupId, ...GROUP, maxWaitTimeInMs: 500 })
  const self = { partitions: [], close: () => consumer.disconnect() }
  consumer.on('consumer.group_join', ({ payload }) => {
    self.partitions = [...(payload.memberAssignment[topic] ?? [])].sort()
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ eachMessage: async () => {} })
  return self
}

async function roundTrip(capability, name, options) {
  const topic = await createTopic(capability)
  const records = data(name)
  await produce(topic, records, options)
  return consume(topic, records.length)
}

const codec = (name) => async () => contentHash(await roundTrip(name, 'text', { codec: name }))
const covers = (...members) => assert.deepEqual(members.flatMap((m) => m.partitions).sort(), EVERYTHING) === undefined
const holds = (check) => { try { return check() } catch { return false } }

const scenarios = {
  none: codec('none'),
  gzip: codec('gzip'),
  snappy: codec('snappy'),
  nulls: async () => contentHash(await roundTrip('nulls', 'nulls')),
  headers: async () => contentHash(await roundTrip('headers', 'headers')),
  timestamps: async () => contentHash(await roundTrip('timestamps', 'text'), true),
  idempotence: async () => contentHash(await roundTrip('idempotence', 'text', { idempotent: true })),

  async keys() {
    const topic = await createTopic('keys', 3)
    const records = data('keys')
    await produce(topic, records)
    const got = await consume(topic, records.length)
    const places = new Map()
    const last = new Map()
    for (const { key, value, partition } of got.filter((r) => r.key)) {
      const name = key.toString()
      assert.equal(places.get(name) ?? partition, partition, `key ${name} is in two partitions`)
      assert((last.get(name) ?? '') < value.toString(), `key ${name} is out of order`)
      places.set(name, partition)
      last.set(name, value.toString())
    }
    assert(new Set(places.values()).size > 1, 'all keys are in one partition')
    return contentHash(got.sort((a, b) => (a.value.toString() < b.value.toString() ? -1 : 1)))
  },

  async lookup() {
    const topic = await createTopic('lookup')
    const sent = data('text')
    await produce(topic, sent)
    const found = async (timestamp) => {
      const [row] = await withAdmin((admin) => admin.fetchTopicOffsetsByTimestamp(topic, timestamp))
      return Number(row.offset)
    }
    const times = sent.map((record) => Number(record.timestamp))
    assert.equal(await found(times[3]), 3)
    assert.equal(await found(times[3] + 1), 4)
    assert.equal(await found(1), 0) // this client takes 0 for no time
    // This client answers with the end of the log where there is no such record.
    assert.equal(await found(times.at(-1) + 1), sent.length)
  },

  async group() {
    const topic = await createTopic('group', 4)
    const group = `${prefix}.group`
    const first = await member(group, topic)
    await waitUntil('one member has all partitions', () => holds(() => covers(first)))
    const second = await member(group, topic)
    const shared = () => holds(() => covers(first, second) && first.partitions.length === 2)
    await waitUntil('two members share the partitions', shared)
    await second.close()
    await waitUntil('the remaining member has all partitions', () => holds(() => covers(first)))
    await first.close()
  },

  async commit() {
    const topic = await createTopic('commit')
    const group = `${prefix}.commit`
    const records = data('text')
    const half = records.length / 2
    await produce(topic, records)
    const before = await readAndCommit(group, topic, half)
    assert.equal(contentHash(before), contentHash(records.slice(0, half)), 'the first half differs')
    return contentHash(await readAndCommit(group, topic, half))
  },

  async topics() {
    const topic = await createTopic('topics', 2)
    const count = () => withAdmin(async (admin) => {
      if (!(await admin.listTopics()).includes(topic)) return 0
      return (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length
    })
    await waitUntil('the topic has 2 partitions', async () => (await count()) === 2)
    await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] }))
    await waitUntil('the topic has 5 partitions', async () => (await count()) === 5)
    await withAdmin((admin) => admin.deleteTopics({ topics: [topic] }))
    await waitUntil('the topic is gone', async () => (await count()) === 0)
  },

  async configs() {
    const created = { 'retention.ms': '3600000', 'cleanup.policy': 'compact' }
    const topic = await createTopic('configs', 1, created)
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
    const has = async (wanted) => {
      const answer = await withAdmin((admin) => admin.describeConfigs({ includeSynonyms: false, resources: [resource] }))
      const configs = Object.fromEntries(answer.resources[0].configEntries.map((e) => [e.configName, e.configValue]))
      return Object.entries(wanted).every(([key, value]) => configs[key] === value)
    }
    await waitUntil('the settings are as created', () => has({ ...created, 'segment.bytes': '1073741824' }))
    const change = { 'retention.ms': '7200000', 'max.message.bytes': '2000000' }
    const configEntries = Object.entries(change).map(([name, value]) => ({ name, value }))
    await withAdmin((admin) => admin.alterConfigs({ resources: [{ ...resource, configEntries }] }))
    await waitUntil('the settings are changed', () => has(change))
  },

  async cross() {
    const hashes = {}
    const rows = JSON.parse(fs.readFileSync(path.join(workdir, `${prefix}.cross.json`), 'utf8'))
    await Promise.all(rows.map(async ({ topic, count }) => {
      hashes[topic] = contentHash(await consume(topic, count))
    }))
    return hashes
  },
}

async function main() {
  for (const capability of capabilities) {
    const line = { capability, ok: true, hash: null, detail: '' }
    try {
      line.hash = (await scenarios[capability]()) ?? null
    } catch (error) {
      console.error(error)
      line.ok = false
      line.detail = `${error.name}: ${error.message}`
    }
    console.log(JSON.stringify(line))
  }
}

main()
