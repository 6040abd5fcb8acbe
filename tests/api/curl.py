"""As much of curl as docs/api/tutorial.md needs, for machines that have none."""

import argparse
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

parser = argparse.ArgumentParser()
parser.add_argument("-s", action="store_true")
parser.add_argument("-i", action="store_true", dest="include")
parser.add_argument("-X", dest="method")
parser.add_argument("-H", dest="headers", action="append", default=[])
parser.add_argument("-d", dest="data")
parser.add_argument("--etag-save", dest="tag", type=Path)
parser.add_argument("address")
asked = parser.parse_args()

body = None if asked.data is None else asked.data.encode()
headers = dict(header.split(": ", 1) for header in asked.headers)
try:
    answer = urlopen(Request(asked.address, body, headers, method=asked.method))
except HTTPError as refused:
    answer = refused
if asked.tag:
    asked.tag.write_text(answer.headers["etag"] + "\n", encoding="utf-8")
if asked.include:
    print(f"HTTP/1.1 {answer.status} {answer.reason}")
    print("\n".join(f"{name.lower()}: {value}" for name, value in answer.headers.items()), end="\n\n")
sys.stdout.flush()
sys.stdout.buffer.write(answer.read())
