"""Files for other tools: JUnit XML and SARIF."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from aligner import __version__
from aligner.records import Caption, Document
from aligner.scoring.gates import Verdict

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def junit(records: Iterable[Document], verdicts: Sequence[Verdict] = ()) -> str:
    """JUnit XML: a test case per gate, and one per document where there is no gate.

    A document fails if captions in the caption language were found in it, and errs if it could not be read.
    """
    root = ElementTree.Element("testsuites", name="aligner")
    if verdicts:
        for system in dict.fromkeys(verdict.system for verdict in verdicts):
            suite = ElementTree.SubElement(root, "testsuite", name=_clean(system))
            for verdict in verdicts:
                if verdict.system == system:
                    case = ElementTree.SubElement(suite, "testcase", classname="gate", name=str(verdict.gate))
                    if not verdict.passed:
                        ElementTree.SubElement(case, "failure", message=str(verdict), type="gate")
    else:
        suite = ElementTree.SubElement(root, "testsuite", name="residue")
        for record in records:
            case = ElementTree.SubElement(suite, "testcase", classname="residue", name=_clean(record.document))
            if record.error is not None:
                ElementTree.SubElement(case, "error", message=_clean(record.error), type="unreadable")
            elif record.captions:
                message = f"{len(record.captions)} caption(s) in {record.caption_language}"
                failure = ElementTree.SubElement(case, "failure", message=message, type="residue")
                failure.text = _clean("\n".join(f"line {c.line}: {c.source}" for c in record.captions))
    for suite in root:
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("errors", str(len(suite.findall("testcase/error"))))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _clean(text: str) -> str:
    """Text without the control characters that XML cannot hold."""
    return "".join(c if c in "\t\n" or c >= " " else "\ufffd" for c in text if c not in "\ufffe\uffff")


def sarif(records: Iterable[Document]) -> str:
    """SARIF 2.1.0: a result per caption left in the caption language, with its translation as the fix.

    Regions count Unicode code points, as records do.
    """
    results, notifications = [], []
    for record in records:
        path = Path(record.document)
        uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
        location = {"artifactLocation": {"uri": uri}}
        if record.error is not None:
            notifications.append(
                {
                    "level": "error",
                    "message": {"text": record.error},
                    "locations": [{"physicalLocation": location}],
                }
            )
        results += [_result(record, caption, location) for caption in record.captions]
    rule = {
        "id": "untranslated-caption",
        "name": "UntranslatedCaption",
        "shortDescription": {"text": "Image caption left in the source language"},
        "fullDescription": {"text": "The article was translated, the caption of this image was not."},
        "defaultConfiguration": {"level": "warning"},
    }
    log = {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "aligner", "version": __version__, "rules": [rule]}},
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {"executionSuccessful": not notifications, "toolExecutionNotifications": notifications}
                ],
                "results": results,
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _result(record: Document, caption: Caption, location: dict[str, Any]) -> dict[str, Any]:
    text = f"Caption in {record.caption_language}: {caption.source}"
    span = {"charOffset": caption.start, "charLength": caption.end - caption.start}
    result: dict[str, Any] = {
        "ruleId": "untranslated-caption",
        "ruleIndex": 0,
        "level": "warning",
        "message": {"text": text},
        "locations": [{"physicalLocation": {**location, "region": {"startLine": caption.line}}}],
        # The same caption in a document that has grown above it is the same finding.
        "partialFingerprints": {"caption/v1": hashlib.sha256(caption.source.encode()).hexdigest()[:16]},
        "properties": {"confidence": caption.confidence},
    }
    if caption.translation is not None and caption.translation.text:
        translation = caption.translation.text
        result["message"]["text"] = f"{text}\nTranslation: {translation}"
        change = {"deletedRegion": span, "insertedContent": {"text": translation}}
        result["fixes"] = [
            {
                "description": {"text": "Put the translation in its place"},
                "artifactChanges": [{**location, "replacements": [change]}],
            }
        ]
    return result
