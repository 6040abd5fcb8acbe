"""As much of jq as docs/api/tutorial.md needs, for machines that have none: a path such as `.items[-1].id`."""

import json
import re
import sys
from pathlib import Path

path, *files = sys.argv[1:]
found = json.loads(Path(files[0]).read_text(encoding="utf-8") if files else sys.stdin.read())
for name, place in re.findall(r"\.(\w+)|\[(-?\d+)\]", path):
    found = found[name] if name else found[int(place)]
print(json.dumps(found))
