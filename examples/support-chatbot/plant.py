"""Plants the defects of the demo: weights that carry inert code, files with made-up keys.

They are written here rather than kept in the repository, so that no scanner of a code host takes
the keys for real ones. The output is the same in each run. Nothing that is written is ever loaded.
"""

from __future__ import annotations

from pathlib import Path

from planting import keys, weights

HERE = Path(__file__).parent


def main() -> None:
    files = {**weights.files(), **keys.files()}
    for name, data in files.items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    size = sum(map(len, files.values()))
    print(f"Planted {len(files)} files ({size:,} bytes) in {HERE}: made-up keys and inert weights.")


if __name__ == "__main__":
    main()
