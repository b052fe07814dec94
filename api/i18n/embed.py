#!/usr/bin/env python3
"""Writes the messages of api/i18n/*.json as one C table (see api/http/message_table.h).

Refuses what would only show when a message is needed: an unsorted file, a key that English or the
documentation (qqq) lacks, and a translation that uses a parameter the English text has not."""

import json
import os
import re
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        pairs = json.load(file, object_pairs_hook=list)
    keys = [key for key, _ in pairs if key != "@metadata"]
    if keys != sorted(set(keys)):
        wrong = next(b for a, b in zip(keys, keys[1:]) if b <= a)
        sys.exit(f"{path}: keys are not sorted, or one stands twice, at {wrong}")
    return {key: text for key, text in pairs if key != "@metadata"}


def parameters(text):
    return set(re.findall(r"\$[1-9]", text))


def quote(text):
    if text is None:
        return "NULL"
    safe = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("?", "\\?")
    return f'"{safe}"'


def main(target, paths):
    files = {os.path.basename(path)[: -len(".json")]: (path, read(path)) for path in paths}
    documented = files.pop("qqq")[1]
    english = files["en"][1]
    if missing := set(english) ^ set(documented):
        sys.exit(f"en.json and qqq.json differ in {', '.join(sorted(missing))}")
    for path, messages in files.values():
        for key, text in messages.items():
            if key not in english:
                sys.exit(f"{path}: {key} is not in en.json")
            if parameters(text) - parameters(english[key]):
                sys.exit(f"{path}: {key} uses a parameter that English does not")
    languages = sorted(files)
    rows = [
        f"\t{{ {quote(key)}, (const char *const[]){{"
        + ", ".join(quote(files[language][1].get(key)) for language in languages)
        + "} },"
        for key in sorted(english)
    ]
    with open(target, "w", encoding="utf-8") as out:
        out.write(
            '#include "api/http/message_table.h"\n\n'
            "const char *const message_languages[] = { "
            + ", ".join(quote(language) for language in languages)
            + " };\n"
            f"const size_t message_languages_n = {len(languages)};\n"
            "const struct message_row message_rows[] = {\n" + "\n".join(rows) + "\n};\n"
            f"const size_t message_rows_n = {len(rows)};\n"
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
