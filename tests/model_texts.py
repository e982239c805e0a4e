"""Small LightGBM model texts written by hand, which LightGBM reads as well."""

from collections.abc import Sequence

HEAD = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx={last}
objective=regression
feature_names={names}
feature_infos={infos}
tree_sizes={sizes}

"""


def model_text(trees: Sequence[str], features: int) -> str:
    """Return the text of a model of these trees."""
    blocks = [f"Tree={number}\n{tree}\n\n" for number, tree in enumerate(trees)]
    head = HEAD.format(
        last=features - 1,
        names=" ".join(f"f{i}" for i in range(features)),
        infos=" ".join(["[-9:9]"] * features),
        sizes=" ".join(str(len(block.encode())) for block in blocks),
    )
    return head + "".join(blocks) + "end of trees\n\npandas_categorical:null\n"


def tree_text(
    *,
    features: Sequence[int],
    children: Sequence[tuple[int, int]],
    values: Sequence[float],
    covers: tuple[Sequence[int], Sequence[int]],
    threshold: float = 0.5,
) -> str:
    """Return one tree whose splits all ask "at most `threshold`"; covers: splits', leaves'."""
    lines = {
        "num_leaves": [len(values)],
        "num_cat": [0],
        "split_feature": features,
        "split_gain": [1] * len(features),
        "threshold": [threshold] * len(features),
        "decision_type": [2] * len(features),
        "left_child": [left for left, _ in children],
        "right_child": [right for _, right in children],
        "leaf_value": values,
        "leaf_weight": covers[1],
        "leaf_count": covers[1],
        "internal_value": [0] * len(features),
        "internal_weight": covers[0],
        "internal_count": covers[0],
        "is_linear": [0],
        "shrinkage": [1],
    }
    return "\n".join(f"{name}={' '.join(map(str, items))}" for name, items in lines.items()) + "\n"


def chain_text(depth: int) -> str:
    """Return a tree that asks `depth` features one after the other; each no is a leaf."""
    leaves = [3 + 2 * i for i in range(depth + 1)]
    splits = [sum(leaves[i:]) for i in range(depth)]
    return tree_text(
        features=range(depth),
        children=[(-1 - i, i + 1 if i + 1 < depth else -1 - depth) for i in range(depth)],
        values=[(-1.0) ** i * (0.1 + i) for i in range(depth + 1)],
        covers=(splits, leaves),
    )
