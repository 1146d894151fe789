// posthog-node: `URL KEY story` or `URL KEY many COUNT PAUSE_MS`.
const { PostHog } = require('posthog-node')
const story = require('../story.json')

const [url, key, mode, count, pause] = process.argv.slice(2)
const client = new PostHog(key, { host: url })
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
client.on('error', (error) => { console.error(error); process.exitCode = 1 })

async function main() {
  const distinctId = story.user
  if (mode === 'story') {
    client.identify({ distinctId, properties: story.traits })
    const groups = { company: story.group }
    const timestamp = new Date(story.at)
    client.capture({ distinctId, event: story.event, properties: story.properties, groups, timestamp })
    client.groupIdentify({ groupType: 'company', groupKey: story.group, properties: story.group_traits })
    client.alias({ distinctId, alias: story.anonymous })
  } else {
    for (let number = 0; number < count; number++) {
      client.capture({ distinctId, event: 'Many', properties: { number } })
      await sleep(Number(pause))
    }
  }
  await client.shutdown(600000)
}

main()
