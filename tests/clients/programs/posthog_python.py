"""posthog: `URL KEY story` or `URL KEY many COUNT PAUSE_MS`."""

import json
import sys
import time
from datetime import datetime
from pathlib import Path

from posthog import Posthog

url, key, mode, *rest = sys.argv[1:]
story = json.loads((Path(__file__).parents[1] / "story.json").read_text())
client = Posthog(key, host=url, gzip=True)
if mode == "story":
    client.set(distinct_id=story["user"], properties=story["traits"])
    at = datetime.fromisoformat(story["at"])
    client.capture(
        story["event"],
        distinct_id=story["user"],
        properties=story["properties"],
        timestamp=at,
        groups={"company": story["group"]},
    )
    client.group_identify("company", story["group"], story["group_traits"])
    client.alias(story["user"], story["anonymous"])
else:
    for number in range(int(rest[0])):
        client.capture("Many", distinct_id=story["user"], properties={"number": number})
        time.sleep(float(rest[1]) / 1000)
client.shutdown()
