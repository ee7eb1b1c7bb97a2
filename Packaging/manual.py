"""Writes the manual: a page of section 1 for each command, from what the command says of itself.

    manual.py COMMAND DIRECTORY [VERSION]
"""

import datetime
import json
import os
import subprocess
import sys

DATE = datetime.datetime.fromtimestamp(
    int(os.environ.get("SOURCE_DATE_EPOCH", 0)), datetime.timezone.utc).strftime("%Y-%m-%d")

STATUS = {
    "": "0 if the command succeeded. Commands that take a program, such as do, run and exec, end with"
        " the program's status; 128+n if signal n ended it.",
    "do": "The program's; 128+n if signal n ended it; 127 if it was not found, 126 if it can't be"
          " executed; 125 if paravane failed.",
    "exec": "The program's; 128+n if signal n ended it; 255 if it could not be started.",
}
STATUS["run"] = STATUS["do"]


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\n".join("\\&" + line if line[:1] == "." else line for line in text.split("\n"))


def spelled(name):
    return ("-" if name["kind"] == "short" else "--") + name["name"]


def is_shown(argument):
    return argument["shouldDisplay"]


def value(argument):
    return argument["valueName"] if argument["kind"] == "option" else None


def synopsis(command, title):
    words = ["\\fB" + escaped(title) + "\\fR"]
    for argument in filter(is_shown, command.get("arguments", [])):
        if argument["kind"] == "positional":
            text = "\\fI" + escaped(argument["valueName"]) + "\\fR"
            text += " ..." if argument["isRepeating"] else ""
        else:
            text = "\\fB" + escaped(spelled(argument["preferredName"])) + "\\fR"
            if value(argument):
                text += " \\fI" + escaped(value(argument)) + "\\fR"
        words.append("[" + text + "]" if argument["isOptional"] else text)
    if command.get("subcommands"):
        words.append("\\fICOMMAND\\fR ...")
    return " ".join(words)


def explained(argument):
    """One entry of the list of arguments or options."""
    if argument["kind"] == "positional":
        tag = "\\fI" + escaped(argument["valueName"]) + "\\fR"
    else:
        tag = ", ".join("\\fB" + escaped(spelled(name)) + "\\fR" for name in argument["names"])
        if value(argument):
            tag += " \\fI" + escaped(value(argument)) + "\\fR"
    text = argument.get("abstract", "").strip() or "See above."
    if argument.get("defaultValue"):
        text += f" Default: {argument['defaultValue']}."
    return [".TP", tag, escaped(text)]


def page(command, title, related, version):
    name = title.replace(" ", "-")
    abstract = command.get("abstract", "").strip().rstrip(".")
    lines = [f'.TH {name.upper()} 1 {DATE} "paravane {version}" "User Commands"', ".SH NAME",
             f"{escaped(name)} \\- {escaped(abstract[:1].lower() + abstract[1:])}",
             ".SH SYNOPSIS", synopsis(command, title), ".SH DESCRIPTION",
             escaped(command.get("abstract", "").strip())]
    if command.get("discussion"):
        lines += [".PP", escaped(command["discussion"].strip())]
    arguments = [item for item in command.get("arguments", []) if is_shown(item)]
    for heading, kinds in (("ARGUMENTS", ["positional"]), ("OPTIONS", ["option", "flag"])):
        chosen = [item for item in arguments if item["kind"] in kinds]
        if chosen:
            lines.append(f".SH {heading}")
            for item in chosen:
                lines += explained(item)
    if command.get("subcommands"):
        lines.append(".SH COMMANDS")
        for item in filter(is_shown, command["subcommands"]):
            lines += [".TP", f"\\fB{escaped(name)}\\-{escaped(item['commandName'])}\\fR(1)",
                      escaped(item.get("abstract", ""))]
    status = STATUS.get(title.removeprefix("paravane").strip())
    lines += [".SH EXIT STATUS", escaped(
        status or "0 if the command succeeded, 1 if it failed: one line on standard error says why.")]
    lines += [".SH SEE ALSO", ",\n".join(f".BR {escaped(other)} (1)" for other in related if
                                         other != name).replace(",\n.BR", " ,\n.BR")]
    return name, "\n".join(lines) + "\n"


def commands(command, title):
    yield command, title
    for item in command.get("subcommands", []):
        if item["shouldDisplay"] and item["commandName"] != "help":
            yield from commands(item, f"{title} {item['commandName']}")


def main():
    product, directory = sys.argv[1:3]
    version = sys.argv[3] if len(sys.argv) > 3 else ""
    text = subprocess.run([product, "--experimental-dump-help"], check=True, capture_output=True,
                          text=True).stdout
    root = json.loads(text)["command"]
    os.makedirs(directory, exist_ok=True)
    for command, title in commands(root, root["commandName"]):
        related = ["paravane"] if title != "paravane" else ["podman", "ctr", "docker", "runc"]
        name, lines = page(command, title, related, version)
        with open(os.path.join(directory, f"{name}.1"), "w") as file:
            file.write(lines)


main()
