"""Checks of Android manifests and network security configurations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

from buttress.probes.client.checks.hosts import is_local
from buttress.probes.client.markup import MarkupElement
from buttress.rules.subject import Check, Subject, SubjectMatch

_COMPONENTS: Final = ("activity", "activity-alias", "service", "receiver", "provider")
_INTERNET: Final = "android.permission.INTERNET"
_EXPLICIT_EXPORT: Final = 31  # from this target on, a filter does not export by itself
_CLEARTEXT_OFF: Final = 28  # from this target on, cleartext is off unless asked for
# Broadcasts that only the system may send, and services that only the system may bind, as a rule.
_OF_SYSTEM: Final = (
    "android.intent.action.", "android.net.", "android.app.action.", "android.hardware.",
    "android.bluetooth.", "android.provider.Telephony.", "android.service.", "android.media.",
    "android.accessibilityservice.", "android.appwidget.", "com.google.android.", "com.android.",
)  # fmt: skip
_ENTRY: Final = ("android.intent.category.LAUNCHER", "android.intent.category.LEANBACK_LAUNCHER")


def _application(subject: Subject) -> MarkupElement | None:
    root: MarkupElement = subject.value
    return next(root.each("application"), None)


def _flag(element: MarkupElement, name: str) -> str:
    return element.attributes.get(f"android:{name}", "").lower()


def _level(root: MarkupElement, name: str, usual: int) -> int:
    """A level of the platform that the manifest names; text projects keep it elsewhere."""
    for one in root.each("uses-sdk"):
        text = one.attributes.get(f"android:{name}", "")
        if text.isdecimal():
            return int(text)
    return usual


def _debuggable(subject: Subject) -> Iterator[SubjectMatch]:
    application = _application(subject)
    if application is not None and _flag(application, "debuggable") == "true":
        yield SubjectMatch(application.line)


def _test_only(subject: Subject) -> Iterator[SubjectMatch]:
    application = _application(subject)
    if application is not None and _flag(application, "testOnly") == "true":
        yield SubjectMatch(application.line)


def _backup(subject: Subject) -> Iterator[SubjectMatch]:
    application = _application(subject)
    if application is None or _flag(application, "allowBackup") == "false":
        return
    rules = ("fullBackupContent", "dataExtractionRules")
    if any(_flag(application, one) for one in rules):
        return
    said = "allowBackup is true" if _flag(application, "allowBackup") else "allowBackup is not set"
    yield SubjectMatch(application.line, said)


def _cleartext(subject: Subject) -> Iterator[SubjectMatch]:
    application = _application(subject)
    if application is None or _flag(application, "networkSecurityConfig"):
        return  # the configuration decides, and is looked at itself
    root: MarkupElement = subject.value
    if _flag(application, "usesCleartextTraffic") == "true":
        yield SubjectMatch(application.line, "usesCleartextTraffic is true")
        return
    online = any(
        one.attributes.get("android:name") == _INTERNET for one in root.each("uses-permission")
    )
    target = _level(root, "targetSdkVersion", _CLEARTEXT_OFF)
    if online and target < _CLEARTEXT_OFF and not _flag(application, "usesCleartextTraffic"):
        yield SubjectMatch(application.line, f"targetSdkVersion is {target}")


def _exported(subject: Subject) -> Iterator[SubjectMatch]:
    application = _application(subject)
    if application is None or _flag(application, "permission"):
        return
    target = _level(subject.value, "targetSdkVersion", _EXPLICIT_EXPORT)
    for component in application.children:
        if component.name not in _COMPONENTS or _flag(component, "enabled") == "false":
            continue
        if _guarded(component) or not _is_exported(component, target) or _is_expected(component):
            continue
        name = component.attributes.get("android:name", "without a name")
        yield SubjectMatch(component.line, f"{component.name} {name}")


def _is_exported(component: MarkupElement, target: int) -> bool:
    said = _flag(component, "exported")
    filtered = any(True for _ in component.each("intent-filter"))
    return said == "true" or (not said and filtered and target < _EXPLICIT_EXPORT)


def _guarded(component: MarkupElement) -> bool:
    if component.attributes.get("android:permission"):
        return True
    both = ("android:readPermission", "android:writePermission")
    return component.name == "provider" and all(component.attributes.get(one) for one in both)


def _is_expected(component: MarkupElement) -> bool:
    """The entry of an application, a page that a web link opens, and what only the system calls."""
    filters = list(component.each("intent-filter"))
    for one in filters:
        categories = {child.attributes.get("android:name") for child in one.each("category")}
        if categories & set(_ENTRY):
            return True
    actions = [
        child.attributes.get("android:name", "") for one in filters for child in one.each("action")
    ]
    return bool(actions) and all(action.startswith(_OF_SYSTEM) for action in actions)


def _user_certificates(subject: Subject) -> Iterator[SubjectMatch]:
    root: MarkupElement = subject.value
    for part in root.children:
        if part.name == "debug-overrides":
            continue
        for one in part.below():
            if one.name == "certificates" and one.attributes.get("src") == "user":
                yield SubjectMatch(one.line)


def _permitted(subject: Subject) -> Iterator[SubjectMatch]:
    root: MarkupElement = subject.value
    for one in root.below():
        if one.attributes.get("cleartextTrafficPermitted", "").lower() != "true":
            continue
        domains = [child.text.strip() for child in one.each("domain")]
        if one.name == "base-config":
            yield SubjectMatch(one.line, "all hosts")
        elif foreign := [domain for domain in domains if domain and not is_local(domain)]:
            yield SubjectMatch(one.line, ", ".join(foreign))


def _pin_expired(subject: Subject) -> Iterator[SubjectMatch]:
    root: MarkupElement = subject.value
    for one in root.below():
        text = one.attributes.get("expiration", "")
        if one.name != "pin-set" or not text:
            continue
        try:
            day = date.fromisoformat(text)
        except ValueError:
            yield SubjectMatch(one.line, f"{text}, which is no date")
            continue
        if day < datetime.now(UTC).date():
            yield SubjectMatch(one.line, text)


CHECKS: Final[dict[str, Check]] = {
    "android-debuggable": _debuggable,
    "android-test-only": _test_only,
    "android-backup": _backup,
    "android-cleartext": _cleartext,
    "android-exported": _exported,
    "android-user-certificates": _user_certificates,
    "android-network-cleartext": _permitted,
    "android-pin-expired": _pin_expired,
}
