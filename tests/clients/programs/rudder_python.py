"""rudder-sdk-python: `URL KEY story` or `URL KEY many COUNT PAUSE_MS`."""

import json
import sys
import time
from datetime import datetime
from pathlib import Path

from rudderstack.analytics.client import Client

url, key, mode, *rest = sys.argv[1:]
story = json.loads((Path(__file__).parents[1] / "story.json").read_text())
client = Client(key, host=url, gzip=True)
if mode == "story":
    client.identify(story["user"], story["traits"], anonymous_id=story["anonymous"])
    at = datetime.fromisoformat(story["at"])
    client.track(story["user"], story["event"], story["properties"], timestamp=at)
    client.group(story["user"], story["group"], story["group_traits"])
    client.alias(story["anonymous"], story["user"])
else:
    for number in range(int(rest[0])):
        client.track(story["user"], "Many", {"number": number})
        time.sleep(float(rest[1]) / 1000)
client.flush()
client.join()
