"""Reads [[text, tree], ...] and prints each text that PyYAML does not read as that tree."""
import json
import sys

import yaml


def quoted(text):
    units = text.encode("utf-16-le", "surrogatepass")
    units = [units[i] | units[i + 1] << 8 for i in range(0, len(units), 2)]
    plain = (chr(u) if 0x20 <= u < 0x7F and u not in (0x22, 0x5C) else "\\u%04x" % u for u in units)
    return '"' + "".join(plain) + '"'


def canonical(node, key=False):
    if node is None:
        return "null"
    if isinstance(node, yaml.ScalarNode):
        empty = node.value in ("", "~", "null", "Null", "NULL")
        return "null" if node.style is None and empty and not key else quoted(node.value)
    if isinstance(node, yaml.SequenceNode):
        return "[" + ",".join(map(canonical, node.value)) + "]"
    return "{" + ",".join(canonical(k, True) + ":" + canonical(v) for k, v in node.value) + "}"


for text, tree in json.load(sys.stdin):
    try:
        other = canonical(yaml.compose(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        other = "error: " + str(error).replace("\n", " ")
    if other != tree:
        print(repr(text), "is", tree, "here and", other, "there")
