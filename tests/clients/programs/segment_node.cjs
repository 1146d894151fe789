// @segment/analytics-node: `URL KEY story` or `URL KEY many COUNT PAUSE_MS`.
const { Analytics } = require('@segment/analytics-node')
const story = require('../story.json')

const [url, key, mode, count, pause] = process.argv.slice(2)
const client = new Analytics({ writeKey: key, host: url })
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
client.on('error', (error) => { console.error(error); process.exitCode = 1 })

async function main() {
  if (mode === 'story') {
    client.identify({ userId: story.user, anonymousId: story.anonymous, traits: story.traits })
    const timestamp = new Date(story.at)
    client.track({ userId: story.user, event: story.event, properties: story.properties, timestamp })
    client.group({ userId: story.user, groupId: story.group, traits: story.group_traits })
    client.alias({ userId: story.user, previousId: story.anonymous })
  } else {
    for (let number = 0; number < count; number++) {
      client.track({ userId: story.user, event: 'Many', properties: { number } })
      if (Number(pause) || number % 200 === 0) await sleep(Number(pause))
    }
  }
  await client.closeAndFlush({ timeout: 600000 })
}

main()
