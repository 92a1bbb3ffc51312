"""Checked entries become a `Script`: defaults, own emotion names, ids, pauses and gaps applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from moee_cli.core.suggest import did_you_mean
from moee_cli.core.types import Background, Controls, EmotionKey, Encoding, Fit, FrameFormat, Gaze
from moee_cli.script.emotions import NEUTRAL, EmotionBook, is_auto, resolve_keys
from moee_cli.script.files import Files
from moee_cli.script.positions import KeyPath, Map, Text, show, spell_path, value_at
from moee_cli.script.report import Report
from moee_cli.script.schema import (
    DEFAULT_INTENSITY,
    CastMember,
    DefaultsEntry,
    EncodingEntry,
    FrameEntry,
    KeyframeEntry,
    Line,
    ScriptEntry,
    SegmentEntry,
    Transition,
)
from moee_cli.script.values import ID_UNFIT, MIN_SIDE, TIME_HINT, Time, TransitionWish

T = TypeVar("T")
EmotionWritten = str | dict[str, float] | list[KeyframeEntry]
_WITH_AUDIO = ("from_", "to", "text", "subtitles", "gap")
"""Keys that mean nothing in a pause."""
_SAMPLED = ("emotion", "prompt", "intensity", "take", "head", "blinks")
"""Keys that decide how motion is sampled, and nothing where it comes from a file."""
MOTION_SUFFIXES = (".csv", ".npz")
MAX_SILENCE = 24 * 3600
"""Seconds of a pause: a longer one is a slip, such as milliseconds without their unit."""


def resolve_frame(entry: FrameEntry, place: Callable[[str], KeyPath], report: Report) -> FrameFormat:
    """Return the frame format; odd sizes round down to even, as H.264 needs. `place` says where a key was written."""
    usual = FrameFormat()
    fit = _or(entry.fit, usual.fit)
    if fit is Fit.SOURCE and entry.size is None:
        own = _or(entry.scale, 1.0)
        background = _or(entry.background, usual.background)
        return replace(usual, fps=_or(entry.fps, usual.fps), fit=fit, background=background, scale_of_picture=own)
    width, height = entry.size or (usual.width, usual.height)
    if width % 2 or height % 2:
        report.warn(place("size"), f"{width}x{height} is odd: read as {width // 2 * 2}x{height // 2 * 2}")
    if entry.scale is not None:
        width, height = round(width * entry.scale), round(height * entry.scale)
        if min(width, height) < MIN_SIDE:
            report.error(place("scale"), f"makes the picture {width}x{height}, smaller than {MIN_SIDE} pixels")
    return FrameFormat(
        width=width // 2 * 2,
        height=height // 2 * 2,
        fps=_or(entry.fps, usual.fps),
        fit=fit,
        background=_or(entry.background, usual.background),
    )


def resolve_encoding(entry: EncodingEntry) -> Encoding:
    """Return the encoding."""
    return Encoding(**entry.model_dump(exclude_unset=True))


def resolve_cast(entry: ScriptEntry, report: Report) -> dict[str, CastMember]:
    """Return the cast by name."""
    if not entry.cast:
        report.error(("cast",), "names nobody", "for example `cast: {ana: {portrait: ana.png}}`")
    for name in entry.cast or {}:
        if not name.strip():
            report.error(("cast", name), f"{show(name)} cannot be the name of a person", of_key=True)
    return {
        name: CastMember(name, member.portrait, member.face, member.consent, report.where(("cast", name), of_key=True))
        for name, member in (entry.cast or {}).items()
    }


def _or(value: T | None, usual: T) -> T:
    return usual if value is None else value


def default_id(audio: str) -> str:
    """Return the id of a line without one: the audio's name without ending, with `-` for what an id may not hold."""
    name = ID_UNFIT.sub("-", Path(audio).stem).strip()
    return name if name.strip(".") else ""


@dataclass
class LineResolver:
    """Turns segment entries into lines, in order."""

    entry: ScriptEntry
    cast: Mapping[str, CastMember]
    fps: Fraction
    report: Report
    lines: list[Line] = field(default_factory=list)
    sound: list[tuple[KeyPath, Line]] = field(default_factory=list)
    """Lines whose audio, `from` and `to` have no fault so far, and where they stand."""
    from_words: dict[KeyPath, None] = field(default_factory=dict)
    """Where emotions are to be found from words: each `prompt`, and each `auto` that a segment uses."""
    _ids: dict[str, KeyPath] = field(default_factory=dict)
    _files: Files = field(default_factory=Files)

    def __post_init__(self) -> None:
        self._defaults = self.entry.defaults or DefaultsEntry.model_construct()
        self._book = EmotionBook(self.entry.emotions or {}, self.report)
        self._controls = _controls(self._defaults, Controls())
        self._usual = _or(self._defaults.intensity, DEFAULT_INTENSITY)
        if self._defaults.emotion is not None and not is_auto(self._defaults.emotion):
            self._keys(self._defaults.emotion, None, ("defaults", "emotion"))
        if self._defaults.speaker is not None:
            self._known_speaker(self._defaults.speaker, ("defaults", "speaker"))

    def resolve(self, segments: Sequence[SegmentEntry | None]) -> tuple[Line, ...]:
        """Return all lines; None stands for a segment whose faults are known already."""
        if not segments:
            self.report.error(("segments",), "is empty", "for example `segments: [{audio: hello.wav}]`")
        for index, segment in enumerate(segments):
            if segment is None:
                continue
            path: KeyPath = ("segments", index)
            if (segment.audio is None) == (segment.pause is None):
                found = "has both `audio` and `pause`" if segment.audio else "has neither `audio` nor `pause`"
                self.report.error(path, found, "a segment is either a line or a pause")
            elif segment.audio is not None:
                self._spoken(segment, segment.audio, path)
            else:
                self._pause(segment, path)
        return self._named_pauses(self.lines)

    # --- one segment

    def _spoken(self, segment: SegmentEntry, audio: Path, path: KeyPath) -> None:
        n_errors = self.report.n_errors
        self._check_file(audio, (*path, "audio"))
        start, stop = self._span(segment, path)
        is_sound = n_errors == self.report.n_errors and not any(
            self.report.is_broken((*path, key)) for key in ("audio", "from", "to")
        )
        if segment.subtitles is not None:
            self._check_file(segment.subtitles, (*path, "subtitles"))
        if segment.motion is not None:
            self._check_motion(segment, segment.motion, path)
        line_id = segment.id or default_id(str(audio))
        self._claim(line_id, path, by_name=segment.id is None)
        speaker = self._speaker(segment, path)
        gap = Fraction(0)
        if segment.gap is not None:
            gap = self._silence(segment.gap, (*path, "gap"))
        elif self._defaults.gap is not None:
            gap = self._silence(self._defaults.gap, ("defaults", "gap"))
        where, key = self.report.where(path), spell_path(path)
        if gap > 0:
            self.lines.append(
                Line(
                    id=f"{line_id}~gap",
                    speaker=self.lines[-1].speaker if self.lines else speaker,
                    pause=gap,
                    emotion_given=False,
                    controls=self._controls,
                    where=where,
                    key=f"{key}.gap",
                )
            )
        length = None if stop is None else stop - (start or 0)
        emotion, prompt, auto = self._emotion(segment, path, length)
        self.lines.append(
            Line(
                id=line_id,
                speaker=speaker,
                take=_or(segment.take, 1),
                audio=audio,
                start=start,
                stop=stop,
                emotion=emotion,
                prompt=prompt,
                auto=auto,
                transition=self._transition(_or(segment.transition, self._defaults.transition)),
                controls=_controls(segment, self._controls),
                text=segment.text,
                subtitles=segment.subtitles,
                motion=segment.motion,
                is_centred=segment.motion is not None and segment.gaze is Gaze.CAMERA,
                where=where,
                key=key,
            )
        )
        if is_sound:
            self.sound.append((path, self.lines[-1]))

    def _pause(self, segment: SegmentEntry, path: KeyPath) -> None:
        assert segment.pause is not None
        for name in _WITH_AUDIO:
            if getattr(segment, name) is not None:
                key = name.rstrip("_")
                self.report.error((*path, key), "means nothing in a pause", "remove it", of_key=True)
        if segment.motion is not None:
            self._check_motion(segment, segment.motion, path)
        given = segment.emotion is not None or segment.prompt is not None
        if segment.intensity is not None and not given:
            self.report.error((*path, "intensity"), "needs an `emotion` in a pause", "give both or none", of_key=True)
        length = self._silence(segment.pause, (*path, "pause"))
        emotion, prompt, auto = self._emotion(segment, path, length) if given else ((), None, False)
        if segment.id is not None:
            self._claim(segment.id, path, by_name=False)
        if segment.speaker is not None:
            self._known_speaker(segment.speaker, (*path, "speaker"))
        self.lines.append(
            Line(
                id=segment.id or "",
                speaker=segment.speaker or (self.lines[-1].speaker if self.lines else ""),
                take=_or(segment.take, 1),
                pause=length,
                emotion=emotion,
                emotion_given=given,
                prompt=prompt,
                auto=auto,
                transition=self._transition(segment.transition),
                controls=_controls(segment, self._controls),
                motion=segment.motion,
                is_centred=segment.motion is not None and segment.gaze is Gaze.CAMERA,
                where=self.report.where(path),
                key=spell_path(path),
            )
        )

    def _named_pauses(self, lines: Sequence[Line]) -> tuple[Line, ...]:
        """Name the pauses without id after the line before them, leading ones after the line that follows.

        So a pause keeps its name, and with it its noise, when lines are inserted or removed elsewhere.
        """
        first = next((line for line in lines if line.audio is not None), None)
        leader = next((line.speaker for line in lines if line.speaker), None)
        if leader is None and lines:
            leader = self._only_speaker(("segments", 0))
        anchor = f"{first.id if first else ''}~before"
        count = 0
        named = []
        for line in lines:
            line_id = line.id
            if line.audio is not None:
                anchor, count = f"{line.id}~pause", 0
            elif not line_id:
                count += 1
                line_id = anchor if count == 1 else f"{anchor}{count}"
            named.append(replace(line, id=line_id, speaker=line.speaker or leader or ""))
        return tuple(named)

    # --- its parts

    def _span(self, segment: SegmentEntry, path: KeyPath) -> tuple[Fraction | None, Fraction | None]:
        start = None if segment.from_ is None else segment.from_.seconds(self.fps)
        stop = None if segment.to is None else segment.to.seconds(self.fps)
        if stop is not None and stop <= (start or 0):
            message = f"{float(stop):g} s is not after `from`, {float(start or 0):g} s"
            self.report.error((*path, "to"), message, "`to` is a place in the audio, not a length")
        return start, stop

    def _silence(self, wish: Time, path: KeyPath) -> Fraction:
        seconds = wish.seconds(self.fps)
        if seconds > MAX_SILENCE:
            self.report.error(path, f"{float(seconds) / 3600:.6g} hours are more than {MAX_SILENCE // 3600}", TIME_HINT)
        return seconds

    def _claim(self, line_id: str, path: KeyPath, *, by_name: bool) -> None:
        spot = path if by_name else (*path, "id")
        if not line_id:
            self.report.error(spot, "has an audio file without a name", "give the segment an `id`")
        elif line_id in self._ids:
            other = spell_path(self._ids[line_id])
            hint = "lines are named after their audio; give each an `id`" if by_name else "every id is used once"
            self.report.error(spot, f"the id {show(line_id)} is already that of {other}", hint)
        else:
            self._ids[line_id] = path

    def _speaker(self, segment: SegmentEntry, path: KeyPath) -> str:
        if segment.speaker is not None:
            return self._known_speaker(segment.speaker, (*path, "speaker"))
        return self._defaults.speaker or self._only_speaker(path)

    def _only_speaker(self, path: KeyPath) -> str:
        if len(self.cast) > 1:
            names = ", ".join(self.cast)
            self.report.error(
                path, "does not say who speaks", f"add `speaker:`, one of {names}; or set it in `defaults`"
            )
        return next(iter(self.cast), "")

    def _known_speaker(self, name: str, path: KeyPath) -> str:
        written = self.report.root.get("cast")
        names = written if isinstance(written, Map) else self.cast
        if name not in names and ("cast",) not in self.report.broken:
            hint = f"{did_you_mean(name, names)}the cast: {', '.join(names) or 'nobody'}"
            self.report.error(path, f"{show(name)} is not in the cast", hint)
        return name

    def _check_file(self, file: Path, path: KeyPath) -> None:
        if fault := self._files.fault(file):
            _report_file(file, fault, path, self._files, self.report)

    def _check_motion(self, segment: SegmentEntry, file: Path, path: KeyPath) -> None:
        """Check the name of a motion file, and say which keys of its segment it leaves without a meaning."""
        if file.suffix.lower() not in MOTION_SUFFIXES:
            told = f"{show(file.name)} is not a file of face motion"
            self.report.error((*path, "motion"), told, f"its name ends in {' or '.join(MOTION_SUFFIXES)}")
        self._check_file(file, (*path, "motion"))
        for name in _SAMPLED:
            if getattr(segment, name) is not None:
                told = "means nothing beside `motion`: the face moves as the file says"
                self.report.warn((*path, name), told, "remove one of them", of_key=True)

    def _emotion(
        self, segment: SegmentEntry, path: KeyPath, length: Fraction | None
    ) -> tuple[tuple[EmotionKey, ...], str | None, bool]:
        if segment.prompt is not None:
            if segment.emotion is not None:
                self.report.error((*path, "prompt"), "stands beside `emotion`", "give exactly one of them", of_key=True)
            if not segment.prompt.strip():
                self.report.error((*path, "prompt"), "is empty", "describe the expression in a few words")
            self.from_words[*path, "prompt"] = None
            return (EmotionKey(NEUTRAL, _or(segment.intensity, self._usual)),), segment.prompt, False
        written: EmotionWritten = "neutral"
        if segment.emotion is not None:
            written, spot = segment.emotion, (*path, "emotion")
        else:
            written, spot = self._defaults.emotion or written, ("defaults", "emotion")
        if is_auto(written):
            self.from_words[spot] = None
            return (EmotionKey(NEUTRAL, _or(segment.intensity, self._usual)),), None, True
        keys = self._keys(written, segment.intensity, spot)
        for index, key in enumerate(keys):
            if length is not None and isinstance(key.at, Fraction) and key.at > length:
                late = f"a keyframe at {float(key.at):g} s comes after the end, {float(length):g} s"
                self.report.error(
                    (*spot, index) if len(keys) == 1 else spot, late, "`at` counts from the segment's start"
                )
                break
        return keys, None, False

    def _keys(self, written: EmotionWritten, given: float | None, path: KeyPath) -> tuple[EmotionKey, ...]:
        return resolve_keys(
            written,
            self._book,
            given=given,
            usual=self._usual,
            fps=self.fps,
            path=path,
            report=self.report,
        )

    def _transition(self, wish: TransitionWish | None) -> Transition:
        if wish is None:
            return Transition()
        return Transition(wish.kind, None if wish.length is None else wish.length.seconds(self.fps))


def _controls(entry: DefaultsEntry | SegmentEntry, usual: Controls) -> Controls:
    return Controls(_or(entry.head, usual.head), _or(entry.gaze, usual.gaze), _or(entry.blinks, usual.blinks))


def check_portraits(cast: Mapping[str, CastMember], lines: Sequence[Line], files: Files, report: Report) -> None:
    """Report the portraits of those who appear that are not there or no pictures; those of others may lie elsewhere."""
    for name in dict.fromkeys(line.speaker for line in lines):
        if name in cast:
            _check_picture(cast[name].portrait, ("cast", name, "portrait"), files, report)


def check_background(background: Background, path: KeyPath, files: Files, report: Report) -> None:
    """Report a picture for the background that is not there or none; `path` is that of the key."""
    if background.picture is not None:
        _check_picture(background.picture, path, files, report)


def _check_picture(file: Path, path: KeyPath, files: Files, report: Report) -> None:
    if fault := files.fault(file):
        _report_file(file, fault, path, files, report)
    elif found := files.picture_fault(file):
        report.error(path, *found)


def _report_file(file: Path, fault: str, path: KeyPath, files: Files, report: Report) -> None:
    written = value_at(report.root, path)
    if isinstance(written, Text):
        report.error(path, f"{show(written)} {fault}", None if report.is_full else files.hint(file, written))
