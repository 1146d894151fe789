// @rudderstack/rudder-sdk-node: `URL KEY story` or `URL KEY many COUNT PAUSE_MS`.
const RudderAnalytics = require('@rudderstack/rudder-sdk-node')
const story = require('../story.json')

const [url, key, mode, count, pause] = process.argv.slice(2)
const client = new RudderAnalytics(key, { dataPlaneUrl: url, maxInternalQueueSize: 200000 })
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
let open = 0
const sent = () => {
  open++
  return (error) => { open--; if (error) { console.error(error); process.exitCode = 1 } }
}

async function main() {
  if (mode === 'story') {
    client.identify({ userId: story.user, anonymousId: story.anonymous, traits: story.traits }, sent())
    const timestamp = new Date(story.at)
    client.track({ userId: story.user, event: story.event, properties: story.properties, timestamp }, sent())
    client.group({ userId: story.user, groupId: story.group, traits: story.group_traits }, sent())
    client.alias({ userId: story.user, previousId: story.anonymous }, sent())
  } else {
    for (let number = 0; number < count; number++) {
      client.track({ userId: story.user, event: 'Many', properties: { number } }, sent())
      await sleep(Number(pause))
    }
  }
  client.flush()
  while (open > 0) { await sleep(50); client.flush() }
  process.exit()
}

main()
