"""The least that any rating must do: start Python, import DuckDB and NumPy, read the columns that it needs as numbers.

    python benchmarks/floor.py votes.parquet --columns model_a,model_b,winner

A model or a verdict becomes its place in a list; a voter becomes a hash, which is enough to tell voters apart.
"""

import sys

import duckdb

CODE = {
    "model_a": "enum_code(model_a::model)",
    "model_b": "enum_code(model_b::model)",
    "winner": "enum_code(winner::verdict)",
    "voter": "hash(voter)",
    "voted_at": "epoch_us(voted_at)",
}


def main() -> None:
    """Read the columns and end."""
    path, _, columns = sys.argv[1:]
    with duckdb.connect() as connection:
        votes = connection.read_parquet(path)
        models = votes.project("model_a").union(votes.project("model_b")).distinct().order("1").fetchall()
        connection.execute(f"create type model as enum ({', '.join(repr(name) for (name,) in models)})")
        connection.execute("create type verdict as enum ('model_a', 'model_b', 'tie', 'both_bad')")
        read = ", ".join(f"{CODE.get(column, column)} as {column}" for column in columns.split(","))
        arrays = connection.execute(f"select {read} from read_parquet($path)", {"path": path}).fetchnumpy()
    print(len(arrays), "columns of", len(arrays["model_a"]), "votes")


if __name__ == "__main__":
    main()
