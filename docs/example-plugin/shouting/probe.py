"""A probe that reads text files and reports words that must not ship."""

from collections.abc import Iterator
from pathlib import Path

from shouting.pack_contents import KIND, read_words

from buttress.ext import Finding, Inspection, InspectionContext

OWN_WORDS = ("TODO-BEFORE-LAUNCH",)


class WordsProbe:
    """Reports lines that hold a word; packs of kind shouting-words add words."""

    id = "shouting-words"
    version = "1"
    title = "Words that must not ship"
    kinds = ("source",)

    def rule_ids(self, knowledge: object) -> tuple[str, ...]:
        """Ids of its rules, which suppressions may name."""
        del knowledge
        return (self.id,)

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Findings, and at last what was read; ``context.tree`` reads each file only once."""
        words = list(OWN_WORDS)
        for file in context.knowledge.of_kind(KIND):
            words += read_words(Path(file.path))
        files = read = 0
        skipped = []
        for file in context.tree.files:
            content = context.tree.content(file.path)
            if content.binary:
                continue
            if not content.whole:
                skipped.append(f"{file.location}: {content.problem or 'too large'}")
                continue
            files, read = files + 1, read + content.size
            for number, line in enumerate(content.data.decode("utf-8", "replace").splitlines(), 1):
                for word in words:
                    if word in line:
                        yield Finding(
                            rule=self.id,
                            severity="medium",
                            asset=context.asset,
                            location=f"{file.location}:{number}",
                            message=f"{word} is left in the code.",
                            remedy="Do what it says, or remove it.",
                            references=("CWE-546",),
                            proof=word,
                            probe=self.id,
                        )
        yield Inspection(self.id, self.version, context.asset, files, read, tuple(skipped))


PROBE = WordsProbe()
