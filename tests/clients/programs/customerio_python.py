"""customerio: `URL WRITE_KEY:SECRET_KEY story` or `... many COUNT PAUSE_MS`; URL is a TLS proxy's."""

import json
import sys
import time
from datetime import datetime
from pathlib import Path

from customerio import CustomerIO

url, keys, mode, *rest = sys.argv[1:]
story = json.loads((Path(__file__).parents[1] / "story.json").read_text())
site, secret = keys.split(":")
host, port = url.removeprefix("https://").split(":")
client = CustomerIO(site, secret, host=host, port=int(port))
if mode == "story":
    client.identify(story["user"], anonymous_id=story["anonymous"], **story["traits"])
    at = datetime.fromisoformat(story["at"])
    client.track(story["user"], story["event"], story["properties"], timestamp=at)
    client.add_device(story["user"], "token-1", "ios")
    client.merge_customers("id", story["user"], "id", "b/ö")
else:
    for number in range(int(rest[0])):
        client.track(story["user"], "Many", {"number": number}, id=f"many-{number}")
        time.sleep(float(rest[1]) / 1000)
