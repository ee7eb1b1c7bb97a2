"""validate.py SCHEMA FILE: holds each line of FILE against the JSON schema."""
import json
import sys

import jsonschema

schema = json.load(open(sys.argv[1]))
validator = jsonschema.Draft202012Validator(schema)
validator.check_schema(schema)
count = 0
for number, line in enumerate(open(sys.argv[2], newline="\n"), 1):
    for error in validator.iter_errors(json.loads(line)):
        print("line %d: %s" % (number, error.message))
        break
    else:
        count += 1
print("%d valid" % count)
