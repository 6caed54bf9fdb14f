"""Word vectors and pipelines of text: gensim, fastText, spaCy."""

from __future__ import annotations

from pathlib import Path

from .makers import maker

SENTENCES = [["the", "cat", "sat"], ["a", "dog", "ran", "far"], ["the", "dog", "sat"]] * 10


@maker("gensim")
def gensim_files(folder: Path) -> None:
    """Word2vec whole, its vectors alone, in word2vec's formats, and a topic model."""
    from gensim.corpora import Dictionary
    from gensim.models import FastText, LdaModel, Word2Vec

    model = Word2Vec(SENTENCES, vector_size=16, min_count=1)
    model.save(str(folder / "word2vec.model"))
    model.wv.save(str(folder / "vectors.kv"))
    model.wv.save_word2vec_format(folder / "vectors.bin", binary=True)
    model.wv.save_word2vec_format(folder / "vectors.txt")
    FastText(SENTENCES, vector_size=16, min_count=1).save(str(folder / "fasttext.model"))
    words = Dictionary(SENTENCES)
    words.save(str(folder / "words.dict"))
    bags = [words.doc2bow(one) for one in SENTENCES]
    LdaModel(bags, 2, words).save(str(folder / "topics.lda"))


@maker("fasttext")
def fasttext_files(folder: Path) -> None:
    """A classifier, whole and quantised."""
    import fasttext

    lines = [f"__label__{i % 2} {' '.join(one)}" for i, one in enumerate(SENTENCES)]
    text = folder / "train.txt"
    text.write_text("\n".join(lines))
    model = fasttext.train_supervised(str(text), epoch=1, dim=8, verbose=0)
    model.save_model(str(folder / "model.bin"))


@maker("spacy")
def spacy_folder(folder: Path) -> None:
    """A pipeline with rules and a trained classifier."""
    import spacy

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    rules = pipeline.add_pipe("entity_ruler")
    rules.add_patterns([{"label": "ORG", "pattern": "Example"}])
    labels = pipeline.add_pipe("textcat")
    labels.add_label("good")
    labels.add_label("bad")
    pipeline.initialize()
    pipeline.to_disk(folder / "pipeline")
    (folder / "doc.spacy").write_bytes(
        spacy.tokens.DocBin(docs=[pipeline("An Example.")]).to_bytes()
    )
